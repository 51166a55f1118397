from __future__ import annotations

import asyncio
import time

import pytest

from chat.core.errors import Overloaded
from chat.core.load import (
    ANSWER_WEIGHT,
    LEAST_PER_S,
    MAX_AT_ONCE,
    MIN_MEASURED,
    OVERLOAD,
    SETTLED_S,
    TICK_S,
    Overload,
)
from tests.fakes import Clock

DEADLINE_S = 30.0
NORMAL = 500


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
def worker(clock: Clock) -> Overload:
    return Overload(MAX_AT_ONCE, clock)


def run(worker: Overload, clock: Clock, seconds: float, *, late_s: float, per_s: int = 0) -> None:
    """Let time pass, with timers so late and so many questions that come to their end."""
    until = clock.now_s + seconds
    owed = 0.0
    while clock.now_s < until:
        clock.now_s += TICK_S + late_s
        worker.tick(late_s)
        owed += per_s * (TICK_S + late_s)
        for _ in range(min(int(owed), worker.running)):
            worker.end(clock.now_s - 2, is_measure=False)
        owed -= int(owed)


def begin(worker: Overload, count: int) -> None:
    for _ in range(count):
        worker.begin()


def refuses(worker: Overload, ahead: int = 0, deadline_s: float = DEADLINE_S) -> int | None:
    """The seconds after which to come back, None when it takes one more."""
    try:
        worker.check(ahead, deadline_s)
    except Overloaded as error:
        return error.retry_after_s
    return None


def test_idle_worker_refuses_nothing(worker):
    assert refuses(worker) is None


@pytest.mark.parametrize("late_s", [0.0, 0.3, 2.0])
def test_500_at_once_are_taken_however_long_none_ends(worker, clock, late_s):
    begin(worker, NORMAL)
    run(worker, clock, 10, late_s=late_s)

    assert refuses(worker) is None


def test_slow_model_is_no_overload(worker, clock):
    begin(worker, MAX_AT_ONCE)
    run(worker, clock, 60, late_s=0.005)

    assert refuses(worker) is None


def test_many_that_come_at_once_are_taken_before_anything_is_known(worker, clock):
    begin(worker, 3000)
    run(worker, clock, SETTLED_S - 1, late_s=0.5)

    assert refuses(worker) is None


def test_late_worker_takes_what_it_can_answer_in_time_and_no_more(worker, clock):
    for _ in range(150):  # 650 come in a second, 150 are answered
        begin(worker, sum(refuses(worker) is None for _ in range(195)))
        run(worker, clock, TICK_S, late_s=0.2, per_s=150)

    assert refuses(worker) in range(1, 31)
    assert worker.running / 150 < DEADLINE_S
    run(worker, clock, 20, late_s=0.2, per_s=150)
    assert refuses(worker) is None


def test_worker_refuses_nothing_once_its_timers_are_on_time_again(worker, clock):
    begin(worker, 900)
    run(worker, clock, 10, late_s=0.5, per_s=1)
    before = refuses(worker)
    run(worker, clock, 10, late_s=0.0)

    assert before is not None
    assert refuses(worker) is None


def test_more_than_there_are_connections_to_the_model_are_a_queue(worker, clock):
    begin(worker, 2 * MAX_AT_ONCE)
    run(worker, clock, 10, late_s=0.0, per_s=20)

    assert refuses(worker) is not None


def test_few_are_never_too_many(worker, clock):
    begin(worker, int(LEAST_PER_S * DEADLINE_S) - 1)
    run(worker, clock, 60, late_s=1.0)

    assert refuses(worker) is None


def test_questions_behind_too_many_of_their_own_conversation_are_refused(worker, clock):
    for _ in range(MIN_MEASURED):
        worker.end(worker.begin() - 4, is_measure=True)

    assert [refuses(worker, ahead) for ahead in (0, 1, 7, 8)] == [None, None, None, 16]


def test_time_of_answers_is_soon_forgotten_and_not_known_from_a_few(worker, clock):
    for _ in range(MIN_MEASURED - 1):
        worker.end(worker.begin() - 25, is_measure=True)
    few = refuses(worker, 2)
    for _ in range(round(4 / ANSWER_WEIGHT)):
        worker.end(worker.begin() - 1, is_measure=True)

    assert few is None
    assert refuses(worker, 10) is None


async def test_loop_that_stands_still_is_late_while_something_is_under_way():
    overload = OVERLOAD.get()
    idle = overload.late_s
    end = overload.begin()
    time.sleep(0.3)  # noqa: ASYNC251 - what is measured
    held_up = overload.late_s
    end(False)
    async with asyncio.timeout(5):
        while overload.late_s < held_up:
            await asyncio.sleep(0.01)

    assert idle == 0
    assert held_up >= 0.3 - TICK_S - 0.01
