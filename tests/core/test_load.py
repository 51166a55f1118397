from __future__ import annotations

import asyncio

import pytest

from chat.core.load import LONGEST_S, STRETCH, UNNOTICED_S, LoadMonitor
from tests.fakes import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def load(clock: Clock) -> LoadMonitor:
    return LoadMonitor(clock)


@pytest.fixture
async def never() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


def note(
    load: LoadMonitor, clock: Clock, late_s: float, *, times: int, every_s: float = 0.01
) -> None:
    for _ in range(times):
        clock.now_s += every_s
        load.note(late_s)


async def test_who_has_time_rests_not_at_all(load, clock, never):
    note(load, clock, 0.004, times=1000)

    steps = []
    asyncio.get_running_loop().call_soon(steps.append, "another")
    await load.throttle(never)

    assert (load.pause_s, steps) == (0.0, [])


async def test_lateness_makes_pauses_longer_up_to_a_bound_and_back(load, clock):
    note(load, clock, 0.01, times=1000)
    assert load.pause_s == pytest.approx((0.01 - UNNOTICED_S) * STRETCH)
    note(load, clock, 5.0, times=1000)
    assert load.pause_s == LONGEST_S
    note(load, clock, 0.0, times=1000)
    assert load.pause_s == 0.0


async def test_one_late_timer_is_no_load(load, clock):
    note(load, clock, 3.0, times=1, every_s=60)

    assert load.pause_s == 0.0


async def test_it_is_time_that_counts_not_how_many_timers_there_were(clock):
    few = LoadMonitor(clock)
    note(few, clock, 0.012, times=20, every_s=0.02)
    many = LoadMonitor(clock)
    note(many, clock, 0.012, times=400, every_s=0.001)

    assert 0.0 < few.pause_s < LONGEST_S
    assert many.pause_s == pytest.approx(few.pause_s, rel=0.1)


async def test_load_is_forgotten_by_who_was_quiet_for_a_while(load, clock):
    note(load, clock, 0.2, times=1000)
    note(load, clock, 0.0, times=1, every_s=2)

    assert load.pause_s == 0.0


async def test_load_of_long_ago_is_none(load, clock):
    note(load, clock, 0.2, times=1000)
    assert load.pause_s == LONGEST_S
    clock.now_s += 3

    assert load.pause_s == 0.0


async def test_rest_measures_how_late_it_ends(load, clock, never):
    note(load, clock, UNNOTICED_S + 0.001, times=1000)
    before_s = load.pause_s

    for _ in range(50):  # timers of a busy machine are late themselves, but not all of them
        clock.now_s += 0.1
        await load.throttle(never)
        if load.pause_s < before_s:
            return

    pytest.fail(f"no timer in 50 was on time, or none was measured: {load.pause_s} s")


async def test_nobody_rests_once_all_is_here(load, clock, never):
    note(load, clock, 0.2, times=1000)
    resting = asyncio.create_task(load.throttle(never))
    await asyncio.sleep(0)
    assert not resting.done()

    never.set_result(None)
    for _ in range(3):
        await asyncio.sleep(0)

    assert resting.done()
    await load.throttle(never)
    assert load.pause_s == LONGEST_S  # what was cut short measures nothing
