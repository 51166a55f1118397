"""A question that stops its workers takes no other with it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from chat.conversations.store.protocol import MAX_ATTEMPTS
from chat.conversations.types import End
from chat.core.ids import new_id
from chat.core.load import yield_to_loop
from chat.turns.orphans import ALONE_S, Again, choose
from chat.turns.turn import Orphans, take_turn
from tests.builders import question
from tests.conversations.store.test_attempts import freeze
from tests.fakes import FakeLLM

NOW = 1000.0
LAST = MAX_ATTEMPTS - 1


def ids(prefix: str, count: int, attempts: int) -> dict[str, int]:
    return {f"{prefix}{n}": attempts for n in range(count)}


def test_after_a_first_death_half_are_left_to_the_others_for_one_look():
    left = ids("a", 6, 1)

    at_first = choose(left, (), (), NOW)

    assert len(set(at_first)) == 3
    assert set(choose(left, left, (), NOW)) == set(left)


def test_the_half_is_drawn_at_random():
    draws = {tuple(sorted(choose(ids("a", 6, 1), (), (), NOW))) for _ in range(200)}

    assert len(draws) > 1


def test_hundreds_of_questions_of_one_dead_worker_take_two_looks():
    left = ids("a", 200, 1)
    rest = dict.fromkeys(left.keys() - set(choose(left, (), (), NOW)), 1)

    assert len(rest) == 100
    assert set(choose(rest, left, (), NOW)) == set(rest)


def test_what_nobody_began_or_nobody_may_begin_is_taken_up_at_once():
    left = {**ids("new", 9, 0), **ids("over", 9, MAX_ATTEMPTS)}

    assert set(choose(left, (), (), NOW)) == set(left)


def test_one_question_at_a_time_is_begun_for_the_last_time():
    assert len(choose(ids("a", 9, LAST), ids("a", 9, LAST), (), NOW)) == 1
    assert not set(choose({**ids("a", 9, LAST), "b": 1}, (), (), NOW)) & set(ids("a", 9, LAST))


@pytest.mark.parametrize("attempt", [2, MAX_ATTEMPTS])
def test_a_last_attempt_waits_for_what_began_again_here(attempt):
    left = ids("a", 9, LAST)

    assert choose(left, left, [Again(NOW - 60, attempt)], NOW) == []
    assert len(choose(left, left, [], NOW)) == 1


def test_nothing_joins_a_last_attempt_but_what_only_needs_an_end():
    left = {**ids("a", 3, 1), **ids("b", 3, LAST), **ids("new", 3, 0), "over": MAX_ATTEMPTS}
    alone = Again(NOW - 1, MAX_ATTEMPTS)

    assert choose(left, left, [alone], NOW) == ["over"]
    assert set(choose(left, left, [Again(NOW - ALONE_S - 1, MAX_ATTEMPTS)], NOW)) > {"a0", "new0"}


@dataclass
class Worker:
    """``busy``: what runs here, by session."""

    busy: dict[str, Again] = field(default_factory=dict)
    seen: Mapping[str, int] = field(default_factory=dict)


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("run", range(20))
def test_innocent_questions_survive_whatever_their_workers_were_killed_by(workers, run):
    """Workers die a moment after they take the poison; the rest take an answer's time each."""
    left = {"poison": 1, **ids("innocent", 5, 1)}
    answered: set[str] = set()
    team = [Worker() for _ in range(workers)]
    for second in range(200):
        for worker in team:
            for id_ in [i for i, a in worker.busy.items() if second - a.at >= 7]:
                del worker.busy[id_]
                answered.add(id_)
            taken = choose(left, worker.seen, worker.busy.values(), float(second))
            worker.seen = dict(left)
            for id_ in taken:
                attempt = left.pop(id_) + 1
                if attempt <= MAX_ATTEMPTS:
                    worker.busy[id_] = Again(float(second), attempt)
            if "poison" in worker.busy:
                left |= {id_: a.attempt for id_, a in worker.busy.items()}
                worker.busy.clear()

    assert answered == set(ids("innocent", 5, 1))


async def begun_before(store, times: int) -> str:
    """Return a session whose question so many workers began and left by dying."""
    session_id = new_id()
    await store.accept(session_id, "api", question(), create="always")
    for _ in range(times):
        assert (await store.claim(session_id, ["q1"], "a1")).lease is not None
        await freeze(store, session_id)
    return session_id


async def test_questions_at_their_last_attempt_are_answered_one_after_the_other(store, model):
    llm = model(FakeLLM(hangs=True))
    sessions = [await begun_before(store, LAST) for _ in range(3)]
    orphans = Orphans()

    for _ in range(3):
        await orphans.take_up()
        async with asyncio.timeout(5):
            await llm.spoke.wait()

    left = await store.orphans()
    assert len(llm.asked) == 1
    assert len(left) == 2
    assert left.keys() < set(sessions)


async def test_a_worker_that_waits_for_its_question_does_not_begin_it_for_the_last_time(
    store, model
):
    """The sweep decides that, which sees what else was begun again here."""
    llm = model(FakeLLM())
    session_id = await begun_before(store, LAST)
    turn = await take_turn(session_id, owner="api", message_id="q1", text=question().text)
    await yield_to_loop(50)
    assert llm.asked == []

    await Orphans().take_up()

    assert (await turn.ended()).outcome.end is End.DONE
