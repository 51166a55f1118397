"""What the staff do in a conversation, promised by ``AdviserStore`` and kept by both stores."""

from __future__ import annotations

import asyncio

import pytest

from chat.conversations.store.adviser_store import MAX_STAFF_NOTES, StaffNote, StaffNoteKind
from chat.conversations.store.protocol import ANY_OWNER, Store
from chat.conversations.types import Author
from chat.core.clock import now
from chat.core.errors import IdConflict, NotAssigned, SessionGone, SessionNotFound
from tests.builders import JEAN, ask, leased, question
from tests.conversations.store.cast import (
    announced,
    hand_back,
    leave_without_a_word,
    spoken,
    take_over,
)


async def ids(store: Store, session_id: str = JEAN) -> list[str]:
    return [m.id for m in (await store.load(session_id, ANY_OWNER)).messages]


async def test_handing_back_leaves_an_instruction_to_the_next_answer(store):
    await ask(store)
    await take_over(store)

    assert await hand_back(store, instruction="Proposez l'échange.")
    await ask(store, "Et ?", "q2")
    lease = await leased(store, "q2")
    session = await store.load(JEAN, ANY_OWNER)

    assert lease.session.instruction == session.instruction == "Proposez l'échange."
    assert (session.adviser, session.adviser_id) == ("", "")
    assert await ids(store) == ["q1", "taken", "back", "q2"]
    await take_over(store, id_="again")
    assert (await store.load(JEAN, ANY_OWNER)).instruction == ""


async def test_handing_back_twice_says_it_once(store):
    await ask(store)
    await take_over(store)

    assert await hand_back(store)
    assert await hand_back(store)
    assert not await hand_back(store, id_="another")
    assert await ids(store) == ["q1", "taken", "back"]


async def test_only_who_holds_it_hands_it_back(store):
    await ask(store)

    assert not await hand_back(store)
    assert not await hand_back(store, by="")
    await take_over(store)
    assert not await hand_back(store, by="8")
    assert not await hand_back(store, by="")
    assert await ids(store) == ["q1", "taken"]


async def test_who_left_without_a_word_is_found_and_handed_back_once(store):
    await ask(store)
    await ask(store, session_id="other")
    await take_over(store)
    await take_over(store, "other")
    present = await store.expired_assignments()
    await leave_without_a_word(store)

    assert (present, await store.expired_assignments()) == ([], [JEAN])
    results = [await hand_back(store, by="", id_=id_) for id_ in ("sweep-1", "sweep-2")]

    assert results == [True, False]
    assert await store.expired_assignments() == []
    assert await ids(store) == ["q1", "taken", "sweep-1"]


@pytest.mark.parametrize("sign_of_life", ["renew_assignment", "say", "take_over"])
async def test_who_comes_back_before_the_sweep_keeps_it(store, sign_of_life):
    await ask(store)
    await take_over(store)
    await leave_without_a_word(store)
    assert await store.expired_assignments() == [JEAN]

    signs = {
        "renew_assignment": lambda: store.renew_assignment(JEAN, "7"),
        "say": lambda: store.say(JEAN, "7", spoken()),
        "take_over": lambda: take_over(store),
    }
    assert await signs[sign_of_life]()

    assert await store.expired_assignments() == []
    assert not await hand_back(store, by="")


async def test_hold_is_kept_by_who_has_it_only(store):
    await ask(store)
    assert not await store.renew_assignment(JEAN, "7")
    await take_over(store)

    assert not await store.renew_assignment(JEAN, "8")
    assert not await store.renew_assignment("never", "7")
    await hand_back(store)
    assert not await store.renew_assignment(JEAN, "7")


async def test_adviser_says_each_thing_once(store):
    await ask(store)
    await take_over(store)
    said = spoken("C'est noté / à 14 h.")

    assert [await store.say(JEAN, "7", said) for _ in range(2)] == [True, False]
    with pytest.raises(IdConflict):
        await store.say(JEAN, "7", spoken("Autre chose"))
    with pytest.raises(IdConflict):
        await store.say(JEAN, "7", spoken("Bonjour", "q1"))
    with pytest.raises(IdConflict):
        await store.accept(JEAN, "api", question(said.text, said.id), create="always")

    messages = (await store.load(JEAN, ANY_OWNER)).messages
    assert [(m.id, m.author, m.text, m.name) for m in messages[2:]] == [
        ("c1", Author.ADVISER, "C'est noté / à 14 h.", "Claire")
    ]


async def test_adviser_who_does_not_hold_it_says_nothing(store):
    await ask(store)
    with pytest.raises(NotAssigned):
        await store.say(JEAN, "7", spoken())
    await take_over(store)
    await store.say(JEAN, "7", spoken())
    with pytest.raises(NotAssigned):
        await store.say(JEAN, "8", spoken(id_="k1"))
    await hand_back(store)

    with pytest.raises(NotAssigned):
        await store.say(JEAN, "7", spoken("Encore", "c2"))
    assert not await store.say(JEAN, "7", spoken())  # said before: only its result was lost
    assert await ids(store) == ["q1", "taken", "c1", "back"]


async def test_customer_asks_for_an_adviser_once(store):
    await ask(store)
    before = now()

    asked = [
        await store.ask_for_adviser(JEAN, "api", announced(id_))
        for id_ in ("asked", "asked", "asked-again")
    ]
    session = await store.load(JEAN, "api")
    lease = await leased(store)

    assert asked == [True, True, False]
    assert await ids(store) == ["q1", "asked"]
    assert session.asked_at is not None
    assert abs((session.asked_at - before).total_seconds()) < 5
    assert lease.session.asked_at == session.asked_at
    assert session.waiting == ("q1",)


async def test_asking_is_forgotten_when_somebody_came(store):
    await ask(store)
    await store.ask_for_adviser(JEAN, "api", announced("asked"))

    await take_over(store)
    held = await store.ask_for_adviser(JEAN, "api", announced("asked-again"))
    taken = (await store.load(JEAN, "api")).asked_at
    await hand_back(store)
    back = (await store.load(JEAN, "api")).asked_at

    assert (held, taken, back) == (False, None, None)
    assert await store.ask_for_adviser(JEAN, "api", announced("asked-later"))
    await store.end(JEAN, "api")
    assert (await store.load(JEAN, "api")).asked_at is None


async def test_nobody_asks_in_the_conversation_of_another(store):
    await ask(store)

    for id_, owner in [(JEAN, "key:7"), ("never", "api")]:
        with pytest.raises(SessionNotFound):
            await store.ask_for_adviser(id_, owner, announced("asked"))
    assert await ids(store) == ["q1"]


async def test_staff_notes_stand_in_the_order_in_which_they_came(store):
    await ask(store)
    data = {"question_id": "q1", "answer_id": "a1", "tools": [], "total_ms": None}
    kept = [
        StaffNote(kind=StaffNoteKind.NOTE, text="Rappeler / « à 14 h »", author="Claire"),
        StaffNote(kind=StaffNoteKind.TURN, data=data),
        StaffNote(kind=StaffNoteKind.EVENT, text="Claire a pris la main."),
    ]
    for staff_note in [*kept, kept[0]]:
        await store.add_staff_note(JEAN, staff_note)

    told = await store.staff_notes(JEAN)

    assert [staff_note.to_json() for staff_note in told] == [
        staff_note.to_json() for staff_note in kept
    ]
    assert await ids(store) == ["q1"]


async def test_staff_notes_live_as_long_as_the_conversation_can_be_read(store):
    await store.add_staff_note("never", StaffNote(kind=StaffNoteKind.NOTE))
    await ask(store)
    await store.add_staff_note(JEAN, StaffNote(kind=StaffNoteKind.NOTE, text="un", id="1"))
    await store.end(JEAN, "api")
    await store.add_staff_note(JEAN, StaffNote(kind=StaffNoteKind.EVENT, text="deux", id="2"))
    ended = [staff_note.text for staff_note in await store.staff_notes(JEAN)]
    await store.erase(JEAN, "api")
    await store.add_staff_note(JEAN, StaffNote(kind=StaffNoteKind.NOTE, text="trois", id="3"))

    assert ended == ["un", "deux"]
    assert await store.staff_notes(JEAN) == await store.staff_notes("never") == []
    await ask(store, id_="q2")  # the erased "q1" revives nothing
    assert await store.staff_notes(JEAN) == []


async def test_newest_staff_notes_are_kept(store):
    await ask(store)
    ids = [str(n) for n in range(MAX_STAFF_NOTES + 2)]

    for id_ in ids:
        await store.add_staff_note(JEAN, StaffNote(kind=StaffNoteKind.NOTE, id=id_))
        await store.add_staff_note(JEAN, StaffNote(kind=StaffNoteKind.NOTE, id=id_))

    assert [staff_note.id for staff_note in await store.staff_notes(JEAN)] == ids[2:]
    assert MAX_STAFF_NOTES == 300


@pytest.mark.ttl_s(1)
async def test_all_of_it_expires_together(store):
    await ask(store)
    await take_over(store)
    await store.add_staff_note(JEAN, StaffNote(kind=StaffNoteKind.NOTE))
    async with asyncio.timeout(10):
        while await store.staff_notes(JEAN):
            await asyncio.sleep(0.02)

    with pytest.raises(SessionGone) as gone:
        await store.say(JEAN, "7", spoken())
    counts = await store.counts()

    assert gone.value.reason == "expired"
    assert (counts.active, counts.held, await store.expired_assignments()) == (0, 0, [])
    await ask(store)
    assert (await store.load(JEAN, "api")).adviser == ""
