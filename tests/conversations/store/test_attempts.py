"""One stored deadline and a bounded number of attempts for a question, over all workers."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import (
    LEASE_S,
    MAX_ATTEMPTS,
    GivenUp,
    Lease,
    LeaseLost,
    Store,
)
from chat.conversations.types import Author, End, Outcome
from tests.builders import JEAN, answer_to, ask, done, leased, question
from tests.conversations.store.cast import take_over

TOO_OFTEN = Outcome(end=End.FAILED, code="assistant_unavailable")
TOO_LATE = Outcome(end=End.FAILED, code="assistant_timeout")


async def freeze(store: Any, session_id: str = JEAN) -> None:
    """Have the lease of whoever answers run out now, as that of a worker that stands still."""
    if isinstance(store, MemoryStore):
        turn = store._records[session_id].turn
        assert turn is not None
        turn.until = 1.0
        return
    key = f"chat:state:{session_id}"
    await store._link.run("HSET", key, "lease_until", 1)
    await store._link.run("ZADD", "chat:turns", 1, session_id)


async def left_s(lease: Lease) -> float:
    return lease.deadline - asyncio.get_running_loop().time()


async def ask_within(store: Store, seconds: float, id_: str = "q1") -> Lease | None:
    message = question("Bonjour", id_)
    accepted = await store.accept(
        JEAN, "api", message, create="always", answer_id="a", answer_within_s=seconds
    )
    return accepted.lease


async def use_up(store: Store) -> None:
    """Have workers stand still over the first question until nobody may try any more."""
    while (await store.claim(JEAN, ["q1"], "a1")).lease is not None:
        await freeze(store)


async def test_question_is_begun_three_times_and_then_ends_as_failed(store):
    await ask(store)
    attempts = []
    for _ in range(MAX_ATTEMPTS):
        lease = (await store.claim(JEAN, ["q1"], "a1")).lease
        attempts.append(lease.attempt)
        await freeze(store)

    claim = await store.claim(JEAN, [], "a2")

    assert attempts == [1, 2, 3]
    assert claim.lease is None
    assert claim.given_up == (GivenUp(question_id="q1", outcome=TOO_OFTEN, attempts=3),)
    assert await store.outcome(JEAN, "q1") == TOO_OFTEN
    session = await store.load(JEAN, "api")
    assert (session.waiting, session.failed) == ((), {"q1": "assistant_unavailable"})
    assert await store.orphans() == {}
    with pytest.raises(LeaseLost):
        await store.finish(lease, done(lease), answer_to(lease))


async def test_question_is_told_to_be_given_up_once_and_its_owner_hears_how_it_ended(store):
    await ask(store)
    await use_up(store)

    claim = await store.claim(JEAN, ["q1"], "a3")

    assert (claim.given_up, claim.ended) == ((), {"q1": TOO_OFTEN})


async def test_orphans_tell_how_often_their_question_was_begun(store):
    told = []
    await ask(store)
    for _ in range(MAX_ATTEMPTS):
        await store.claim(JEAN, ["q1"], "a1")
        await freeze(store)
        told.append(await store.orphans())

    assert told == [{JEAN: 1}, {JEAN: 2}, {JEAN: 3}]


async def test_orphan_past_its_deadline_counts_as_never_begun(store):
    await ask_within(store, 0)
    await freeze(store)

    assert await store.orphans() == {JEAN: 0}


async def test_question_is_begun_for_the_last_time_only_where_that_is_asked_for(store):
    await ask(store)
    attempts = []
    for _ in range(MAX_ATTEMPTS):
        lease = (await store.claim(JEAN, ["q1"], "a1", last_try=False)).lease
        attempts.append(lease and lease.attempt)
        await freeze(store)

    claim = await store.claim(JEAN, [], "a2", last_try=True)

    assert attempts == [1, 2, None]
    assert (claim.lease.attempt, claim.given_up) == (MAX_ATTEMPTS, ())


async def test_grant_at_acceptance_is_an_attempt_too(store):
    lease = await ask_within(store, 30)
    await freeze(store)

    again = (await store.claim(JEAN, [], "b")).lease

    assert (lease.attempt, again.attempt, again.again) == (1, 2, True)


async def test_who_takes_a_question_up_gets_what_is_left_of_its_time(store):
    first = await ask_within(store, 300)
    await freeze(store)
    again = (await store.claim(JEAN, [], "b")).lease
    other = await store.accept(JEAN, "api", question(), create="always", answer_within_s=9999)

    assert await left_s(first) == pytest.approx(300, abs=5)
    assert again.deadline == pytest.approx(first.deadline, abs=1)
    assert other.left_s == pytest.approx(300, abs=5)


async def test_lease_counts_from_before_the_reply_however_late_a_worker_reads_it(store):
    loop = asyncio.get_running_loop()
    claiming = asyncio.create_task(ask_within(store, 300))
    await asyncio.sleep(0)  # it is sent
    sent_at = loop.time()
    time.sleep(0.2)  # noqa: ASYNC251 - the worker stands still
    lease = await claiming
    await freeze(store)
    claiming_again = asyncio.create_task(store.claim(JEAN, [], "b"))
    await asyncio.sleep(0)
    sent_again_at = loop.time()
    time.sleep(0.2)  # noqa: ASYNC251 - the same
    again = (await claiming_again).lease

    assert lease.granted_at <= sent_at
    assert lease.deadline <= sent_at + 300
    assert again.granted_at <= sent_again_at


async def test_question_past_its_deadline_ends_as_failed_by_whoever_asks(store):
    await ask_within(store, 0)
    await freeze(store)

    orphans = list(await store.orphans())
    claim = await store.claim(JEAN, [], "b")

    assert orphans == [JEAN]
    assert claim.given_up == (GivenUp(question_id="q1", outcome=TOO_LATE, attempts=1),)
    assert (claim.lease, await store.outcome(JEAN, "q1")) == (None, TOO_LATE)


async def test_question_that_was_never_begun_ends_at_its_deadline_though_its_worker_may_wait(store):
    await store.accept(JEAN, "api", question(), create="always", answer_within_s=0)

    claim = await store.claim(JEAN, [], "b")  # within its worker's time of grace

    assert claim.given_up == (GivenUp(question_id="q1", outcome=TOO_LATE, attempts=0),)


async def test_answer_under_way_at_the_deadline_is_its_writers_to_end(store):
    lease = await ask_within(store, 0)

    claim = await store.claim(JEAN, [], "b")
    await store.finish(lease, done(lease), answer_to(lease))

    assert (claim.lease, claim.given_up) == (None, ())
    assert await store.outcome(JEAN, "q1") == done(lease)


async def test_lease_is_not_renewed_for_ever_past_the_deadline(store):
    lease = await ask_within(store, -LEASE_S - 1)

    await store.write(lease, 0, "")
    claim = await store.claim(JEAN, [], "b")

    assert [over.outcome for over in claim.given_up] == [TOO_LATE]
    with pytest.raises(LeaseLost):
        await store.write(lease, 0, "Encore")


async def test_what_was_written_stays_as_an_interrupted_answer(store):
    lease = await ask_within(store, 0)
    await store.write(lease, 0, "Voilà l'ét")
    await freeze(store)

    (over,) = (await store.claim(JEAN, [], "b")).given_up

    kept = Outcome(end=End.INTERRUPTED, answer_id=lease.answer_id, code="assistant_timeout")
    assert over.outcome == kept
    session = await store.load(JEAN, "api")
    *_, last = session.messages
    assert (last.id, last.author, last.text) == (lease.answer_id, Author.ASSISTANT, "Voilà l'ét")
    assert (last.interrupted, last.reply_to) == (True, "q1")
    assert (session.waiting, session.failed, session.draft) == ((), {}, None)


async def test_question_behind_one_that_is_given_up_is_next(store):
    await ask(store)
    await ask(store, "Et moi ?", "q2")
    for _ in range(MAX_ATTEMPTS):
        await leased(store)
        await freeze(store)

    claim = await store.claim(JEAN, ["q2"], "a2")

    assert [over.question_id for over in claim.given_up] == ["q1"]
    assert (claim.lease.question_id, claim.lease.attempt) == ("q2", 1)


async def test_all_that_are_late_are_given_up_at_once(store):
    await ask_within(store, 0)
    await ask_within(store, 0, "q2")
    await freeze(store)

    claim = await store.claim(JEAN, [], "b")

    assert [(over.question_id, over.attempts) for over in claim.given_up] == [("q1", 1), ("q2", 0)]
    assert (await store.load(JEAN, "api")).waiting == ()


@pytest.mark.parametrize("seconds", [0, 30])
async def test_question_asked_again_after_it_failed_has_all_its_time_and_attempts(store, seconds):
    await ask_within(store, seconds)
    await freeze(store)
    await use_up(store)

    lease = await ask_within(store, 300)

    assert (lease.attempt, await left_s(lease)) == (1, pytest.approx(300, abs=5))


async def test_question_sent_again_while_it_waits_gets_no_more_time_and_no_more_attempts(store):
    await ask_within(store, 30)
    await freeze(store)

    await store.accept(JEAN, "api", question(), create="always", answer_within_s=300)
    lease = (await store.claim(JEAN, [], "b")).lease

    assert (lease.attempt, await left_s(lease)) == (2, pytest.approx(30, abs=5))


async def test_polite_hand_over_uses_no_attempt_up_however_often_it_is_said(store):
    for _ in range(MAX_ATTEMPTS + 1):
        await ask(store)
        lease = (await store.claim(JEAN, ["q1"], "a1")).lease
        await store.release(lease)
        await store.release(lease)

    assert (await leased(store)).attempt == 1


async def test_hand_over_that_is_said_twice_gives_one_attempt_back(store):
    await ask(store)
    await leased(store)
    await freeze(store)
    lease = await leased(store)

    for _ in range(2):
        await store.release(lease)

    assert (await leased(store)).attempt == 2


async def test_polite_hand_overs_end_at_the_deadline(store):
    lease = await ask_within(store, 0)
    await store.release(lease)

    claim = await store.claim(JEAN, [], "b")

    assert [over.outcome for over in claim.given_up] == [TOO_LATE]


async def test_nothing_of_a_question_is_counted_once_it_has_ended(store, backend, request):
    async def counted() -> list[str]:
        if backend == "memory":
            return [*store._records[JEAN].budgets]
        client = request.getfixturevalue("client")
        return [name for name in client.hkeys(f"chat:state:{JEAN}") if name.startswith("d:")]

    await ask(store)
    lease = await leased(store)
    await ask(store, "Deux", "q2")
    assert len(await counted()) == 2
    await store.finish(lease, done(lease), answer_to(lease))
    assert len(await counted()) == 1
    await take_over(store)
    assert await counted() == []


async def test_ended_conversation_gives_nothing_up(store):
    await ask_within(store, 0)
    await store.end(JEAN, "api")

    claim = await store.claim(JEAN, ["q1"], "b")

    assert (claim.lease, claim.given_up) == (None, ())
