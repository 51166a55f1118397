from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
import redis
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage

from chat import limits
from chat.errors import RateLimited
from chat.limits import MemoryCounter, RedisCounter
from tests.redis_server import RedisServer

TWO = RateLimitItemPerMinute(2, namespace="api")


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def counter_on(url: str, clock: Clock | None = None) -> RedisCounter:
    pool = redis.ConnectionPool.from_url(url, socket_timeout=1, socket_connect_timeout=1)

    def connect() -> RedisStorage:
        return RedisStorage("redis://", connection_pool=pool, key_prefix=limits.KEY_PREFIX)

    return RedisCounter(connect, clock or Clock())


@pytest.fixture
def _fresh_counter() -> Iterator[None]:
    forget = limits.default_counter.cache_clear
    forget()
    yield
    forget()


@pytest.fixture
def own_redis(tmp_path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()


async def test_memory_counter_lets_as_many_pass_as_it_says():
    counter = MemoryCounter()

    waits = [await counter.retry_after_s(TWO, "camille") for _ in range(3)]

    assert waits[:2] == [0, 0]
    assert 1 <= waits[2] <= 60
    assert await counter.retry_after_s(TWO, "zoe") == 0


async def test_workers_count_together(flushed_redis):
    one, other = counter_on(flushed_redis), counter_on(flushed_redis)

    waits = [await counter.retry_after_s(TWO, "key:1") for counter in (one, other, one, other)]

    assert [wait == 0 for wait in waits] == [True, True, False, False]
    assert all(1 <= wait <= 60 for wait in waits[2:])


async def test_asking_whether_one_would_pass_counts_nothing(flushed_redis):
    for counter in (MemoryCounter(), counter_on(flushed_redis)):
        asked = [await counter.retry_after_s(TWO, "zoe", count=False) for _ in range(5)]
        for _ in range(2):
            await counter.retry_after_s(TWO, "zoe")

        assert asked == [0] * 5
        assert 1 <= await counter.retry_after_s(TWO, "zoe", count=False) <= 60


async def test_what_stands_in_redis_dies_and_is_no_session(flushed_redis):
    await counter_on(flushed_redis).retry_after_s(TWO, limits.hashed("203.0.113.7"))

    with redis.Redis.from_url(flushed_redis, decode_responses=True) as client:
        [key] = client.keys()
        assert 0 < client.ttl(key) <= 60
    assert key.startswith("chat:rate:api/")
    assert "203.0.113.7" not in key


async def test_everybody_passes_when_redis_is_killed_and_is_counted_again_after(own_redis, caplog):
    clock = Clock()
    counter = counter_on(own_redis.url, clock)
    for _ in range(2):
        await counter.retry_after_s(TWO, "key:1")
    own_redis.kill()

    assert [await counter.retry_after_s(TWO, "key:1") for _ in range(3)] == [0, 0, 0]

    own_redis.start()
    assert await counter.retry_after_s(TWO, "key:1") == 0  # not asked again so soon
    async with asyncio.timeout(20):
        clock.now_s = limits.AWAY_S
        while not await counter.retry_after_s(TWO, "key:1"):  # a slow start is an absence, too
            clock.now_s += limits.AWAY_S
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_a_frozen_redis_costs_one_short_wait_for_all(own_redis):
    counter = counter_on(own_redis.url)
    await counter.retry_after_s(TWO, "key:1")
    own_redis.freeze()
    loop = asyncio.get_running_loop()
    started = loop.time()

    waits = await asyncio.gather(*(counter.retry_after_s(TWO, "key:1") for _ in range(40)))
    first_s = loop.time() - started
    assert await counter.retry_after_s(TWO, "key:1") == 0
    later_s = loop.time() - started - first_s

    assert waits == [0] * 40
    assert first_s < 0.9
    assert later_s < 0.1
    own_redis.thaw()


async def test_calls_that_had_queued_up_behind_a_failure_do_not_try(monkeypatch):
    monkeypatch.setattr(limits, "LONGEST_WAIT_S", 0.05)
    tried: list[str] = []
    hanging = threading.Event()

    def connect() -> RedisStorage:
        tried.append(threading.current_thread().name)
        hanging.wait(5)
        raise redis.ConnectionError

    counter = RedisCounter(connect, Clock())
    waits = await asyncio.gather(*(counter.retry_after_s(TWO, "key:1") for _ in range(40)))
    hanging.set()
    counter.close()

    assert waits == [0] * 40
    assert 0 < len(tried) == len(set(tried)) <= 4  # once in each thread


async def test_failures_are_logged_once_a_minute(caplog):
    clock = Clock()

    def connect() -> RedisStorage:
        raise redis.ConnectionError

    counter = RedisCounter(connect, clock)
    for clock.now_s in (0, 10, 20, 59, 61, 70):
        assert await counter.retry_after_s(TWO, "key:1") == 0

    assert len(caplog.records) == 2


@pytest.mark.usefixtures("_fresh_counter")
@pytest.mark.parametrize(
    "check, variable",
    [
        (limits.check_api, "api_rate_per_minute"),
        (limits.check_visitor, "chat_rate_per_minute"),
        (limits.check_address, "chat_rate_per_address_per_minute"),
    ],
)
async def test_each_door_has_its_own_limit(settings, check, variable):
    none = replace(
        settings.ENV,
        api_rate_per_minute=0,
        chat_rate_per_minute=0,
        chat_rate_per_address_per_minute=0,
    )
    settings.ENV = replace(none, **{variable: 1})

    await check("camille")
    await check("zoe")
    with pytest.raises(RateLimited) as refused:
        await check("camille")
    settings.ENV = none
    await check("camille")

    assert refused.value.retry_after_s >= 1


@pytest.mark.usefixtures("_fresh_counter")
async def test_no_limit_counts_nothing(settings, monkeypatch):
    settings.ENV = replace(settings.ENV, api_rate_per_minute=0)
    monkeypatch.setattr(limits, "default_counter", None)  # would fail if it were asked

    await limits.check_api("camille")


@pytest.mark.usefixtures("_fresh_counter")
async def test_one_ipv6_line_is_one_address_and_an_unknown_one_is_not_counted(settings):
    settings.ENV = replace(settings.ENV, chat_rate_per_address_per_minute=1)

    await limits.check_address("2001:db8:0:1::1")
    await limits.check_address("2001:db8:0:2::1")
    with pytest.raises(RateLimited):
        await limits.check_address("2001:db8:0:1:ffff::2")
    await limits.check_address("")
    await limits.check_address("")
