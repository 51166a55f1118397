"""How busy this process is, told by how late its own timers fire; who can wait waits longer then.

A worker at its limit does the same work in fewer, larger steps: a text that is read, judged and
sent once for six tokens costs a fraction of six. Nobody waits longer while there is time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

#: Longest that several pieces are put together.
LONGEST_S = 0.25
#: Below this lateness nothing changes: timers are never quite on time.
UNNOTICED_S = 0.005
#: What is over it is worth waiting for so many times.
STRETCH = 20.0
#: Over how long it is averaged. Over a few steps of the event loop it would swing between all and
#: nothing, and half of the steps would stay small.
MEMORY_S = 0.5
#: What one measurement counts at most when it makes pauses longer, beside all before; and how late
#: it says at most: once, a process may stand still.
_MOST = 0.1
_LATEST_S = 0.04
#: What was measured so long ago says nothing any more.
_STALE_S = 2.0


class Load:
    """``clock``: seconds, from any moment on."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._late_s = 0.0
        self._noted_at = clock()

    def note(self, late_s: float) -> None:
        """Take that a timer fired so much too late; a process that stood still is soon forgiven."""
        now = self._clock()
        more_s = min(late_s, _LATEST_S) - self._late_s
        weight = min((now - self._noted_at) / MEMORY_S, _MOST if more_s > 0 else 1.0)
        self._noted_at = now
        self._late_s += more_s * weight

    @property
    def pause_s(self) -> float:
        """How long to collect before the next step; 0.0 while there is time."""
        if self._clock() - self._noted_at > _STALE_S:
            return 0.0
        return min(LONGEST_S, max(0.0, self._late_s - UNNOTICED_S) * STRETCH)

    async def rest(self, over: asyncio.Future[None]) -> None:
        """Wait for ``pause_s``, and measure; no longer than until ``over`` is done."""
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


#: Of this process.
load = Load()
