from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from channels.db import database_sync_to_async
from django.test import AsyncRequestFactory
from prometheus_client.parser import text_string_to_metric_families

from chat.assistant.llm import LLM_CLIENT
from chat.conversations.store.protocol import STORE
from chat.shop.photos.processor import PHOTO_PROCESSOR
from chat.shop.photos.reencoding import ProcessedPhoto
from chat.shop.photos.services import keep
from chat.web import health
from chat.web.health import HEALTH_CHECKS, HealthChecks
from devtools.redis_server import RedisServer
from tests import database
from tests.backends import use_redis
from tests.builders import ask
from tests.program import Program

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


async def test_a_process_that_lives_says_so_and_asks_nobody(replace_parts):
    replace_parts(STORE.refusing(), HEALTH_CHECKS.refusing())

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
            "background": "ok",
            "failing_tasks": [],
        },
    )


@DATABASE
async def test_ready_says_degraded_while_memory_serves(own_redis):
    await ask(STORE.get())
    own_redis.kill()

    first, second = await Program().get("/readyz"), await Program().get("/readyz")

    for response in (first, second):
        assert (response.status_code, response.json()["status"]) == (200, "degraded")
        assert response.json()["redis"] == "memory"


@DATABASE
async def test_ready_names_a_database_that_hangs(replace_parts):
    replace_parts(HEALTH_CHECKS.to(HealthChecks(longest_s=0.05)))
    with database.hanging("SELECT 1") as hangs:
        response = await Program().get("/readyz")
        assert await asyncio.to_thread(hangs.wait, database.LONGEST_S)

    assert response.status_code == 200  # the chat goes on without it
    assert (response.json()["status"], response.json()["database"]) == ("degraded", "failing")


@DATABASE
async def test_ready_names_a_model_whose_circuit_is_open(settings):
    settings.ENV = replace(settings.ENV, circuit_failures=1)
    LLM_CLIENT.get().circuit.admit().failed()

    response = await Program().get("/readyz")

    assert response.status_code == 200  # the desk, tickets and catalogue work
    assert (response.json()["status"], response.json()["model"]) == ("degraded", "failing")


async def test_metrics_count_the_sessions(backend):
    await ask(STORE.get())

    measured = values(await Program().get("/metrics"))

    assert measured["chat_sessions_active"] == 1
    assert {"chat_turn_seconds_count", "chat_sockets_open"} <= set(measured)


@pytest.mark.django_db(transaction=True)
async def test_metrics_tell_what_photos_take_and_what_is_left(settings, tmp_path):
    settings.ENV = replace(settings.ENV, media_dir=str(tmp_path))
    PHOTO_PROCESSOR.get().quota.forget()
    await database_sync_to_async(keep)("c" * 16, "1" * 64, ProcessedPhoto(4, 3, b"full", b"small"))

    measured = values(await Program().get("/metrics"))

    assert measured["chat_photos_used_bytes"] == len(b"fullsmall")
    assert measured["chat_photos_quota_bytes"] == 10_000 * 1_000_000
    assert measured["chat_disk_free_bytes"] > 0


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
