"""Workers that share a Redis, as far as their stores go."""

from __future__ import annotations

import asyncio
from typing import cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat.conversations import cookie
from chat.conversations.store.failover.advisers import LATE_MS
from chat.conversations.store.failover.store import FailoverStore
from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.redis.scripts import PipelineExecutor, scripts
from chat.conversations.store.redis.store import RedisStore
from tests.stores import Fault, FaultyStore


class Worker:
    """The store of one worker, with its own connections.

    It looks for Redis often, and does not wait before it takes up orphans. ``late_ms``: see
    ``FailoverStore``. ``faults``: of its Redis, see ``FaultyStore``.
    """

    def __init__(self, url: str, *, late_ms: int = LATE_MS, **faults: Fault) -> None:
        retry = Retry(NoBackoff(), 1, (redis.ConnectionError,))
        self.client = redis.Redis.from_url(
            url, socket_timeout=1, socket_connect_timeout=1, retry=retry
        )
        self.link = PipelineExecutor(lambda: self.client, scripts())
        self.redis = RedisStore(self.link, 86_400)
        self.faulty = FaultyStore(self.redis, **faults)
        self.store = FailoverStore(
            cast("RedisStore", self.faulty) if faults else self.redis,
            MemoryStore(86_400),
            probe_s=0.02,
            settle_s=0.0,
            late_ms=late_ms,
        )

    def close(self) -> None:
        self.link.close()
        self.client.close()


async def back(store: FailoverStore) -> None:
    """Wait until Redis serves again and has all."""
    async with asyncio.timeout(10):
        while store.backend == "memory" or store._memory.records():
            await asyncio.sleep(0.01)


def made_meanwhile(store: FailoverStore) -> str:
    """Return a browser's id that this worker made since Redis went."""
    assert store.backend == "memory"
    store.note_made(session_id := cookie.new_session_id())
    return session_id
