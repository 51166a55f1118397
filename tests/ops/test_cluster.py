"""A real Redis Cluster of one server, which holds all slots."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import CommandError

from chat.conversations.store.protocol import STORE
from chat.core.errors import StoreUnavailable
from chat.ops.cluster import refuse_cluster
from chat.ops.doctor.findings import Level
from chat.ops.doctor.redis_state import check_redis
from devtools.redis_server import RedisServer
from tests.backends import use_redis
from tests.builders import ask
from tests.management.conftest import manage
from tests.program import Program


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path, cluster=True)
    server.start()
    yield server
    server.kill()


def test_worker_does_not_start_on_a_cluster(cluster: RedisServer, database_url: str):
    done = manage("serve", "--port", "0", REDIS_URL=cluster.url, DATABASE_URL=database_url)

    assert done.returncode == 1
    assert "Redis Cluster" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Écoute sur" not in done.stdout


def test_other_servers_and_absent_ones_are_let_pass(redis_url: str):
    for url in (redis_url, "redis://127.0.0.1:1/0", "memory://"):
        refuse_cluster(url)


def test_cluster_that_forbids_nothing_else_is_refused(cluster: RedisServer):
    with pytest.raises(CommandError, match="cluster_enabled"):
        refuse_cluster(cluster.url)


def test_doctor_names_a_cluster(cluster: RedisServer):
    [finding] = check_redis(cluster.url, 86_400, 1.0)

    assert finding.level is Level.WRONG
    assert "Redis Cluster" in finding.what
    assert "REDIS_SENTINELS" in finding.fix


@pytest.mark.django_db(transaction=True)
async def test_cluster_that_comes_later_is_not_used_and_not_ready(settings, cluster, caplog):
    """As where Redis was away when the worker started: it could not be known."""
    use_redis(settings, cluster.url)
    store = STORE.get()

    for turn in range(3):
        with suppress(StoreUnavailable):  # never a bug (500)
            await ask(store, session_id=f"essai-{turn}")
    async with asyncio.timeout(10):
        while (ready := await Program().get("/readyz")).status_code == 200:
            await asyncio.sleep(0.05)

    assert store.backend == "memory"
    assert ready.status_code == 503
    assert ready.json()["redis"] == "cluster"
    assert "Redis Cluster" in caplog.text
    with pytest.raises(StoreUnavailable):
        await store.ping()
