"""Waiting for others: for a store that is away, for what was begun just now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from chat.errors import StoreUnavailable

#: Pause between two calls.
PAUSE_S = 0.4

T = TypeVar("T")


async def persisting(call: Callable[[], Awaitable[T]], may_wait: Callable[[], bool]) -> T:
    """Return what the call does, as soon as the store answers it.

    Raises:
        StoreUnavailable: and ``may_wait`` says that it is too late to try again.
    """
    while True:
        try:
            return await call()
        except StoreUnavailable:
            if not may_wait():
                raise
        await asyncio.sleep(PAUSE_S)


async def steps(count: int) -> None:
    """Let others have so many steps of the event loop."""
    for _ in range(count):
        await asyncio.sleep(0)
