from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import setup_databases, teardown_databases

from chat.core import runtime
from chat.core.runtime import Runtime
from devtools.redis_server import RedisServer
from tests import no_network
from tests.installed import find_program
from tests.runtime import restarted_worker, started_worker

# The same cases on every machine, however slow it is.
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True)
hypothesis.settings.load_profile("steady")


#: A stalled machine can fail a test that waits for a browser or for a killed worker: it is run once
#: more, and the rerun is reported. A real fault fails twice. Other tests are never run again.
RUN_AGAIN = {"journeys", "faults"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes run the tests: a file's stay together, and browsers, which take
    all processors, run in one process, from the beginning.
    """
    items.sort(key=lambda item: "journeys" not in item.path.parts)
    for item in items:
        group = "browser" if "journeys" in item.path.parts else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
        if RUN_AGAIN.intersection(item.path.parts):
            item.add_marker(pytest.mark.flaky(reruns=1))
        if item.get_closest_marker("flaky") is not None:
            _limit_each_run(item)


def _limit_each_run(item: pytest.Item) -> None:
    """Have the time limit begin anew when a test is run once more; otherwise pytest-timeout has one
    timer for all runs, and the run after a timeout could hang for ever.
    """
    marker = item.get_closest_marker("timeout")
    limit_s = marker.args[0] if marker is not None else float(item.config.getini("timeout"))
    item.add_marker(pytest.mark.timeout(limit_s, func_only=True), append=False)


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
def worker_runtime() -> Iterator[Runtime]:
    """Each test is a worker that was just started. Nothing is built before it is used."""
    with started_worker() as fresh:
        yield fresh


@pytest.fixture
def restart_worker() -> Iterator[Callable[[], object]]:
    """Have the worker start anew, when called: see ``restarted_worker``."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(restarted_worker())


@pytest.fixture
def replace_parts() -> Iterator[Callable[..., None]]:
    """Replace parts until the end of the test: ``replace_parts(STORE.to(store))``."""
    with ExitStack() as stack:
        yield lambda *parts: stack.enter_context(runtime.override(*parts))


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(scope="session")
def migrated(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A database with all tables, to be copied by tests that start processes: migrating in a
    process takes 3 s of a processor.
    """
    path = tmp_path_factory.mktemp("migrated") / "db.sqlite3"
    with django_db_blocker.unblock(), _tests_database(), closing(sqlite3.connect(path)) as copy:
        connection.ensure_connection()
        connection.connection.backup(copy)
    return path


@contextmanager
def _tests_database() -> Iterator[None]:
    """Have the tests' database: pytest-django makes none where no test of a run asks for it."""
    names = connection.settings_dict
    if names["NAME"] == names["TEST"]["NAME"]:
        yield
        return
    made = setup_databases(
        verbosity=0, interactive=False, aliases=dict.fromkeys([connection.alias])
    )
    try:
        yield
    finally:
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for the whole run. Who kills or freezes it starts a ``RedisServer`` instead."""
    find_program("redis-server", "redis-server")
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
