from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chat.core.threads import SIZES, ThreadPools


@pytest.fixture
def pools():
    pools = ThreadPools()
    yield pools
    pools.close()


@pytest.mark.parametrize("name", SIZES)
def test_pool_runs_no_more_at_once_than_its_size(pools, name):
    before, freed = set(threading.enumerate()), threading.Event()
    for _ in range(SIZES[name] + 2):
        pools.pool(name).submit(freed.wait, 10)
    began = set(threading.enumerate()) - before
    freed.set()
    assert {thread.name for thread in began} == {f"{name}_{n}" for n in range(SIZES[name])}


def test_threads_that_ask_at_once_get_the_same_pool(pools):
    together = threading.Barrier(20)

    def ask(_):
        together.wait(10)
        return pools.pool("rendering")

    with ThreadPoolExecutor(20) as askers:
        assert len(set(askers.map(ask, range(20)))) == 1


def test_pool_without_a_size_is_refused(pools):
    with pytest.raises(KeyError):
        pools.pool("anything")


def test_closing_begins_nothing_more_and_waits_for_nothing(pools):
    pool, freed, runs = pools.pool("rendering"), threading.Event(), threading.Event()
    running = pool.submit(lambda: (runs.set(), freed.wait(10)))
    assert runs.wait(10)
    waiting = pool.submit(print)
    pools.close()
    assert not running.done()
    assert waiting.cancelled()
    freed.set()
    assert running.result(10)
    with pytest.raises(RuntimeError):
        pool.submit(print)
