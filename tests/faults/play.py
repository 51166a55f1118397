"""Playing a scenario in a cluster: customers, strikes, then silence, then what is left."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from functools import partial

import aiohttp

from tests.faults.aftermath import read_logs, read_what_is_left
from tests.faults.answers import NumberedAnswers
from tests.faults.client import Tab
from tests.faults.cluster import Cluster, erase, get_cookies
from tests.faults.leaks import read_leaks
from tests.faults.patience import Stopwatch, done_within
from tests.faults.records import RunRecord, TabRecord
from tests.faults.scenario import (
    WITHOUT_REDIS,
    Ask,
    Scenario,
    Strike,
    Then,
    What,
    guest_script,
    scripts,
)
from tests.faults.scene import Scene
from tests.faults.strikes import Striker
from tests.faults.visitor import Visitor
from tests.faults.weights import Weights
from tests.faults.witness import Witness

#: Customers have finished by then, or something hangs. With a planted bug it may well.
PLAY_S = 30
PLAY_WITH_BUG_S = 15
#: After the last strike every page is quiet and right within this.
SETTLE_S = 15
SETTLE_WITH_BUG_S = 8
#: Source: specification, section 9.
ERASED_WITHIN_S = 1.0
TAKEN_UP_S = 15.0
#: Pages open at other workers are told of an erasure later where Redis, which tells them, or
#: the worker that erased was away just then.
TOLD_WITHIN_S = 1.5
#: A turn that was handed over does not wait for its lease to end, which takes 5 s.
HANDED_OVER_S = 3.0
#: Refused while Redis is away, customers press the button again.
ERASE_TRIES = 12
ERASE_AGAIN_S = 0.5


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
        speaks = any(strike.what in {What.MODEL, What.SLOW_TEXT} for strike in scenario.strikes)
        self._strikes_redis = any(strike.what in WITHOUT_REDIS for strike in scenario.strikes)
        self.record = RunRecord(
            seed=seed,
            scenario=scenario.name,
            numbered=not speaks,
            undisturbed=scenario.is_undisturbed,
        )
        self._plan = NumberedAnswers()
        self._guests = 0

    async def run(self) -> RunRecord:
        self._cluster.assistant.assistant.faults = self._plan
        await self._arrive()
        weights = Weights(self._cluster)
        acting = [
            asyncio.create_task(self._act(visitor, tab, asks))
            for visitor in self._visitors
            for tab, asks in zip(visitor.tabs, visitor.script, strict=True)
        ]
        striking = asyncio.create_task(self._strike_all())
        try:
            has_bug = bool(self._cluster.options.patches)
            play_s = PLAY_WITH_BUG_S if has_bug else PLAY_S
            settle_s = SETTLE_WITH_BUG_S if has_bug else SETTLE_S
            in_time = await done_within(play_s, asyncio.wait(acting))
            self._acting_ended = True
            self._heard.set()
            for task in acting:
                if task.done():
                    task.result()
                task.cancel()
            await striking
            await self._settle(settle_s if in_time else 0)
            await read_what_is_left(self._cluster, self._visitors)
        finally:
            for task in (*acting, striking):
                task.cancel()
            await asyncio.gather(*(tab.leave() for tab in self._tabs))
            weights.close()
            self._plan.clear()
        if self._strikes_redis:  # workers do not know what others keep in their memories
            for visitor in self._visitors:
                visitor.record.excuse_what_came_back()
        self.record.workers = await weights.after()
        self.record.calls = dict(self._plan.asked)
        self.record.leaks = read_leaks(self._cluster, self._visitors)
        self.record.errors, self.record.stalls = read_logs(self._cluster)
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

    async def _welcome(self, addresses: Sequence[str], words: int) -> Visitor:
        """Have one more visitor come: see ``scene.Welcome``."""
        cookies = await get_cookies(self._cluster.web, addresses[0])
        script = guest_script(self._scripts, self._guests, len(addresses), words)
        guest = Visitor(f"g{self._guests}", cookies, script)
        self._guests += 1
        for address in addresses:
            self._tabs.append(guest.open_tab(self._cluster, self._rng, address))
        self._visitors.append(guest)
        self.record.visitors.append(guest.record)
        return guest

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
        for attempt in range(ERASE_TRIES):
            # Those that are made to die first: one of them may wait for an erasure.
            workers = sorted(self._cluster.running, key=lambda worker: not worker.dies)
            address = workers[attempt % len(workers)].address
            try:
                status = await erase(self._cluster.web, address, visitor.cookies)
            except (OSError, TimeoutError, aiohttp.ClientError):
                continue
            if status != 503:
                break
            await asyncio.sleep(ERASE_AGAIN_S)
        if status != 302:
            return
        visitor.record.erased = True
        troubled = self._strikes_redis or self._scenario.crashes
        watch = Stopwatch()
        for tab in visitor.tabs:
            is_over = tab.until(partial(self._shows_nothing, tab))
            if not await done_within(
                TOLD_WITHIN_S if troubled else ERASED_WITHIN_S, is_over, watch
            ):
                tab.record.heard_after_erasure.append("nothing of the erasure")

    def _shows_nothing(self, tab: Tab) -> bool:
        """Whether the tab was told of the erasure, or cannot be."""
        worker = self._cluster.worker_at(tab.address)
        is_reached = worker is not None and worker.is_running and not worker.is_frozen
        return bool(tab.view.ended) or not (tab.is_connected and is_reached)

    def _note_delta(self) -> None:
        self._deltas += 1
        self._heard.set()

    # Strikes

    async def _strike_all(self) -> None:
        witness = Witness(self._cluster, self._visitors[0].cookies, self.record.late)
        scene = Scene(self._cluster, witness, self.record, self._plan, self._welcome)
        striker = Striker(scene, self._tabs)
        loop = asyncio.get_running_loop()
        at = 0
        for strike in self._scenario.strikes:
            at += strike.after
            while self._deltas < at and not self._acting_ended:
                self._heard.clear()
                await self._heard.wait()
            struck, struck_at = striker.struck_by(strike), loop.time()
            self.record.struck.append(strike.what.value)
            watch = Stopwatch()
            await striker.strike(strike)
            if strike.what is What.HAND_OVER:  # what they heard within the grace does not count
                struck, struck_at = [tab for tab in struck if tab.view.waiting], loop.time()
            if strike.what not in {What.KILL, What.FREEZE}:
                watch = Stopwatch()
            if strike.what is not What.MODEL:
                await self._note_recoveries(strike, struck, struck_at, watch)

    async def _note_recoveries(
        self, strike: Strike, struck: list[Tab], struck_at: float, watch: Stopwatch
    ) -> None:
        """How long those who waited for an answer heard nothing of it."""
        limit_s = HANDED_OVER_S if strike.what is What.HAND_OVER else TAKEN_UP_S
        for tab in struck:
            progress = tab.until(partial(_has_progressed, tab, struck_at))
            if not await done_within(limit_s, progress, watch):
                what = f"{tab.record.name} heard nothing for {limit_s} s"
                self.record.late.append(f"{what} after: {strike.what.value}")
        self.record.recoveries_s += [
            since for tab in struck if (since := _progress(tab.record, struck_at)) > 0
        ]

    # Afterwards

    async def _settle(self, within_s: float) -> None:
        watch = Stopwatch()
        for visitor in self._visitors:
            for tab in visitor.tabs:
                if tab.is_settled:
                    continue
                if not await done_within(within_s, tab.until(partial(_is_settled, tab)), watch):
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
