"""A polite stop of this process: no new work, wait for what runs. Imports nothing of ``chat``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

_draining = False
_busy = 0
_idle: asyncio.Event | None = None


def is_draining() -> bool:
    """Whether this process is stopping and takes no new work."""
    return _draining


def begin() -> None:
    """Refuse new work from now on; there is no way back."""
    global _draining
    _draining = True


@contextmanager
def busy() -> Iterator[None]:
    """Count as running work while inside."""
    global _busy
    _busy += 1
    try:
        yield
    finally:
        _busy -= 1
        if not _busy and _idle is not None:
            _idle.set()


async def wait_idle(timeout_s: float) -> bool:
    """Wait until no work runs, ``timeout_s`` at most. Return whether none does."""
    global _idle
    if _busy:
        _idle = asyncio.Event()
        try:
            async with asyncio.timeout(timeout_s):
                await _idle.wait()
        except TimeoutError:
            return False
    return True
