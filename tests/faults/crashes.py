"""The points at which a worker that dies leaves most behind."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import count
from typing import Any

from chat.conversations.store.redis.store import RedisStore


@dataclass(frozen=True, slots=True)
class Crash:
    """Right after the ``nth`` call of a method of ``owner``, or before it."""

    owner: Any
    method: str
    nth: int
    before: bool = False


CRASHES = {
    "received, not stored": Crash(RedisStore, "accept", 4, before=True),
    "stored, not acknowledged": Crash(RedisStore, "accept", 5),
    "taken, not begun": Crash(RedisStore, "claim", 6),
    "draft kept": Crash(RedisStore, "write", 9),
    "written, not stored": Crash(RedisStore, "finish", 4, before=True),
    "stored, not announced": Crash(RedisStore, "finish", 4),
    "erased, not announced": Crash(RedisStore, "erase", 1),
}


def crash_at(crash: Crash) -> None:
    """Have this process die there, as ``kill -9`` would have it."""
    method = getattr(crash.owner, crash.method)
    calls = count(1)

    async def dying(*args: Any, **kwargs: Any) -> Any:
        is_last = next(calls) == crash.nth
        if is_last and crash.before:
            os._exit(137)
        result = await method(*args, **kwargs)
        if is_last:
            os._exit(137)
        return result

    setattr(crash.owner, crash.method, dying)
