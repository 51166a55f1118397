"""The promises of ``Store``, kept by both of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from chat.conversations.store.protocol import ANY_OWNER, LeaseLost, Store
from chat.conversations.types import Author, Draft, End, Outcome
from chat.core.clock import now
from chat.core.errors import IdConflict, SessionFull, SessionGone, SessionNotFound
from tests.builders import JEAN, answer, answer_to, ask, done, leased, question


async def texts(store: Store, session_id: str = JEAN) -> list[str]:
    return [m.text for m in (await store.load(session_id, ANY_OWNER)).messages]


async def until_gone(store: Store, session_id: str = JEAN) -> SessionGone:
    """Wait for an expiry of a second or so."""
    async with asyncio.timeout(10):
        while True:
            try:
                await store.load(session_id, "api")
            except SessionGone as gone:
                return gone
            await asyncio.sleep(0.02)


async def test_message_is_stored_as_it_was_said(store):
    said = question('Réglé à 20 € 🪑 "vraiment" \\ \n fin')

    accepted = await store.accept(JEAN, "api", said, create="always")
    session = await store.load(JEAN, "api")

    assert (accepted.fresh, accepted.outcome) == (True, None)
    assert [(m.id, m.author, m.text) for m in session.messages] == [
        (said.id, Author.CUSTOMER, said.text)
    ]
    assert session.waiting == ("q1",)
    assert (session.owner, session.adviser, session.draft) == ("api", "", None)


async def test_known_message_is_not_stored_again(store):
    await ask(store)

    accepted = await store.accept(JEAN, "api", question(), create="always")

    assert (accepted.fresh, accepted.outcome) == (False, None)
    assert await texts(store) == ["Bonjour"]
    assert (await store.load(JEAN, "api")).waiting == ("q1",)


async def test_known_message_brings_how_it_ended(store):
    await ask(store)
    await answer(store)

    accepted = await store.accept(JEAN, "api", question(), create="always")

    assert accepted.outcome == Outcome(end=End.DONE, answer_id="answer-to-q1")


async def test_known_id_with_another_text_is_refused(store):
    await ask(store)
    await answer(store)

    for id_, text in [("q1", "Autre chose"), ("answer-to-q1", "Réponse à q1")]:
        with pytest.raises(IdConflict):
            await store.accept(JEAN, "api", question(text, id_), create="always")

    assert await texts(store) == ["Bonjour", "Réponse à q1"]


async def test_failed_question_is_asked_again(store):
    await ask(store)
    lease = await leased(store)
    failed = Outcome(end=End.FAILED, code="assistant_timeout", retry_after_s=3)
    await store.finish(lease, failed, None)
    assert (await store.load(JEAN, "api")).failed == {"q1": "assistant_timeout"}
    assert await store.outcome(JEAN, "q1") == failed

    accepted = await store.accept(JEAN, "api", question(), create="always")
    session = await store.load(JEAN, "api")

    assert (accepted.fresh, accepted.outcome) == (False, None)
    assert (session.failed, session.waiting) == ({}, ("q1",))
    assert await texts(store) == ["Bonjour"]


async def test_session_of_another_owner_is_not_found(store):
    await ask(store)

    with pytest.raises(SessionNotFound):
        await store.load(JEAN, "key:7")
    with pytest.raises(SessionNotFound):
        await store.accept(JEAN, "key:7", question("Moi", "q2"), create="always")
    assert not await store.erase(JEAN, "key:7")
    assert not await store.end(JEAN, "key:7")
    assert await texts(store) == ["Bonjour"]


async def test_unknown_session_is_not_found(store):
    with pytest.raises(SessionNotFound) as caught:
        await store.load("never", "api")
    assert not isinstance(caught.value, SessionGone)
    with pytest.raises(SessionNotFound):
        await store.claim("never", [], "a")
    with pytest.raises(SessionNotFound):
        await store.outcome("never", "q1")


async def test_answer_is_stored_under_the_id_it_was_given(store):
    await ask(store)
    lease = await leased(store)
    await store.finish(lease, done(lease), answer_to(lease))

    session = await store.load(JEAN, "api")

    assert [(m.id, m.text, m.reply_to) for m in session.messages][1:] == [
        ("answer-to-q1", "Bonjour Jean", "q1")
    ]
    assert (session.waiting, session.draft) == ((), None)


async def test_one_answer_at_a_time_in_order_of_arrival(store):
    await ask(store, "Un", "q1")
    await ask(store, "Deux", "q2")

    second = await store.claim(JEAN, ["q2"], "a2")
    lease = await leased(store, "q1")
    while_writing = await store.claim(JEAN, ["q2"], "a2")
    await store.finish(lease, done(lease), answer_to(lease))
    after = await store.claim(JEAN, ["q2", "q1"], "a2")

    assert (second.lease, while_writing.lease) == (None, None)
    assert after.ended == {"q1": done(lease)}
    assert after.lease is not None
    assert after.lease.question_id == "q2"
    assert [m.text for m in after.lease.session.messages] == ["Un", "Deux", "Bonjour Jean"]


async def test_draft_is_kept_while_it_is_written(store):
    await ask(store)
    lease = await leased(store)

    await store.write(lease, 0, "Voilà ")
    await store.write(lease, len("Voilà ".encode()), "l'été")
    await store.write(lease, len("Voilà ".encode()), "l'été")  # the same again: no effect
    session = await store.load(JEAN, "api")

    assert session.draft == Draft(id="answer-to-q1", text="Voilà l'été")
    assert session.waiting == ("q1",)


async def test_stop_reaches_the_writer(store):
    await ask(store)
    assert not await store.stop(JEAN, "api")
    lease = await leased(store)
    assert not (await store.write(lease, 0, "a")).stop

    assert not await store.stop(JEAN, "web")
    assert await store.stop(JEAN, "api")

    assert (await store.write(lease, 1, "b")).stop


@pytest.mark.lease_times(lease_s=0.05)
async def test_turn_of_a_dead_worker_is_taken_up_under_the_same_answer(store):
    await ask(store)
    dead = await leased(store)
    await store.write(dead, 0, "Je comm")
    async with asyncio.timeout(5):
        while (claim := await store.claim(JEAN, [], "another")).lease is None:
            await asyncio.sleep(0.01)

    lease = claim.lease
    assert (lease.question_id, lease.answer_id, lease.again) == ("q1", "answer-to-q1", True)
    assert (await store.load(JEAN, "api")).draft is None
    with pytest.raises(LeaseLost):
        await store.write(dead, 7, "ence")
    with pytest.raises(LeaseLost):
        await store.finish(dead, done(dead), answer_to(dead, "Je commence"))
    await store.finish(lease, done(lease), answer_to(lease, "Voici"))
    assert await texts(store) == ["Bonjour", "Voici"]


async def test_answer_is_stored_by_one_writer_in_its_own_words(store):
    await ask(store)
    late = await leased(store)
    await store.release(late)
    claim = await store.claim(JEAN, [], "another")
    kept = answer_to(claim.lease, "Bonjour Jean")
    await store.finish(claim.lease, done(claim.lease), kept)

    with pytest.raises(LeaseLost):
        await store.finish(late, done(late), answer_to(late, "Bonsoir Jean"))
    await store.finish(claim.lease, done(claim.lease), kept)  # the same again: no effect

    assert [m.text for m in (await store.load(JEAN, "api")).messages] == ["Bonjour", "Bonjour Jean"]


async def test_released_turn_is_taken_up_at_once(store):
    await ask(store)
    lease = await leased(store)
    await store.write(lease, 0, "Je comm")

    await store.release(lease)
    orphans = list(await store.orphans())
    claim = await store.claim(JEAN, [], "another")

    assert orphans == [JEAN]
    assert claim.lease is not None
    assert (claim.lease.answer_id, claim.lease.again) == (lease.answer_id, True)
    with pytest.raises(LeaseLost):
        await store.write(lease, 7, "ence")
    await store.release(lease)
    assert (await store.claim(JEAN, [], "a")).lease is None


async def test_question_that_was_not_begun_is_left_to_its_worker_at_first(store):
    await ask(store)

    assert (await store.claim(JEAN, [], "a")).lease is None
    assert await store.orphans() == {}


@pytest.mark.lease_times(grace_s=0.0)
async def test_question_that_its_worker_never_begins_is_left_to_any(store):
    await ask(store)

    async with asyncio.timeout(5):
        while list(await store.orphans()) != [JEAN]:
            await asyncio.sleep(0.01)

    assert (await store.claim(JEAN, [], "a")).lease is not None


async def test_question_that_waited_too_long_is_abandoned(store):
    await ask(store, "Un", "q1")
    await ask(store, "Deux", "q2")
    lease = await leased(store, "q1")
    busy = Outcome(end=End.FAILED, code="session_busy", retry_after_s=2)

    await store.abandon(JEAN, "q2", busy)
    with pytest.raises(LeaseLost):
        await store.abandon(JEAN, "q1", busy)
    await store.finish(lease, done(lease), answer_to(lease))
    with pytest.raises(LeaseLost):
        await store.abandon(JEAN, "q1", busy)

    session = await store.load(JEAN, "api")
    assert (session.waiting, session.failed) == ((), {"q2": "session_busy"})


async def test_finish_may_be_repeated(store):
    await ask(store)
    lease = await leased(store)
    message = answer_to(lease)

    await store.finish(lease, done(lease), message)
    await store.finish(lease, done(lease), message)

    assert await texts(store) == ["Bonjour", "Bonjour Jean"]


async def test_nothing_is_lost_when_many_write_at_once(store):
    ids = [f"q{n}" for n in range(50)]
    await asyncio.gather(*(ask(store, f"Message {id_}", id_) for id_ in ids))

    session = await store.load(JEAN, "api")

    assert sorted(m.id for m in session.messages) == sorted(ids)
    assert session.waiting == tuple(m.id for m in session.messages)


async def test_conversation_that_is_too_long_takes_no_more_questions(store):
    for n in range(4):
        await ask(store, "é" * 65_000, f"q{n}")

    with pytest.raises(SessionFull):
        await ask(store, "Encore", "q9")

    assert not (await store.accept(JEAN, "api", question("é" * 65_000, "q0"), create="new")).fresh
    assert len(await texts(store)) == 4


async def test_count_follows_sessions(store):
    for n in range(5):
        await ask(store, session_id=f"count-test-{n}")
    assert await store.count() == 5

    await store.erase("count-test-0", "api")
    await store.end("count-test-1", "api")

    assert await store.count() == 3


async def test_erased_session_leaves_nothing_and_nobody_revives_it(store):
    await ask(store)
    lease = await leased(store)
    await store.write(lease, 0, "Je comm")

    assert await store.erase(JEAN, "api")

    with pytest.raises(SessionGone) as caught:
        await store.load(JEAN, "api")
    assert caught.value.reason == "erased"
    with pytest.raises(SessionNotFound):
        await store.load(JEAN, "web")
    with pytest.raises(LeaseLost):
        await store.write(lease, 7, "ence")
    with pytest.raises(LeaseLost):
        await store.finish(lease, done(lease), answer_to(lease))
    with pytest.raises(SessionGone):
        await store.accept(JEAN, "api", question(id_="q2"), create="new")
    assert (await store.count(), await store.orphans()) == (0, {})


async def test_erased_id_may_begin_anew_for_a_program(store):
    await ask(store)
    first = await store.load(JEAN, "api")
    await store.erase(JEAN, "api")

    await ask(store, "Rebonjour", "q2")
    session = await store.load(JEAN, "api")

    assert [m.text for m in session.messages] == ["Rebonjour"]
    assert session.epoch != first.epoch


async def test_ended_session_can_be_read_but_not_written(store):
    await ask(store)
    assert await store.end(JEAN, "api")

    with pytest.raises(SessionGone) as caught:
        await store.accept(JEAN, "api", question(id_="q2"), create="always")

    assert caught.value.reason == "ended"
    session = await store.load(JEAN, "api")
    assert (session.ended, session.waiting) == (True, ())
    assert [m.text for m in session.messages] == ["Bonjour"]


@pytest.mark.ttl_s(1)
async def test_session_expires_after_its_last_change(store):
    await ask(store)

    gone = await until_gone(store)

    assert gone.reason == "expired"
    assert await store.count() == 0
    with pytest.raises(SessionGone):
        await store.accept(JEAN, "api", question(id_="q2"), create="new")
    await ask(store, "De retour", "q2")
    assert await texts(store) == ["De retour"]


async def test_each_change_renews_the_life_of_a_session(store):
    before = now()
    await ask(store)
    first = (await store.load(JEAN, "api")).expires_at
    await answer(store)
    second = (await store.load(JEAN, "api")).expires_at

    day = timedelta(days=1)
    slack = timedelta(seconds=1)
    assert before + day - slack <= first <= second <= now() + day + slack


async def test_ping(store):
    await store.ping()
