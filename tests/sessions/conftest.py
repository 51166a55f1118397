from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from chat.sessions import switch
from chat.sessions.memory_store import MemoryStore
from chat.sessions.redis_link import RedisLink
from chat.sessions.redis_store import RedisStore, scripts
from chat.sessions.store import Store
from tests.redis_server import RedisServer
from tests.sessions.workers import Worker


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


@pytest.fixture
def client(flushed_redis: str) -> Iterator[redis.Redis]:
    """To look at what the store wrote, as text."""
    client = redis.Redis.from_url(flushed_redis, decode_responses=True)
    yield client
    client.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, to be killed or frozen."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def workers(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Worker]]:
    """Makes workers that look for Redis often and do not wait before taking up orphans."""
    monkeypatch.setattr(switch, "PROBE_S", 0.02)
    monkeypatch.setattr(switch, "SETTLE_S", 0.0)
    made: list[Worker] = []

    def make() -> Worker:
        worker = Worker(server.url)
        made.append(worker)
        return worker

    yield make
    for worker in made:
        worker.close()
