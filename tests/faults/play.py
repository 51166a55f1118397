"""Playing a scenario in a cluster: customers, strikes, then silence, then what is left."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from functools import partial

import aiohttp

from tests.faults.aftermath import read_logs, read_what_is_left
from tests.faults.client import Tab
from tests.faults.cluster import Cluster, erase, get_cookies
from tests.faults.records import RunRecord, TabRecord
from tests.faults.scenario import OF_REDIS, Ask, Scenario, Then, What, scripts
from tests.faults.strikes import Striker
from tests.faults.visitor import Visitor
from tests.faults.weights import Weights

#: Customers have finished by then, or something hangs.
PLAY_S = 25
#: After the last strike every page is quiet and right within this.
SETTLE_S = 15
#: Source: specification, section 9.
ERASED_WITHIN_S = 1.0


class Play:
    """One scenario with one seed, in a cluster made for it; ``run`` it once."""

    def __init__(self, cluster: Cluster, scenario: Scenario, seed: int) -> None:
        self._cluster = cluster
        self._scenario = scenario
        self._rng = random.Random(seed)  # noqa: S311 - not a secret
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
        weights = Weights(self._cluster)
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
            await self._settle(0 if late else SETTLE_S)
            await read_what_is_left(self._cluster, self._visitors)
        finally:
            for task in (*acting, striking):
                task.cancel()
            await asyncio.gather(*(tab.leave() for tab in self._tabs))
            weights.close()
            self._cluster.assistant.faults.clear()
        if any(strike.what in OF_REDIS for strike in self._scenario.strikes):
            for tab in self._tabs:  # workers do not know what others keep in their memories
                tab.record.vanished.clear()
        self.record.workers = await weights.after()
        self.record.errors = read_logs(self._cluster)
        return self.record

    # Customers

    async def _arrive(self) -> None:
        addresses = self._cluster.addresses
        for number, script in enumerate(self._scripts):
            address = addresses[number % len(addresses)]
            cookies = await get_cookies(self._cluster.web, address)
            visitor = Visitor(f"v{number}", cookies, script)
            visitor.open_tabs(self._cluster, self._rng, number)
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
            # Those that are made to die first: one of them may wait for an erasure.
            workers = sorted(self._cluster.running, key=lambda worker: not worker.dies)
            address = workers[attempt % len(workers)].address
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

    async def _settle(self, within_s: float) -> None:
        deadline = asyncio.get_running_loop().time() + within_s
        for visitor in self._visitors:
            for tab in visitor.tabs:
                try:
                    async with asyncio.timeout_at(deadline):
                        await tab.until(partial(_is_settled, tab))
                except TimeoutError:
                    visitor.record.unsettled.append(_unrest(tab))


def _is_settled(tab: Tab) -> bool:
    return tab.is_settled


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
