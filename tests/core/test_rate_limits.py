from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import redis
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage

from chat.core import rate_limits
from chat.core.errors import RateLimited
from chat.core.rate_limits import COUNTER, MemoryCounter, RedisCounter
from chat.core.threads import THREADS
from devtools.redis_server import RedisServer

TWO = RateLimitItemPerMinute(2, namespace="api")


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


#: For tests of what Redis counts: a machine under load is no Redis that is away.
PATIENT_S = 30.0


def counter_on(
    url: str,
    clock: Clock | None = None,
    wait_s: float = rate_limits.LONGEST_WAIT_S,
    threads: Executor | None = None,
) -> RedisCounter:
    timeout_s = 2 * wait_s
    pool = redis.ConnectionPool.from_url(
        url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
    )

    def connect() -> RedisStorage:
        return RedisStorage("redis://", connection_pool=pool, key_prefix=rate_limits.KEY_PREFIX)

    return RedisCounter(connect, clock or Clock(), wait_s, threads=threads)


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
    one, other = (counter_on(flushed_redis, wait_s=PATIENT_S) for _ in range(2))

    waits = [await counter.retry_after_s(TWO, "key:1") for counter in (one, other, one, other)]

    assert [wait == 0 for wait in waits] == [True, True, False, False]
    assert all(1 <= wait <= 60 for wait in waits[2:])


async def test_asking_whether_one_would_pass_counts_nothing(flushed_redis):
    for counter in (MemoryCounter(), counter_on(flushed_redis, wait_s=PATIENT_S)):
        asked = [await counter.retry_after_s(TWO, "zoe", count=False) for _ in range(5)]
        for _ in range(2):
            await counter.retry_after_s(TWO, "zoe")

        assert asked == [0] * 5
        assert 1 <= await counter.retry_after_s(TWO, "zoe", count=False) <= 60


async def test_what_stands_in_redis_dies_and_is_no_session(flushed_redis):
    await counter_on(flushed_redis, wait_s=PATIENT_S).retry_after_s(
        TWO, rate_limits.hashed("203.0.113.7")
    )

    with redis.Redis.from_url(flushed_redis, decode_responses=True) as client:
        [key] = client.keys()
        assert 0 < client.ttl(key) <= 60
    assert key.startswith("chat:rate:api/")
    assert "203.0.113.7" not in key


def full(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)


def remember_all(server: RedisServer) -> None:
    """Have it forget nothing that it acknowledged when it is killed."""
    with redis.Redis.from_url(server.url) as client:
        client.config_set("appendfsync", "always")


def read_only(server: RedisServer) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.execute_command("REPLICAOF", "127.0.0.1", "1")


@pytest.mark.parametrize("strike", [RedisServer.kill, RedisServer.freeze, full, read_only])
async def test_a_worker_counts_alone_while_redis_does_not(own_redis, strike):
    counter = counter_on(own_redis.url)
    await counter.retry_after_s(TWO, "key:1")
    strike(own_redis)

    together = await asyncio.gather(*(counter.retry_after_s(TWO, "key:1") for _ in range(40)))
    later = await counter.retry_after_s(TWO, "key:1")
    other = await counter.retry_after_s(TWO, "key:2")
    own_redis.thaw() if strike is RedisServer.freeze else None

    assert together.count(0) == 2
    assert all(1 <= wait <= 60 for wait in (*together, later) if wait)
    assert (later > 0, other) == (True, 0)


async def test_all_workers_count_together_again_once_redis_is_back(own_redis, caplog):
    clock = Clock()
    remember_all(own_redis)
    counter = counter_on(own_redis.url, clock, PATIENT_S)
    for _ in range(2):
        await counter.retry_after_s(TWO, "key:1")
    own_redis.kill()

    assert [await counter.retry_after_s(TWO, "key:2") > 0 for _ in range(3)] == [False, False, True]

    own_redis.start()
    assert await counter.retry_after_s(TWO, "key:2")  # not asked again so soon
    clock.now_s = rate_limits.AWAY_S
    assert await counter.retry_after_s(TWO, "key:1", count=False)  # as counted before
    assert [record.levelname for record in caplog.records] == ["WARNING"]


class CountingThreads(ThreadPoolExecutor):
    """``asked``: how many calls came."""

    asked = 0

    def submit(self, *call: Any, **options: Any) -> Future[Any]:
        self.asked += 1
        return super().submit(*call, **options)


async def test_a_frozen_redis_is_waited_for_once(own_redis):
    threads = CountingThreads(4)
    counter = counter_on(own_redis.url, threads=threads)
    await counter.retry_after_s(TWO, "key:1")
    own_redis.freeze()
    await asyncio.gather(*(counter.retry_after_s(TWO, f"key:{n}") for n in range(40)))

    assert await counter.retry_after_s(TWO, "key:41") == 0

    assert threads.asked == 41
    own_redis.thaw()


async def test_hits_leave_the_window_one_by_one():
    clock = Clock()
    counter = MemoryCounter(clock=clock)
    waits = []
    for clock.now_s in (0, 20, 30, 59, 61, 62):
        waits.append(await counter.retry_after_s(TWO, "zoe"))

    assert waits == [0, 0, 30, 1, 0, 18]


async def test_a_crowd_pushes_out_only_who_has_stopped():
    counter = MemoryCounter(max_keys=100, max_hits=150)
    for _ in range(2):
        await counter.retry_after_s(TWO, "zoe")
        await counter.retry_after_s(TWO, "stopped")

    for n in range(1000):
        await counter.retry_after_s(TWO, f"visitor {n}")
        assert await counter.retry_after_s(TWO, "zoe") > 0

    assert len(counter._hits) == 100
    assert counter._total_hits == sum(map(len, counter._hits.values())) <= 150
    assert await counter.retry_after_s(TWO, "stopped") == 0


async def test_many_hits_of_few_keys_are_bounded_too():
    counter = MemoryCounter(max_keys=100, max_hits=150)
    hundred = RateLimitItemPerMinute(100, namespace="api")
    for _ in range(100):
        for name in ("one", "two", "three"):
            await counter.retry_after_s(hundred, name)

    assert sum(map(len, counter._hits.values())) <= 150


async def test_calls_that_had_queued_up_behind_a_failure_do_not_try():
    tried: list[str] = []
    hanging = threading.Event()

    def connect() -> RedisStorage:
        tried.append(threading.current_thread().name)
        hanging.wait(5)
        raise redis.ConnectionError

    counter = RedisCounter(connect, Clock(), 0.05)
    waits = await asyncio.gather(*(counter.retry_after_s(TWO, "key:1") for _ in range(40)))
    hanging.set()
    THREADS.get().pool("limits").shutdown()

    assert waits.count(0) == TWO.amount
    assert 0 < len(tried) == len(set(tried)) <= 4  # once in each thread


async def test_failures_are_logged_once_a_minute(caplog):
    clock = Clock()

    def connect() -> RedisStorage:
        raise redis.ConnectionError

    counter = RedisCounter(connect, clock)
    for clock.now_s in (0, 10, 20, 59, 61, 70):
        await counter.retry_after_s(TWO, "key:1")

    assert len(caplog.records) == 2


@pytest.mark.parametrize(
    "check, variable",
    [
        (rate_limits.check_api, "api_rate_per_minute"),
        (rate_limits.check_visitor, "chat_rate_per_minute"),
        (rate_limits.check_address, "chat_rate_per_address_per_minute"),
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


async def test_no_limit_counts_nothing(settings, replace_parts):
    settings.ENV = replace(settings.ENV, api_rate_per_minute=0)
    replace_parts(COUNTER.refusing())

    await rate_limits.check_api("camille")


async def test_one_ipv6_line_is_one_address_and_an_unknown_one_is_not_counted(settings):
    settings.ENV = replace(settings.ENV, chat_rate_per_address_per_minute=1)

    await rate_limits.check_address("2001:db8:0:1::1")
    await rate_limits.check_address("2001:db8:0:2::1")
    with pytest.raises(RateLimited):
        await rate_limits.check_address("2001:db8:0:1:ffff::2")
    await rate_limits.check_address("")
    await rate_limits.check_address("")


def test_pages_of_one_session_come_back_with_time_and_others_are_not_touched():
    now = [0.0]
    counter = rate_limits.PageCounter(clock=lambda: now[0])

    waits = [counter.wait_s("camille", "") for _ in range(rate_limits.PAGES_AT_ONCE + 1)]
    other = counter.wait_s("karim", "")
    now[0] += 1
    after = [counter.wait_s("camille", "") for _ in range(rate_limits.PAGES_PER_S + 1)]

    assert waits == [0] * rate_limits.PAGES_AT_ONCE + [1]
    assert other == 0
    assert after == [0] * rate_limits.PAGES_PER_S + [1]


def test_sessions_whose_pages_are_counted_are_bounded():
    counter = rate_limits.PageCounter(max_keys=2)
    for _ in range(rate_limits.PAGES_AT_ONCE):
        counter.wait_s("first", "")
    for name in ("second", "third"):
        counter.wait_s(name, "")

    assert counter.wait_s("first", "") == 0
    assert len(counter._left) == 2


@pytest.mark.parametrize("cost, wait_s", [(5, 0), (6, 50), (25, 50), (26, 60), (31, 60)])
async def test_what_counts_as_many_waits_until_there_is_room_for_all_of_it(cost, wait_s):
    clock = Clock()
    counter = MemoryCounter(clock=clock)
    item = RateLimitItemPerMinute(30)
    await counter.retry_after_s(item, "key", cost=20)
    clock.now_s += 10
    await counter.retry_after_s(item, "key", cost=5)

    assert await counter.retry_after_s(item, "key", cost=cost) == wait_s
    if wait_s:  # what was refused took nothing
        assert await counter.retry_after_s(item, "key", cost=5) == 0
