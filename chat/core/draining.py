"""Graceful stop of a worker: refuse new work, wait for running work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from chat.core.runtime import Part


class Drain:
    """Drain state of one worker and the number of its running jobs.

    ``is_begun``: whether the worker is stopping and takes no new work.
    """

    def __init__(self, *, is_begun: bool = False) -> None:
        self.is_begun = is_begun
        self._busy = 0
        self._idle: asyncio.Event | None = None

    def begin(self) -> None:
        """Refuse new work from now on. Cannot be undone."""
        self.is_begun = True

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count as running work while inside."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            if not self._busy and self._idle is not None:
                self._idle.set()

    async def wait_idle(self, timeout_s: float) -> bool:
        """Wait until no work runs, for ``timeout_s`` at most. Return False on timeout."""
        if self._busy:
            self._idle = asyncio.Event()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._idle.wait()
            except TimeoutError:
                return False
        return True


#: The drain state of this worker.
DRAIN: Part[Drain] = Part("drain", Drain)
