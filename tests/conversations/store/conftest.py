from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import LEASE_TIMES, LeaseTimes, Store
from chat.conversations.store.redis.scripts import PipelineExecutor, scripts
from chat.conversations.store.redis.store import RedisStore
from devtools.redis_server import RedisServer
from tests.conversations.store.workers import Worker
from tests.installed import find_program


@pytest.fixture(params=["memory", "redis"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store(backend: str, request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store of either kind. ``@pytest.mark.ttl_s(1)`` shortens lives, and
    ``@pytest.mark.lease_times(lease_s=0.05)`` the rights to answer.
    """
    marker = request.node.get_closest_marker("ttl_s")
    ttl_s = marker.args[0] if marker else 86_400
    marker = request.node.get_closest_marker("lease_times")
    times = LeaseTimes(**marker.kwargs) if marker else LEASE_TIMES
    if backend == "memory":
        yield MemoryStore(ttl_s, times=times)
        return
    client = redis.Redis.from_url(request.getfixturevalue("flushed_redis"))
    link = PipelineExecutor(lambda: client, scripts())
    yield RedisStore(link, ttl_s, times=times)
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
    find_program("redis-server", "redis-server")
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def workers(server: RedisServer) -> Iterator[Callable[..., Worker]]:
    """Makes workers of this server. What it is called with, ``Worker`` gets."""
    made: list[Worker] = []

    def make(**options: Any) -> Worker:
        worker = Worker(server.url, **options)
        made.append(worker)
        return worker

    yield make
    for worker in made:
        worker.close()
