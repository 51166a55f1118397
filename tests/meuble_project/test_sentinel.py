"""The master dies: Redis Sentinel names another, and everything finds it without a restart."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import pytest
import redis
from django.core.cache import caches
from django.utils.module_loading import import_string
from django_redis import get_redis_connection
from django_redis.pool import ConnectionFactory
from limits import RateLimitItemPerMinute

from chat.conversations.realtime.events import MessageDone, encode_event
from chat.conversations.realtime.pubsub import PubSub
from chat.conversations.store.failover.store import FailoverStore
from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import ANY_OWNER
from chat.conversations.store.redis.store import RedisStore
from chat.core import rate_limits
from chat.core.threads import THREADS
from chat.management.open_redis_store import open_redis_store
from chat.ops.doctor.findings import Finding, Level
from chat.ops.doctor.sentinel_state import NAME, check_sentinels
from meuble_project import backends
from tests.builders import JEAN, answer, ask, question
from tests.fakes import Listener
from tests.management.conftest import manage
from tests.sentinel import Cluster

#: Two timeouts of one second, and room for a busy machine.
WAIT_AT_MOST_S = 2.5
#: Sentinel's own times, and room for a busy machine.
FAILOVER_S = 40

T = TypeVar("T")


@pytest.fixture
def hanging() -> Iterator[str]:
    """A sentinel that takes connections and never answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(100)
        yield f"127.0.0.1:{silent.getsockname()[1]}"


@pytest.fixture
def cluster(
    tmp_path: Path, redis_url: str, hanging: str, settings: Any, request: pytest.FixtureRequest
) -> Iterator[Cluster]:
    """What our settings say is this cluster; ``redis_url`` skips where there is no Redis.

    The first sentinel in the list hangs.
    """
    cluster = Cluster(tmp_path, "LaBoutique")
    sentinels = (hanging, cluster.sentinel.address)
    try:
        cluster.start()
        sentinels = (hanging, cluster.sentinel.address)
        settings.ENV = replace(settings.ENV, redis_url=cluster.url, redis_sentinels=sentinels)
        settings.CACHES = {
            "default": backends.cache_for(cluster.url, sentinels),
            "logins": backends.login_cache_for(cluster.url, sentinels),
        }
        settings.CHANNEL_LAYERS = {"default": backends.channel_layer_for(cluster.url, sentinels)}
        yield cluster
    finally:
        pool = ConnectionFactory._pools.pop(cluster.url, None)
        if pool is not None:
            pool.disconnect()
        cluster.stop()


def lose(cluster: Cluster, fault: str) -> None:
    cluster.copied()
    getattr(cluster.master, fault)()


async def soon(awaitable: Awaitable[T]) -> T:
    return await asyncio.wait_for(awaitable, WAIT_AT_MOST_S)


def serving_port() -> int:
    """Where django-redis's default connection leads now.

    Raises:
        redis.RedisError: nowhere.
    """
    started = time.monotonic()
    try:
        return int(get_redis_connection("default").config_get("port")["port"])
    finally:
        assert time.monotonic() - started < WAIT_AT_MOST_S


def wait_for_the_other(cluster: Cluster) -> None:
    until = time.monotonic() + FAILOVER_S
    while time.monotonic() < until:
        try:
            if serving_port() == cluster.replica.port:
                return
        except redis.RedisError:
            pass
        time.sleep(0.05)
    raise TimeoutError


# Conversations


@pytest.fixture
def store(cluster: Cluster) -> Iterator[FailoverStore]:
    of_redis = RedisStore.of_django(86_400)
    yield FailoverStore(of_redis, MemoryStore(86_400), probe_s=0.02, settle_s=0.0)
    of_redis._link.close()


async def on_redis(store: FailoverStore) -> None:
    async with asyncio.timeout(FAILOVER_S):
        while store.backend == "memory" or store._memory.records():
            await asyncio.sleep(0.01)


async def messages(store: FailoverStore | RedisStore, session_id: str) -> list[str]:
    return [m.id for m in (await soon(store.load(session_id, ANY_OWNER))).messages]


@pytest.mark.parametrize("fault", ["kill", "freeze"])
async def test_conversations_are_found_on_the_next_master(cluster, store, fault):
    for id_ in (JEAN, "untouched"):
        await ask(store, session_id=id_)
        await answer(store, session_id=id_)
    lose(cluster, fault)

    await soon(ask(store, "Pendant la panne", "q2"))
    meanwhile = store.backend
    await soon(answer(store, "q2"))
    await on_redis(store)
    await soon(ask(store, "Après la panne", "q3"))
    await soon(answer(store, "q3"))

    assert meanwhile == "memory"
    assert store.backend == "redis"
    assert serving_port() == cluster.replica.port
    # Without what this worker remembers: read from the server that was the replica.
    with open_redis_store() as redis_store:
        assert await messages(redis_store, "untouched") == ["q1", "answer-to-q1"]
        assert await messages(redis_store, JEAN) == [
            id_ for n in (1, 2, 3) for id_ in (f"q{n}", f"answer-to-q{n}")
        ]


async def test_old_master_that_comes_back_takes_nothing(cluster, store):
    await ask(store)
    lose(cluster, "freeze")
    await soon(ask(store, "Pendant la panne", "q2"))
    await on_redis(store)
    cluster.master.thaw()

    await soon(ask(store, "Après la panne", "q3"))
    async with asyncio.timeout(FAILOVER_S):
        with cluster.client_of(cluster.master) as client:
            while client.info("replication")["role"] != "slave":
                await asyncio.sleep(0.05)
    await soon(ask(store, "Et puis", "q4"))

    assert serving_port() == cluster.replica.port
    with open_redis_store() as redis_store:
        assert await messages(redis_store, JEAN) == ["q1", "q2", "q3", "q4"]


# Events between workers


@pytest.fixture
async def layers(cluster: Cluster, settings: Any) -> AsyncIterator[list[Any]]:
    """Ends of the layer of two workers."""
    config = settings.CHANNEL_LAYERS["default"]
    layers = [import_string(config["BACKEND"])(**config["CONFIG"]) for _ in range(2)]
    yield layers
    for layer in layers:
        (shard,) = layer._get_layer()._shards
        await shard._redis.connection_pool.sentinel_manager.aclose()  # ``flush`` forgets these
        await layer.flush()


async def until(is_so: Callable[[], bool], doing: Callable[[], Awaitable[Any]]) -> None:
    """Do it again and again, which never takes long."""
    async with asyncio.timeout(FAILOVER_S):
        while not is_so():
            await asyncio.wait_for(doing(), 2 * WAIT_AT_MOST_S)
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("fault", ["kill", "freeze"])
async def test_events_reach_other_workers_through_the_next_master(cluster, layers, fault):
    one, other = (PubSub(layer) for layer in layers)
    viewer = Listener()
    event = MessageDone(question("Après", "q2"))

    async def publish() -> None:
        for each in (one, other):  # as every worker does, again and again
            await each.heartbeat()
        await one.publish_remote(JEAN, event)

    async with other.subscribe(JEAN, viewer):
        await one.publish_remote(JEAN, MessageDone(question()))
        await viewer.until("message.done")
        lose(cluster, fault)

        await until(lambda: viewer.heard[-1] == encode_event(event), publish)
    for each in (one, other):
        await each.close()

    with cluster.client_of(cluster.replica) as client:
        assert client.info("replication")["role"] == "master"
        assert client.pubsub_channels("chat__group__*")


# Logins, rates, the doctor


@pytest.mark.django_db(transaction=True)
def test_logins_and_caches_go_on(cluster, settings):
    make = import_module(settings.SESSION_ENGINE).SessionStore
    session = make()
    session["adviser"] = "Claire"
    session.save()
    caches["default"].set("key", "value", timeout=60)
    lose(cluster, "kill")

    started = time.monotonic()
    during = make(session.session_key)["adviser"]
    waited_s = time.monotonic() - started
    wait_for_the_other(cluster)

    assert during == "Claire"
    assert waited_s < 2 * WAIT_AT_MOST_S  # it is looked up, then written back
    assert caches["default"].get("key") == "value"
    with cluster.client_of(cluster.replica) as client:
        assert client.exists(session.cache_key) == 1
    assert make(session.session_key)["adviser"] == "Claire"


async def test_rates_are_counted_on_the_next_master(cluster):
    counter = rate_limits.RedisCounter(rate_limits._storage_of_django, away_s=0.0)
    two = RateLimitItemPerMinute(2)
    assert await soon(counter.retry_after_s(two, "camille")) == 0
    lose(cluster, "kill")
    refused: list[int] = []

    async def count() -> None:
        refused.append(await counter.retry_after_s(two, "camille"))

    await until(lambda: bool(refused and refused[-1]), count)
    THREADS.get().pool("limits").shutdown()

    with cluster.client_of(cluster.replica) as client:
        assert len(client.keys("chat:rate:*")) == 1


def test_nothing_is_read_from_the_replica(cluster):
    caches["default"].set("key", "value", timeout=60)
    assert [caches["default"].get("key") for _ in range(20)] == ["value"] * 20

    with cluster.client_of(cluster.replica) as client:
        assert "cmdstat_get" not in client.info("commandstats")
    with cluster.client_of(cluster.master) as client:
        assert client.info("commandstats")["cmdstat_get"]["calls"] >= 20


def look(cluster: Cluster, *sentinels: str) -> Finding:
    [finding] = check_sentinels(cluster.url, sentinels, 2)
    return finding


def test_doctor_asks_the_sentinels(cluster, hanging, settings):
    only = cluster.sentinel.address
    found = {
        "nobody": look(cluster, hanging),
        "one too few": look(cluster, only, hanging),
        "enough": look(cluster, only, only, only),
        "no such name": check_sentinels("redis://laboutique/0", [only], 2)[0],
    }
    assert {why: finding.level for why, finding in found.items()} == {
        "nobody": Level.WRONG,
        "one too few": Level.WARNING,
        "enough": Level.WARNING,
        "no such name": Level.WRONG,
    }
    assert hanging in found["one too few"].what
    assert {finding.name for finding in found.values()} == {NAME}
    assert check_sentinels("redis://h:6379", [], 2) == []


def test_doctor_finds_everything_through_the_sentinels(cluster, hanging):
    sentinels = f"{hanging},{cluster.sentinel.address}"
    done = manage("doctor", "--json", REDIS_URL=cluster.url, REDIS_SENTINELS=sentinels)

    levels = {one["name"]: one["level"] for one in json.loads(done.stdout)["checks"]}
    names = ("Redis : persistance", NAME, "Couche de messages", "Horloge : Redis")
    assert [levels[name] for name in names] == ["ok", "warning", "ok", "ok"]


def test_doctor_finds_that_nobody_would_take_over(cluster):
    cluster.replica.kill()
    until_s = time.monotonic() + FAILOVER_S
    while look(cluster, cluster.sentinel.address).level is not Level.WRONG:
        assert time.monotonic() < until_s
        time.sleep(0.05)

    assert "aucun réplica" in look(cluster, cluster.sentinel.address).what
