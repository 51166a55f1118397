from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import hypothesis
import pytest
from django.core.cache import cache

from tests import no_network
from tests.redis_server import RedisServer

# The same cases on every machine, however slow it is.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.load_profile("steady")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes run the tests: a file's stay together, and browsers, which take
    all processors, run in one process, from the beginning.
    """
    items.sort(key=lambda item: "journeys" not in item.path.parts)
    for item in items:
        group = "browser" if "journeys" in item.path.parts else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    with no_network.guard():
        yield


@pytest.fixture(autouse=True)
def _nothing_refused() -> Iterator[None]:
    """Fail also when the exception was lost in a thread or a task."""
    no_network.refused.clear()
    yield
    assert no_network.refused == []


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for the whole run. Who kills or freezes it starts a ``RedisServer`` instead."""
    if shutil.which("redis-server") is None:
        reason = "redis-server is not installed: `make test` says how"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def redis_url(redis_server: RedisServer) -> str:
    return redis_server.url


@pytest.fixture
def flushed_redis(redis_server: RedisServer) -> str:
    """The address of the run's Redis, empty."""
    redis_server.flush()
    return redis_server.url
