"""Workers that share a Redis, as far as their stores go."""

from __future__ import annotations

import asyncio

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat.sessions import cookie
from chat.sessions.memory_store import MemoryStore
from chat.sessions.redis_link import RedisLink
from chat.sessions.redis_store import RedisStore, scripts
from chat.sessions.switch import SwitchStore


class Worker:
    """The store of one worker, with its own connections."""

    def __init__(self, url: str) -> None:
        retry = Retry(NoBackoff(), 1, (redis.ConnectionError,))
        self.client = redis.Redis.from_url(
            url, socket_timeout=1, socket_connect_timeout=1, retry=retry
        )
        self.link = RedisLink(lambda: self.client, scripts())
        self.redis = RedisStore(self.link, 86_400)
        self.store = SwitchStore(self.redis, MemoryStore(86_400))

    def close(self) -> None:
        self.link.close()
        self.client.close()


async def back(store: SwitchStore) -> None:
    """Wait until Redis serves again and has all."""
    async with asyncio.timeout(10):
        while store.backend == "memory" or store._memory.records():
            await asyncio.sleep(0.01)


def made_meanwhile(store: SwitchStore) -> str:
    """Return a browser's id made since Redis went; ids tell the millisecond only."""
    assert store._away_since is not None
    while cookie.made_at(session_id := cookie.new_session_id()) < store._away_since:
        pass
    return session_id
