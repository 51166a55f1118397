"""Doorbells on other Redis servers than the conversations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from chat.assistant.llm import LLM_CLIENT
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.redis.store import RedisStore
from chat.turns.turn import take_turn
from devtools.redis_server import RedisServer
from meuble_project import backends
from tests.builders import JEAN, answer_to, done, leased, question
from tests.conversations.handover.conftest import Worker
from tests.fakes import FakeLLM, Listener
from tests.management.conftest import manage


@pytest.fixture
def servers(tmp_path: Path, redis_url: str) -> Iterator[list[RedisServer]]:
    """For the layer alone; ``redis_url`` skips where there is no Redis."""
    made = [RedisServer(tmp_path / name) for name in ("one", "other")]
    try:
        for server in made:
            server.folder.mkdir()
            server.start()
        yield made
    finally:
        for server in made:
            server.kill()


@pytest.fixture
def layer_urls(servers: list[RedisServer]) -> tuple[str, ...]:
    return tuple(server.url for server in servers)


def use(settings: Any, url: str, layer_urls: tuple[str, ...]) -> None:
    settings.ENV = replace(settings.ENV, redis_url=url, channel_layer_urls=layer_urls)
    settings.CACHES = {**settings.CACHES, "default": backends.cache_for(url)}
    layer = backends.channel_layer_for(url, layer_urls=layer_urls)
    settings.CHANNEL_LAYERS = {"default": layer}


@pytest.fixture
def elsewhere(settings: Any, flushed_redis: str, layer_urls: tuple[str, ...]) -> Iterator[Worker]:
    """A second worker; both have just started with these settings."""
    use(settings, flushed_redis, layer_urls)
    worker = Worker()
    yield worker
    worker.stop()


def published(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        stats = client.info("commandstats")
    return int(stats.get("cmdstat_publish", {"calls": 0})["calls"])


async def test_viewers_of_other_workers_hear_every_conversation(
    elsewhere, replace_parts, flushed_redis, layer_urls
):
    replace_parts(LLM_CLIENT.to(FakeLLM(pieces=("Bonjour", " Camille"))))
    on_store = published(flushed_redis)
    for n in range(8):  # names of groups decide the server
        session_id, there = f"{JEAN}-{n}", Listener()
        async with elsewhere.subscribed(session_id, there):
            turn = await take_turn(session_id, owner="api", message_id="q1", text="Bonjour")
            end = await turn.ended()
            await elsewhere.do(there.until("message.done", times=2))

        said = [json.loads(e.json)["message"] for e in there.heard if e.type == "message.done"]
        assert [message["id"] for message in said] == ["q1", end.answer.id]
        assert said[1]["text"] == "Bonjour Camille"

    assert min(published(url) for url in layer_urls) > 0
    assert published(flushed_redis) == on_store


async def listened(store: RedisStore) -> list[int | None]:
    """What the store says of viewers when a question comes, is answered, and ends."""
    accepted = await store.accept(JEAN, "api", question(), create="always")
    lease = await leased(store)
    written = await store.write(lease, 0, "Bonjour Jean")
    finished = await store.finish(lease, done(lease), answer_to(lease))
    return [accepted.listening, written.listening, finished.listening]


@pytest.mark.parametrize("apart, known", [(True, None), (False, 1)])
async def test_store_tells_only_what_its_own_redis_knows(
    settings, flushed_redis, layer_urls, apart, known
):
    use(settings, flushed_redis, layer_urls if apart else ())
    store = RedisStore.of_django(86_400)
    async with PUBSUB.get().subscribe(JEAN, Listener()):
        assert await listened(store) == [known] * 3
    store._link.close()


def test_doctor_sends_a_message_through_each_server(servers, redis_url, layer_urls):
    with redis.Redis.from_url(layer_urls[0]) as client:
        client.config_set("requirepass", "not-to-be-seen")
    servers[1].kill()
    urls = [url.replace("//", "//:not-to-be-seen@") for url in layer_urls]
    done = manage(
        *("doctor", "--json", "--no-model"),
        REDIS_URL=redis_url,
        CHANNEL_LAYER_URLS=",".join(urls),
    )

    levels = {one["name"]: one["level"] for one in json.loads(done.stdout)["checks"]}
    shown = [url.replace("//", "//***@") for url in layer_urls]
    assert [levels[f"Couche de messages : {url}"] for url in shown] == ["ok", "wrong"]
    assert "not-to-be-seen" not in done.stdout + done.stderr
