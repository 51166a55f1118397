"""Load of this process: a pause that grows with it, and admission control when it is saturated.

Load is measured by the lag of timers. A loaded worker batches: a text that is read, checked and
sent once for six tokens costs a fraction of six separate steps. Without load there is no pause.

Admission control refuses a question, before storing it, that cannot be answered in time: a worker
that accepts more questions than it can answer answers none in time, since all share one processor.
A question is refused once the running ones would take longer than ``USABLE_PART`` of the deadline
at the throughput of the last seconds. Only a saturated worker refuses: its timers have been late
for a while, or more answers are running than it has connections to the model. A slow model or 500
conversations that start at once are not a reason.
"""

from __future__ import annotations

import asyncio
import math
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable

from chat.core import metrics
from chat.core.errors import Overloaded
from chat.core.runtime import LoopPart, Part

#: Longest pause in which pieces are collected.
LONGEST_S = 0.25
#: Timer lag that counts as no load: timers are never exactly on time.
UNNOTICED_S = 0.005
#: Pause per second of lag above ``UNNOTICED_S``.
STRETCH = 20.0
#: Averaging period. Averaged over a few steps of the event loop, the pause would oscillate between
#: zero and its maximum, and half of the batches would stay small.
MEMORY_S = 0.5
#: Largest weight and largest lag of one measurement that raises the average: a single stall of the
#: process must not cause long pauses.
_MOST = 0.1
_LATEST_S = 0.04
#: Age after which the average is ignored.
_STALE_S = 2.0


class LoadMonitor:
    """Moving average of timer lag. ``clock``: monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._late_s = 0.0
        self._noted_at = clock()

    def note(self, late_s: float) -> None:
        """Record timer lag; a single long stall is capped and decays quickly."""
        now = self._clock()
        more_s = min(late_s, _LATEST_S) - self._late_s
        weight = min((now - self._noted_at) / MEMORY_S, _MOST if more_s > 0 else 1.0)
        self._noted_at = now
        self._late_s += more_s * weight

    @property
    def pause_s(self) -> float:
        """Seconds to collect before the next step; 0.0 without load."""
        if self._clock() - self._noted_at > _STALE_S:
            return 0.0
        return min(LONGEST_S, max(0.0, self._late_s - UNNOTICED_S) * STRETCH)

    async def throttle(self, over: asyncio.Future[None]) -> None:
        """Wait for ``pause_s`` or until ``over`` is done, and record the lag of that timer."""
        pause_s = self.pause_s
        if not pause_s or over.done():
            return
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[None] = loop.create_future()
        due = loop.time() + pause_s

        def wake(_: object = None) -> None:
            if not woken.done():
                woken.set_result(None)

        def ring() -> None:
            self.note(loop.time() - due)
            wake()

        timer = loop.call_at(due, ring)
        over.add_done_callback(wake)
        try:
            await woken
        finally:
            timer.cancel()
            over.remove_done_callback(wake)


async def yield_to_loop(steps: int) -> None:
    """Yield to other tasks for a number of steps of the event loop."""
    for _ in range(steps):
        await asyncio.sleep(0)


#: The load of this worker.
LOAD: Part[LoadMonitor] = Part("load", LoadMonitor)


#: Concurrent requests of one worker to the model; the next one waits for a connection.
MAX_AT_ONCE = 1000
#: Interval of the timer whose lag is measured while a question is running.
TICK_S = 0.1
#: Average timer lag over ``LATE_MEMORY_S`` above which the worker counts as saturated.
LATE_S = 0.05
LATE_MEMORY_S = 1.0
#: Saturation that lasts less is ignored, since many questions may have come at once: an upper
#: bound, and a fraction of the deadline.
SETTLED_S = 3.0
SETTLED_PART = 0.2
#: Window over which throughput is measured.
SPEED_OVER_S = 5.0
#: Fraction of the deadline in which all running questions must end.
USABLE_PART = 0.6
#: Throughput that every worker reaches: with fewer running questions per second of the deadline
#: none is refused, whatever was measured, since none ends at first when many begin at once.
LEAST_PER_S = 20
LONGEST_RETRY_S = 30
#: Answers to measure before their average duration is used.
MIN_MEASURED = 20
#: Weight of the last answer in the average duration, so that a past saturation decays quickly.
ANSWER_WEIGHT = 0.2


class Overload:
    """Running questions, throughput and timer lag of one event loop.

    ``max_at_once``: concurrent requests to the model. ``clock``: monotonic seconds.
    """

    def __init__(self, max_at_once: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_at_once = max_at_once
        self._clock = clock
        self._ends: deque[float] = deque()
        self._late_s = 0.0
        self._limit_since: float | None = None
        self._answer_s = 0.0
        self._measured = 0
        self._per_s = 1.0
        self.running = 0
        #: Sum of timer lag in seconds; the difference of two readings is the lag between them.
        self.late_total_s = 0.0

    def check(self, ahead: int, deadline_s: float) -> None:
        """Return if one more question can be answered in time.

        ``ahead``: questions of the same conversation that are queued before it in this worker.

        Raises:
            Overloaded: it cannot; with the seconds until a retry.
        """
        wait_s, behind_s = self._wait_s(deadline_s), self._wait_behind_s(ahead)
        if wait_s > USABLE_PART * deadline_s or behind_s > deadline_s:
            metrics.overload_refused.inc()
            retry_after_s = math.ceil(max(wait_s, behind_s) / 2)
            raise Overloaded(retry_after_s=max(1, min(LONGEST_RETRY_S, retry_after_s)))

    def begin(self) -> float:
        """Record that a question was accepted; return the clock's time."""
        self.running += 1
        return self._clock()

    def end(self, began_at: float, *, is_measure: bool) -> None:
        """Record that a question has ended.

        ``is_measure``: whether its duration counts: it was answered, and was not queued behind
        another question of its conversation.
        """
        self.running -= 1
        now = self._clock()
        self._ends.append(now)
        self._forget(now)
        if is_measure:
            weight = max(ANSWER_WEIGHT, 1 / (self._measured + 1))
            self._measured += 1
            self._answer_s += ((now - began_at) - self._answer_s) * weight

    def tick(self, late_s: float) -> None:
        """Record the lag of one timer of ``TICK_S``."""
        late_s = max(0.0, late_s)
        self.late_total_s += late_s
        weight = min(1.0, (TICK_S + late_s) / LATE_MEMORY_S)
        self._late_s += (min(late_s, LATE_MEMORY_S) - self._late_s) * weight
        is_at_limit = self._late_s > LATE_S or self.running > self._max_at_once
        if not is_at_limit:
            self._limit_since = None
        elif self._limit_since is None:
            self._limit_since = self._clock()
        if self._limit_since is not None:
            self._per_s = self._speed(self._clock(), self._limit_since)

    def _speed(self, now: float, since: float) -> float:
        """Return recent throughput under saturation, in questions per second; never 0."""
        self._forget(now)
        over_s = min(SPEED_OVER_S, now - since)
        ended = len(self._ends) - bisect_left(self._ends, now - over_s)
        return max(ended, 1) / max(over_s, TICK_S)

    def rest(self) -> None:
        """Reset the measured lag after an idle period."""
        self._late_s = 0.0
        self._limit_since = None

    def _wait_s(self, deadline_s: float) -> float:
        """Estimate how long all running questions will take; 0.0 for an unsaturated worker."""
        now = self._clock()
        settled_s = min(SETTLED_S, SETTLED_PART * deadline_s)
        if self._limit_since is None or now - self._limit_since < settled_s:
            return 0.0
        if self.running < LEAST_PER_S * deadline_s:
            return 0.0
        return self.running / self._per_s

    def _wait_behind_s(self, ahead: int) -> float:
        """Estimate how long ``ahead`` questions will take one after another."""
        return ahead * self._answer_s if self._measured >= MIN_MEASURED else 0.0

    def _forget(self, now: float) -> None:
        while self._ends and self._ends[0] <= now - SPEED_OVER_S:
            self._ends.popleft()


class Ticker:
    """Calls ``Overload.tick`` every ``TICK_S`` on the event loop while a question is running."""

    def __init__(self, overload: Overload) -> None:
        self._overload = overload
        self._loop = asyncio.get_running_loop()
        self._due: float | None = None

    def ensure_started(self) -> None:
        if self._due is None:
            self._overload.rest()
            self._begin()

    @property
    def late_s(self) -> float:
        """Sum of timer lag in seconds, including the timer that is due now."""
        overdue_s = self._loop.time() - self._due if self._due is not None else 0.0
        return self._overload.late_total_s + max(0.0, overdue_s)

    def _begin(self) -> None:
        self._due = self._loop.time() + TICK_S
        self._loop.call_at(self._due, self._ring, self._due)

    def _ring(self, due: float) -> None:
        self._overload.tick(self._loop.time() - due)
        self._due = None
        if self._overload.running:
            self._begin()


class LoopOverload:
    """The overload of one event loop."""

    def __init__(self) -> None:
        self._overload = Overload(MAX_AT_ONCE, asyncio.get_running_loop().time)
        self._ticker = Ticker(self._overload)

    def check(self, ahead: int, deadline_s: float) -> None:
        """Return if one more question can be answered in time; see ``Overload.check``.

        Raises:
            Overloaded: it cannot.
        """
        self._overload.check(ahead, deadline_s)

    def begin(self) -> Callable[[bool], None]:
        """Record that a question was accepted; return its ``Overload.end`` as a callback."""
        began_at = self._overload.begin()
        self._ticker.ensure_started()
        return lambda is_measure: self._overload.end(began_at, is_measure=is_measure)

    @property
    def late_s(self) -> float:
        """Sum of timer lag in seconds; the difference of two readings is the lag between them."""
        return self._ticker.late_s


#: Admission control of this worker.
OVERLOAD: LoopPart[LoopOverload] = LoopPart("overload", LoopOverload)
