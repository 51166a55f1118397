from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.test import AsyncRequestFactory
from prometheus_client.parser import text_string_to_metric_families

from chat.sessions.store import default_store
from chat.views import health
from tests.backends import use_redis
from tests.builders import ask
from tests.program import Program
from tests.redis_server import RedisServer

DATABASE = pytest.mark.django_db(transaction=True)


@pytest.fixture
def own_redis(tmp_path, settings) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    use_redis(settings, server.url)
    yield server
    server.stop()


def values(response):
    families = text_string_to_metric_families(response.content.decode())
    return {sample.name: sample.value for family in families for sample in family.samples}


async def test_a_process_that_lives_says_so_and_asks_nobody(monkeypatch):
    monkeypatch.setattr(health, "default_store", None)  # would fail if it were asked

    response = await Program().get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@DATABASE
async def test_ready_says_what_serves(backend):
    response = await Program().get("/readyz")

    assert (response.status_code, response.json()) == (
        200,
        {
            "status": "ok",
            "redis": "ok" if backend == "redis" else "memory",
            "database": "ok",
            "model": "ok",
        },
    )


@DATABASE
async def test_ready_says_degraded_while_memory_serves(own_redis):
    await ask(default_store())
    own_redis.kill()

    first, second = await Program().get("/readyz"), await Program().get("/readyz")

    for response in (first, second):
        assert (response.status_code, response.json()["status"]) == (200, "degraded")
        assert response.json()["redis"] == "memory"


async def test_ready_names_a_database_that_hangs(monkeypatch):
    monkeypatch.setattr(health, "LONGEST_CHECK_S", 0.05)
    hung = asyncio.Event()
    monkeypatch.setattr(health, "_ask_database_async", hung.wait)

    response = await Program().get("/readyz")

    assert response.status_code == 503
    assert (response.json()["status"], response.json()["database"]) == ("failing", "failing")


@DATABASE
async def test_ready_names_a_model_whose_circuit_is_open(monkeypatch):
    monkeypatch.setattr(health, "model_state", lambda: "failing")

    response = await Program().get("/readyz")

    assert response.status_code == 503
    assert (response.json()["status"], response.json()["model"]) == ("failing", "failing")


async def test_metrics_count_the_sessions(backend):
    await ask(default_store())

    measured = values(await Program().get("/metrics"))

    assert measured["chat_sessions_active"] == 1
    assert {"chat_turn_seconds_count", "chat_sockets_open"} <= set(measured)


@pytest.mark.parametrize(
    "peer, forwarded, proxies, status",
    [
        ("127.0.0.1", "", 0, 200),
        ("::1", "", 0, 200),
        ("10.1.2.3", "", 0, 200),
        ("203.0.113.7", "", 0, 403),
        ("8.8.8.8", "", 0, 403),
        ("", "", 0, 403),
        ("127.0.0.1", "127.0.0.1", 0, 403),  # through a proxy that nobody trusts
        ("127.0.0.1", "8.8.8.8", 1, 403),
        ("127.0.0.1", "127.0.0.1, 8.8.8.8", 1, 403),
        ("127.0.0.1", "8.8.8.8, 10.0.0.9", 1, 200),
        ("10.0.0.2", "", 1, 200),
    ],
)
async def test_metrics_are_for_the_private_network(settings, peer, forwarded, proxies, status):
    settings.ENV = replace(settings.ENV, trusted_proxies=proxies)
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}

    request = AsyncRequestFactory().get("/metrics", headers=headers)
    request.META["REMOTE_ADDR"] = peer

    response = await health.Metrics.as_view()(request)

    assert response.status_code == status
