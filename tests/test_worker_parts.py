"""The parts of a worker as it really builds them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable

import pytest
from limits import RateLimitItemPerMinute

from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.rendering import in_thread
from chat.conversations.store.failover.store import FailoverStore
from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import STORE
from chat.core.rate_limits import COUNTER, PAGE_COUNTER, MemoryCounter, RedisCounter
from chat.web.access.authenticator import afind_key
from chat.web.health import HEALTH_CHECKS
from tests.backends import use_redis
from tests.fakes import Listener
from tests.runtime import restarted_worker, started_worker


async def test_worker_that_is_closed_leaves_no_thread(settings, flushed_redis):
    use_redis(settings, flushed_redis)
    before = set(threading.enumerate())
    with started_worker():
        assert await STORE.get().count() == 0
        await COUNTER.get().retry_after_s(RateLimitItemPerMinute(1), "camille")
        began = set(threading.enumerate()) - before
    assert {thread.name.split("_")[0] for thread in began} == {"redis", "limits"}
    await assert_end(began)


@pytest.mark.django_db(transaction=True)
async def test_worker_that_is_closed_ends_its_thread_pools():
    before = set(threading.enumerate())
    with started_worker():
        await in_thread(str)
        assert await afind_key("nobody") is None
        assert await HEALTH_CHECKS.get().database_state() == "ok"
        began = set(threading.enumerate()) - before
    assert {thread.name.split("_")[0] for thread in began} == {"access", "readyz", "rendering"}
    await assert_end(began)


async def assert_end(threads: Iterable[threading.Thread]) -> None:
    """A pool that is shut down wakes its threads, which then end."""
    for thread in threads:
        await asyncio.to_thread(thread.join, 10)
    assert not any(thread.is_alive() for thread in threads)


def listening_tasks() -> set[str]:
    """Names of running tasks of the pubsub; Channels' own layer has others."""
    return {task.get_name() for task in asyncio.all_tasks()} & {"pubsub", "erasures"}


async def test_worker_that_is_closed_leaves_no_task_that_listens(settings, flushed_redis):
    use_redis(settings, flushed_redis)
    with started_worker() as worker:
        async with PUBSUB.get().subscribe("camille", Listener()):
            await PUBSUB.get().publish_erased("camille")
            assert listening_tasks() == {"pubsub", "erasures"}
        await worker.aclose()
        assert listening_tasks() == set()


@pytest.mark.parametrize("address, kinds", [("memory://", (MemoryStore, MemoryCounter)), ("", ())])
def test_worker_reads_its_settings_when_a_part_is_first_used(settings, redis_url, address, kinds):
    kinds = kinds or (FailoverStore, RedisCounter)
    use_redis(settings, address or redis_url)
    assert (type(STORE.get()), type(COUNTER.get())) == kinds


def test_settings_that_change_later_hold_for_the_next_worker(settings, redis_url):
    use_redis(settings, "memory://")
    store, pages = STORE.get(), PAGE_COUNTER.get()
    use_redis(settings, redis_url)
    assert STORE.get() is store
    with restarted_worker():
        assert isinstance(STORE.get(), FailoverStore)
        assert PAGE_COUNTER.get() is not pages
    assert STORE.get() is store
