"""A question that is stored and granted in one step."""

from __future__ import annotations

import pytest

from chat.conversations.store.adviser_store import StaffNote, StaffNoteKind
from chat.conversations.store.protocol import Accepted, LeaseLost, Store
from chat.conversations.types import End, Outcome
from tests.builders import JEAN, answer, answer_to, ask, done, leased, question


async def asked(store: Store, text: str = "Bonjour", id_: str = "q1") -> Accepted:
    message = question(text, id_)
    return await store.accept(JEAN, "api", message, create="always", answer_id=f"answer-to-{id_}")


async def test_first_question_is_granted_with_all_the_answer_rests_on(store):
    await ask(store)
    await answer(store)
    await store.put_form(JEAN, "api", {"version": 1, "step": "photo"}, expected_version=0)

    accepted = await asked(store, "Et la livraison ?", "q2")

    assert accepted.lease is not None
    assert (accepted.lease.question_id, accepted.lease.answer_id) == ("q2", "answer-to-q2")
    assert not accepted.lease.again
    session = accepted.lease.session
    assert [message.text for message in session.messages] == [
        *("Bonjour", "Réponse à q1", "Et la livraison ?")
    ]
    assert (session.form, session.form_version) == ({"version": 1, "step": "photo"}, 1)


async def test_who_was_granted_answers_and_nobody_else(store):
    lease = (await asked(store)).lease

    assert (await store.claim(JEAN, ["q1"], "another")).lease is None
    await store.write(lease, 0, "Bonj")
    await store.finish(lease, done(lease), answer_to(lease))
    session = await store.load(JEAN, "api")
    assert [message.text for message in session.messages] == ["Bonjour", "Bonjour Jean"]


async def test_question_behind_others_is_not_granted_and_says_which(store):
    first = (await asked(store)).lease
    second = await asked(store, "Deux", "q2")
    third = await asked(store, "Trois", "q3")
    again = await asked(store, "Deux", "q2")

    assert (second.lease, second.ahead) == (None, ("q1",))
    assert (third.lease, third.ahead) == (None, ("q1", "q2"))
    assert (again.lease, again.fresh, again.ahead) == (None, False, ("q1",))
    await store.finish(first, done(first), answer_to(first))
    assert (await leased(store, "q2")).question_id == "q2"


async def test_ids_that_begin_alike_are_told_apart(store):
    await asked(store, "Un", "q10")
    await asked(store, "Deux", "q1")

    assert (await asked(store, "Deux", "q1")).ahead == ("q10",)


async def test_nothing_is_granted_where_it_was_not_asked_for(store):
    accepted = await store.accept(JEAN, "api", question(), create="always")

    assert (accepted.lease, accepted.ahead) == (None, ())
    assert (await store.claim(JEAN, ["q1"], "a")).lease is not None


async def test_answered_question_is_not_granted_again(store):
    await ask(store)
    await answer(store)

    again = await asked(store)

    assert (again.lease, again.ahead) == (None, ())
    assert again.outcome is not None


async def test_granted_question_that_is_released_goes_to_any_worker(store):
    lease = (await asked(store)).lease

    await store.release(lease)

    taken = (await store.claim(JEAN, [], "another")).lease
    assert taken is not None
    assert taken.again
    assert taken.answer_id == "answer-to-q1"
    with pytest.raises(LeaseLost):
        await store.write(lease, 0, "Trop tard")


async def test_end_keeps_a_staff_note_once_however_often_it_is_said(store):
    lease = (await asked(store)).lease
    numbers, answered = StaffNote(kind=StaffNoteKind.TURN, data={"total_ms": 420}), answer_to(lease)

    for _ in range(2):
        await store.finish(lease, done(lease), answered, numbers)

    kept = await store.staff_notes(JEAN)
    assert [(staff_note.id, staff_note.kind, staff_note.data) for staff_note in kept] == [
        (numbers.id, StaffNoteKind.TURN, {"total_ms": 420})
    ]
    assert (await store.load(JEAN, "api")).waiting == ()


async def test_end_that_does_not_count_keeps_no_staff_note(store):
    lease = (await asked(store)).lease
    await store.erase(JEAN, "api")
    await asked(store, "Rebonjour", "q2")

    with pytest.raises(LeaseLost):
        await store.finish(
            lease, done(lease), answer_to(lease), StaffNote(kind=StaffNoteKind.TURN, data={})
        )

    assert await store.staff_notes(JEAN) == []


async def test_end_that_was_said_by_another_keeps_the_staff_note_all_the_same(store):
    lease, failed = (await asked(store)).lease, Outcome(end=End.FAILED, code="assistant_timeout")
    await store.finish(lease, failed, None)
    numbers = StaffNote(kind=StaffNoteKind.TURN, data={"total_ms": 420})

    await store.finish(lease, failed, None, numbers)

    assert [staff_note.id for staff_note in await store.staff_notes(JEAN)] == [numbers.id]
