"""How busy this process is, told by how late its own timers fire; who can wait waits longer then.

A worker at its limit does the same work in fewer, larger steps: a text that is read, judged and
sent once for six tokens costs a fraction of six. Nobody waits longer while there is time.
"""

from __future__ import annotations

import asyncio

#: Longest that several pieces are put together.
LONGEST_S = 0.25
#: Below this lateness nothing changes: timers are never quite on time.
UNNOTICED_S = 0.005
#: An iteration of the loop that takes so long is worth waiting for so many times.
STRETCH = 4.0
#: What one measurement counts, beside all before.
_WEIGHT = 0.1


class Load:
    def __init__(self) -> None:
        self._late_s = 0.0

    def note(self, late_s: float) -> None:
        """Take that a timer fired so much too late; a process that stood still is soon forgiven."""
        self._late_s += (min(late_s, LONGEST_S) - self._late_s) * _WEIGHT

    @property
    def pause_s(self) -> float:
        """How long to collect before the next step; 0.0 while there is time."""
        if self._late_s < UNNOTICED_S:
            return 0.0
        return min(LONGEST_S, self._late_s * STRETCH)

    async def rest(self) -> None:
        """Wait for ``pause_s``, and measure."""
        pause_s = self.pause_s
        if pause_s:
            loop = asyncio.get_running_loop()
            due = loop.time() + pause_s
            await asyncio.sleep(pause_s)
            self.note(loop.time() - due)


#: Of this process.
load = Load()
