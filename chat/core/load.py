"""Load of this process, measured by the lag of its timers, and a pause that grows with it.

A loaded worker batches: a text that is read, checked and sent once for six tokens costs a
fraction of six separate steps. Without load there is no pause.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from chat.core.runtime import Part

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


class Load:
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

    async def rest(self, over: asyncio.Future[None]) -> None:
        """Wait for ``pause_s`` or until ``over`` is done, and record the lag of that timer."""
        pause_s = self.pause_s
        if not pause_s or over.done():
            return
        loop = asyncio.get_running_loop()
        rested: asyncio.Future[None] = loop.create_future()
        due = loop.time() + pause_s

        def wake(_: object = None) -> None:
            if not rested.done():
                rested.set_result(None)

        def ring() -> None:
            self.note(loop.time() - due)
            wake()

        timer = loop.call_at(due, ring)
        over.add_done_callback(wake)
        try:
            await rested
        finally:
            timer.cancel()
            over.remove_done_callback(wake)


async def yield_to_loop(steps: int) -> None:
    """Yield to other tasks for a number of steps of the event loop."""
    for _ in range(steps):
        await asyncio.sleep(0)


#: The load of this worker.
LOAD: Part[Load] = Part("load", Load)
