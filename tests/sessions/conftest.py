from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from chat.sessions.memory_store import MemoryStore
from chat.sessions.redis_link import RedisLink
from chat.sessions.redis_store import RedisStore, scripts
from chat.sessions.store import Store


@pytest.fixture(params=["memory", "redis"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(backend: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store of either kind. ``@pytest.mark.ttl_s(1)`` shortens lives."""
    marker = request.node.get_closest_marker("ttl_s")
    ttl_s = marker.args[0] if marker else 86_400
    if backend == "memory":
        yield MemoryStore(ttl_s)
        return
    client = redis.Redis.from_url(request.getfixturevalue("flushed_redis"))
    link = RedisLink(lambda: client, scripts())
    yield RedisStore(link, ttl_s)
    link.close()
    client.close()
