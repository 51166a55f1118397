"""Playing a scenario in a cluster: customers, strikes, then silence, then what is left."""

from __future__ import annotations

import asyncio
import json
import random
import re
from contextlib import suppress
from functools import partial

import aiohttp
import redis.asyncio
import websockets

from tests.faults.client import Tab
from tests.faults.cluster import Cluster, WorkerProcess, erase, get_cookies, measured, session_id_of
from tests.faults.records import RunRecord, TabRecord, VisitorRecord, WorkerRecord
from tests.faults.scenario import OF_REDIS, Ask, Scenario, Script, Then, What, scripts
from tests.faults.strikes import Striker
from tests.faults.view import Line, View

#: Customers have finished by then, or something hangs.
PLAY_S = 45
#: After the last strike every page is quiet and right within this.
SETTLE_S = 20
#: A page whose tabs wrote at the same time shows the order of the transcript this long after.
CONVERGE_S = 6
#: Source: specification, section 9.
ERASED_WITHIN_S = 1.0
ALLOWED_MIB = 40
_ERROR = re.compile(r".*\[error .*")
#: The layer logs that its connection broke, and comes back; Django, each 503.
_KNOWN = re.compile(r"\[channels_redis.pubsub\]|Service Unavailable:")


class Visitor:
    """One customer with several tabs, each at any worker."""

    def __init__(self, name: str, cookies: dict[str, str], script: Script) -> None:
        self.name = name
        self.cookies = cookies
        self.script = script
        self.session_id = session_id_of(cookies)
        self.tabs: list[Tab] = []
        self.record = VisitorRecord(name=name)

    def open_tabs(self, cluster: Cluster, rng: random.Random) -> None:
        cookie = f"chat_session={self.cookies['chat_session']}"
        for number, _ in enumerate(self.script):
            own = random.Random(rng.random())
            # Tabs of one visitor begin at different workers.
            where = _Balancer(cluster, own, number)
            self.tabs.append(Tab(f"{self.name}t{number}", cookie, where, own))
        self.record.tabs = [tab.record for tab in self.tabs]


class _Balancer:
    def __init__(self, cluster: Cluster, rng: random.Random, first: int) -> None:
        self._cluster = cluster
        self._rng = rng
        self._first: int | None = first

    def __call__(self) -> str:
        addresses = self._cluster.addresses
        if not addresses:
            return "127.0.0.1:1"
        if self._first is not None:
            first, self._first = self._first, None
            return addresses[first % len(addresses)]
        return self._rng.choice(addresses)


class Play:
    """``allowed_mib``: how much each worker may grow."""

    def __init__(self, cluster: Cluster, scenario: Scenario, seed: int) -> None:
        self._cluster = cluster
        self._scenario = scenario
        self._rng = random.Random(seed)
        self._visitors: list[Visitor] = []
        self._tabs: list[Tab] = []
        self._deltas = 0
        self._heard = asyncio.Event()
        self._scripts = scripts(scenario, seed)
        self._acting_ended = False
        speaks = any(strike.what is What.MODEL for strike in scenario.strikes)
        self.record = RunRecord(seed=seed, numbered=not speaks)

    async def run(self) -> RunRecord:
        await self._arrive()
        before = {w.name: (w.memory_mib(), w.open_files()) for w in self._running()}
        watching = asyncio.create_task(self._watch_memory(before))
        acting = [
            asyncio.create_task(self._act(visitor, tab, asks))
            for visitor in self._visitors
            for tab, asks in zip(visitor.tabs, visitor.script, strict=True)
        ]
        striking = asyncio.create_task(self._strike_all())
        try:
            _, late = await asyncio.wait(acting, timeout=PLAY_S)
            self._acting_ended = True
            self._heard.set()
            for task in late:
                task.cancel()
            for task in acting:
                if task not in late:
                    task.result()
            await striking
            await self._settle()
            await self._read_what_is_left()
        finally:
            for task in (*acting, striking):
                task.cancel()
            await asyncio.gather(*(tab.leave() for tab in self._tabs))
            watching.cancel()
        if any(strike.what in OF_REDIS for strike in self._scenario.strikes):
            for tab in self._tabs:  # workers do not know what others keep in their memories
                tab.record.vanished.clear()
        await self._measure(before)
        self._read_logs()
        return self.record

    # Customers

    async def _arrive(self) -> None:
        addresses = self._cluster.addresses
        for number, script in enumerate(self._scripts):
            address = addresses[number % len(addresses)]
            cookies = await get_cookies(self._cluster.web, address)
            visitor = Visitor(f"v{number}", cookies, script)
            visitor.open_tabs(self._cluster, self._rng)
            self._visitors.append(visitor)
            self._tabs += visitor.tabs
        for tab in self._tabs:
            tab.on_delta = self._note_delta
        self.record.visitors = [visitor.record for visitor in self._visitors]

    async def _act(self, visitor: Visitor, tab: Tab, asks: list[Ask]) -> None:
        for ask in asks:
            await asyncio.sleep(ask.pause_s)
            if tab.view.ended:
                return
            await tab.ask(ask.id, ask.text)
            await self._then(visitor, tab, ask)
        for ask in asks:
            await tab.answered(ask.id)

    async def _then(self, visitor: Visitor, tab: Tab, ask: Ask) -> None:
        if ask.then is Then.TWIN:
            other = visitor.tabs[(visitor.tabs.index(tab) + 1) % len(visitor.tabs)]
            await other.ask(ask.id, ask.text)
            await tab.answered(ask.id)
            return
        if ask.then in {Then.CUT, Then.STOP, Then.ERASE}:
            await tab.accepted(ask.id)
            await tab.until(lambda: bool(tab.view.draft) or ask.id not in tab.view.waiting)
        match ask.then:
            case Then.WAIT:
                await tab.answered(ask.id)
            case Then.GO_ON:
                await tab.accepted(ask.id)
            case Then.CUT:
                tab.cut()
            case Then.STOP:
                await tab.stop()
            case Then.ERASE:
                await self._erase(visitor)

    async def _erase(self, visitor: Visitor) -> None:
        """Press the button, again where nothing came back; refused, the conversation goes on."""
        status = 0
        for attempt in range(5):
            addresses = self._cluster.addresses
            address = addresses[(self._visitors.index(visitor) + attempt) % len(addresses)]
            try:
                status = await erase(self._cluster.web, address, visitor.cookies)
                break
            except (OSError, TimeoutError, aiohttp.ClientError):
                continue
        if status != 302:
            visitor.record.erasure_refused = True
            return
        visitor.record.erased = True
        await asyncio.sleep(ERASED_WITHIN_S)
        for tab in visitor.tabs:
            reached = self._cluster.worker_at(tab.address)
            if tab.is_connected and not tab.view.ended and reached and not reached.is_frozen:
                tab.record.heard_after_erasure.append("nothing of the erasure")

    def _note_delta(self) -> None:
        self._deltas += 1
        self._heard.set()

    # Strikes

    async def _strike_all(self) -> None:
        striker = Striker(self._cluster, self._tabs)
        loop = asyncio.get_running_loop()
        at = 0
        for strike in self._scenario.strikes:
            at += strike.after
            while self._deltas < at and not self._acting_ended:
                self._heard.clear()
                await self._heard.wait()
            struck, struck_at = striker.struck_by(strike), loop.time()
            self.record.struck.append(strike.what.value)
            await striker.strike(strike)
            if strike.what is not What.MODEL:
                await self._note_recoveries(struck, struck_at)

    async def _note_recoveries(self, struck: list[Tab], struck_at: float) -> None:
        """How long those who waited for an answer heard nothing of it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(15):
                for tab in struck:
                    await tab.until(partial(_has_progressed, tab, struck_at))
        self.record.recoveries_s += [
            since for tab in struck if (since := _progress(tab.record, struck_at)) > 0
        ]

    # Afterwards

    async def _settle(self) -> None:
        deadline = asyncio.get_running_loop().time() + SETTLE_S
        for visitor in self._visitors:
            for tab in visitor.tabs:
                try:
                    async with asyncio.timeout_at(deadline):
                        await tab.until(partial(_is_settled, tab))
                except TimeoutError:
                    visitor.record.unsettled.append(_unrest(tab))

    async def _read_what_is_left(self) -> None:
        client = redis.asyncio.Redis.from_url(self._cluster.redis.url)
        converged_by = asyncio.get_running_loop().time() + CONVERGE_S
        async with client:
            for visitor in self._visitors:
                if visitor.record.erased:
                    visitor.record.traces = await self._traces(client, visitor)
                    continue
                raw = await client.get(f"session:{visitor.session_id}")
                messages = json.loads(raw)["messages"] if raw else []
                visitor.record.stored = [Line.of(message) for message in messages]
                for worker in self._running():
                    final = await _state_at(worker, visitor.cookies)
                    visitor.record.finals[worker.name] = final
                for tab in visitor.tabs:
                    with suppress(TimeoutError):
                        async with asyncio.timeout_at(converged_by):
                            await tab.until(partial(_shows, tab, visitor.record.stored))

    async def _traces(self, client: redis.asyncio.Redis, visitor: Visitor) -> list[str]:
        mark = visitor.script[0][0].id.split("t")[0]
        found = []
        async for key in client.scan_iter():
            kind = await client.type(key)
            value = b""
            if kind == b"string":
                value = await client.get(key) or b""
            elif kind == b"hash":
                value = repr(await client.hgetall(key)).encode()
            if f"{mark}t".encode() in value:
                found.append(f"Redis {key.decode()[:40]}")
        header = f"chat_session={visitor.cookies['chat_session']}"
        for worker in self._running():
            for path in ("/", "/conversation/export/"):
                url = f"http://{worker.address}{path}"
                async with self._cluster.web.get(url, headers={"Cookie": header}) as page:
                    if f"{mark}t" in await page.text():
                        found.append(f"{worker.name} {path}")
        return found

    def _running(self) -> list[WorkerProcess]:
        return [worker for worker in self._cluster.workers if worker.is_running]

    async def _watch_memory(self, before: dict[str, tuple[float, int]]) -> None:
        peaks = {name: mib for name, (mib, _) in before.items()}
        self._peaks = peaks
        while True:
            for worker in self._running():
                if worker.name in peaks:
                    with suppress(OSError):
                        peaks[worker.name] = max(peaks[worker.name], worker.memory_mib())
            await asyncio.sleep(0.1)

    async def _measure(self, before: dict[str, tuple[float, int]]) -> None:
        for worker in self._running():
            if worker.name not in before:
                continue
            sockets = await self._nobody_at(worker)
            mib, files = before[worker.name]
            self.record.workers.append(
                WorkerRecord(
                    name=worker.name,
                    before_mib=mib,
                    peak_mib=self._peaks[worker.name],
                    files_before=files,
                    files_after=worker.open_files(),
                    sockets_after=sockets,
                    allowed_mib=ALLOWED_MIB,
                )
            )

    async def _nobody_at(self, worker: WorkerProcess) -> int:
        """Wait until the worker noticed that all have left; return how many it still counts."""
        count = 0.0
        for _ in range(40):
            count = await measured(self._cluster.web, worker.address, "chat_sockets_open")
            if not count:
                break
            await asyncio.sleep(0.1)
        return int(count)

    def _read_logs(self) -> None:
        for worker in self._cluster.workers:
            text = worker.log.read_text()[worker.log_read :]
            worker.log_read += len(text)
            errors = [line for line in _ERROR.findall(text) if not _KNOWN.search(line)]
            self.record.errors += [f"{worker.name}: {line}" for line in errors]
            if "Question " in text or "n°" in text:
                self.record.errors.append(f"{worker.name} wrote a message into its log")


async def _state_at(worker: WorkerProcess, cookies: dict[str, str]) -> View:
    """What a page that is opened now shows."""
    view = View()
    with suppress(TimeoutError):
        async with (
            asyncio.timeout(5),
            websockets.connect(
                f"ws://{worker.address}/ws/chat/",
                additional_headers={"Cookie": f"chat_session={cookies['chat_session']}"},
                ping_interval=None,
                close_timeout=0.2,
                max_size=None,
                proxy=None,
            ) as socket,
        ):
            while not view.backend:
                view.hear(json.loads(await socket.recv()))
    return view


def _is_settled(tab: Tab) -> bool:
    return tab.is_settled


def _shows(tab: Tab, stored: list[Line]) -> bool:
    return [line.id for line in tab.view.lines] == [line.id for line in stored]


def _has_progressed(tab: Tab, since: float) -> bool:
    return bool(tab.view.ended) or _progress(tab.record, since) > 0


def _progress(record: TabRecord, since: float) -> float:
    """Seconds from ``since`` to the next word heard; 0 when there was none."""
    return next((at - since for at in record.progressed_at if at > since), 0.0)


def _unrest(tab: Tab) -> str:
    view = tab.view
    return (
        f"{tab.record.name} at {tab.address} is not quiet: connected={tab.is_connected} "
        f"unsent={list(tab.outbox)} waiting={view.waiting} draft={view.draft_id!r} "
        f"backend={view.backend}"
    )
