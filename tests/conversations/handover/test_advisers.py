from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from chat.conversations.handover import advisers, announcements
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.adviser_store import StaffNoteKind, desk_key
from chat.conversations.types import Author
from chat.core.errors import (
    AssignedToAnother,
    IdConflict,
    InvalidMessage,
    NotAssigned,
    SessionNotFound,
)
from chat.shop.hours import PARIS
from tests.background import background_tasks
from tests.builders import ask as ask_store
from tests.conversations.handover.cast import CAMILLE, CLAIRE, KARIM, ask, events, lines
from tests.conversations.store.cast import leave_without_a_word
from tests.fakes import FakeLLM, Listener

BACK = "L'assistant (IA) reprend la conversation."


@pytest.fixture
async def asked(store, model):
    """A conversation in which the assistant answered once."""
    model(FakeLLM(["Bonjour !"]))
    await (await ask()).ended()
    await PUBSUB.get().settle()
    return store


async def written(store, kind=None):
    found = await store.staff_notes(CAMILLE)
    return [(a.author, a.text) for a in found if kind in (None, a.kind)]


async def test_adviser_speaks_and_the_model_is_silent(asked, model):
    llm = model(FakeLLM(["Non."]))
    viewer = Listener()
    await advisers.take_over(CAMILLE, CLAIRE)
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        told = await ask("Vous êtes là ?", "q2")
        message = await advisers.say(CAMILLE, CLAIRE, "c1", " Oui ! ")

    assert told.end.answer is None
    assert (message.author, message.text, message.name) == (Author.ADVISER, "Oui !", "Claire")
    assert [e["message"]["text"] for e in events(viewer)] == ["Vous êtes là ?", "Oui !"]
    assert events(viewer)[1]["message"]["name"] == "Claire"
    assert llm.asked == []


async def test_same_words_again_are_said_once_and_others_refused(asked):
    await advisers.take_over(CAMILLE, CLAIRE)
    first = await advisers.say(CAMILLE, CLAIRE, "c1", "Oui")

    again = await advisers.say(CAMILLE, CLAIRE, "c1", "Oui")

    assert (again.id, again.text) == (first.id, first.text)
    assert lines(await asked.load(CAMILLE, "web")).count((Author.ADVISER, "Oui")) == 1
    with pytest.raises(IdConflict):
        await advisers.say(CAMILLE, CLAIRE, "c1", "Non")


@pytest.mark.parametrize("text", ["", "  ", "x" * 4001, "\ud800"])
async def test_words_are_checked_as_a_customers(asked, text):
    await advisers.take_over(CAMILLE, CLAIRE)

    with pytest.raises(InvalidMessage):
        await advisers.say(CAMILLE, CLAIRE, "c1", text)
    with pytest.raises(InvalidMessage):
        await advisers.note(CAMILLE, CLAIRE, text)


async def test_only_the_holder_speaks_renews_and_hands_back(asked):
    await advisers.take_over(CAMILLE, CLAIRE)

    with pytest.raises(AssignedToAnother):
        await advisers.take_over(CAMILLE, KARIM)
    with pytest.raises(NotAssigned):
        await advisers.say(CAMILLE, KARIM, "k1", "Bonjour")
    assert not await advisers.renew_assignment(CAMILLE, KARIM)
    assert not await advisers.hand_back(CAMILLE, KARIM)
    assert await advisers.renew_assignment(CAMILLE, CLAIRE)


async def test_after_hand_back_the_assistant_answers_with_the_instruction(asked, model):
    await advisers.take_over(CAMILLE, CLAIRE)
    await advisers.say(CAMILLE, CLAIRE, "c1", "Je vous laisse avec l'assistant.")
    viewer = Listener()
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        assert await advisers.hand_back(CAMILLE, CLAIRE, "Proposer le Cannes en gris.")
    llm = model(FakeLLM(["Le Cannes."]))
    await (await ask("Alors ?", "q2")).ended()

    state, changed, told = events(viewer)
    assert (state["type"], state["speaker"]) == ("session.state", "assistant")
    assert (changed["speaker"], changed["name"]) == ("assistant", "")
    assert told["message"]["text"] == BACK
    assert "Proposer" not in "".join(event.json for event in viewer.heard)
    roles = [m["role"] for m in llm.asked[0]]
    assert roles == ["system", "system", "user", "assistant", "system", "user"]
    assert "Proposer le Cannes en gris." in llm.asked[0][1]["content"]
    assert "Claire" in llm.asked[0][4]["content"]


async def test_customer_is_told_that_a_message_stayed_without_reply(asked):
    await advisers.take_over(CAMILLE, CLAIRE)
    await ask("Vous êtes là ?", "q2")

    await advisers.hand_back(CAMILLE, CLAIRE)

    *_, told = (await asked.load(CAMILLE, "web")).messages
    assert told.text.startswith(BACK)
    assert "sans réponse" in told.text


async def test_instruction_is_bounded(asked):
    await advisers.take_over(CAMILLE, CLAIRE)

    with pytest.raises(InvalidMessage):
        await advisers.hand_back(CAMILLE, CLAIRE, "x" * 1001)


async def test_conversation_of_an_adviser_who_left_returns_to_the_assistant(asked):
    await advisers.take_over(CAMILLE, CLAIRE)
    await advisers.say(CAMILLE, CLAIRE, "c1", "Un instant.")
    await advisers.return_expired_assignments()
    assert (await asked.load(CAMILLE, "web")).adviser == "Claire"
    await lapse(asked)
    viewer = Listener()

    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        await asyncio.gather(
            advisers.return_expired_assignments(), advisers.return_expired_assignments()
        )

    assert viewer.types() == ["session.state", "speaker.changed", "message.done"]
    told = events(viewer)[-1]["message"]
    assert (told["author"], told["text"]) == ("system", f"Claire n'est plus disponible. {BACK}")
    assert (await written(asked))[-1] == ("Claire", "Claire n'est plus là.")


async def test_background_returns_what_an_adviser_left(asked):
    await advisers.take_over(CAMILLE, CLAIRE)
    await lapse(asked)
    viewer, staff = Listener(), Listener()

    async with (
        PUBSUB.get().subscribe(CAMILLE, viewer),
        PUBSUB.get().subscribe(desk_key(CAMILLE), staff),
        background_tasks(),
    ):
        await viewer.until("speaker.changed")
        await staff.until("aside.added")

    assert (await asked.load(CAMILLE, "web")).adviser == ""
    assert staff.types() == ["aside.added"]


async def lapse(store):
    inner = store if store.backend == "memory" and hasattr(store, "_assignment_s") else store._redis
    await leave_without_a_word(inner, CAMILLE, CLAIRE)


async def test_every_act_is_written_beside_and_told_to_the_staff_alone(asked):
    staff, customer = Listener(), Listener()
    async with (
        PUBSUB.get().subscribe(desk_key(CAMILLE), staff),
        PUBSUB.get().subscribe(CAMILLE, customer),
    ):
        await advisers.take_over(CAMILLE, CLAIRE)
        await advisers.note(CAMILLE, CLAIRE, "Cliente fidèle")
        await advisers.hand_back(CAMILLE, CLAIRE)
        await advisers.ask_for_adviser(CAMILLE, "web", "autre")

    acts = [
        ("Claire", "Claire a pris la main."),
        ("Claire", "Cliente fidèle"),
        ("Claire", "Claire a rendu la main à l'assistant."),
        ("", "Le client demande un conseiller."),
    ]
    assert (await written(asked))[1:] == acts
    assert staff.types() == ["aside.added"] * 4
    assert [(e["aside"]["author"], e["aside"]["text"]) for e in events(staff)] == acts
    assert "aside.added" not in customer.types()
    assert "fidèle" not in "".join(event.json for event in customer.heard)


async def test_numbers_of_a_turn_are_written_beside_it(asked):
    (staff_note,) = await asked.staff_notes(CAMILLE)

    assert staff_note.kind is StaffNoteKind.TURN
    assert staff_note.data["question_id"] == "q1"
    assert (staff_note.data["ending"], staff_note.data["tools"]) == ("done", [])
    assert set(staff_note.data) == {
        "question_id",
        "answer_id",
        "ending",
        "first_text_ms",
        "total_ms",
        "tools",
        "prompt_tokens",
        "completion_tokens",
        "guarded",
    }


async def test_adviser_is_asked_for_once_however_often(asked):
    viewer = Listener()
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        found = [await advisers.ask_for_adviser(CAMILLE, "web") for _ in range(3)]

    assert found == [True, False, False]
    assert viewer.types() == ["adviser.asked", "message.done"]
    session = await asked.load(CAMILLE, "web")
    assert session.asked_at is not None
    assert [m.author for m in session.messages].count(Author.SYSTEM) == 1


async def test_asking_is_over_when_an_adviser_comes(asked):
    await advisers.ask_for_adviser(CAMILLE, "web")

    await advisers.take_over(CAMILLE, CLAIRE)

    assert (await asked.load(CAMILLE, "web")).asked_at is None
    assert not await advisers.ask_for_adviser(CAMILLE, "web")


async def test_conversation_of_another_is_not_found(asked):
    with pytest.raises(SessionNotFound):
        await advisers.ask_for_adviser(CAMILLE, "api")
    for act in (advisers.take_over, advisers.hand_back):
        with pytest.raises(SessionNotFound):
            await act("nowhere", CLAIRE)


@pytest.mark.parametrize(
    ("hour", "start", "opens"),
    [
        ("2026-11-23T10:00", "Un conseiller a été prévenu.", ""),
        ("2026-11-23T18:59", "Un conseiller a été prévenu.", ""),
        ("2026-11-23T19:00", "Votre demande est notée", "mardi 24 novembre à 10\u00a0h."),
        ("2026-11-22T12:00", "Votre demande est notée", "lundi 23 novembre à 10\u00a0h."),
        ("2026-12-25T12:00", "Votre demande est notée", "samedi 26 décembre à 10\u00a0h."),
    ],
)
def test_answer_to_who_asks_is_true_at_every_hour(hour, start, opens):
    text = announcements.asked(datetime.fromisoformat(hour).replace(tzinfo=PARIS), on_page=True)

    assert text.startswith(start)
    assert opens in text
    assert "](/rappel/)" in text
    moment = datetime.fromisoformat(hour).replace(tzinfo=PARIS)
    assert "/rappel/" not in announcements.asked(moment, on_page=False)


async def spoil(store, session_id):
    """Have nothing able to read this conversation."""
    if store.backend == "memory":
        store._records[session_id].messages.append(None)
    else:
        await store._redis._link.run("SET", f"session:{session_id}", "{", "KEEPTTL")


async def test_one_conversation_that_cannot_be_given_back_stops_no_other(asked):
    await ask_store(asked, session_id="another")
    for session_id in ("another", CAMILLE):
        await advisers.take_over(session_id, CLAIRE)
        await leave_without_a_word(getattr(asked, "_redis", asked), session_id, CLAIRE)
    await spoil(asked, "another")

    await advisers.return_expired_assignments()

    assert not (await asked.load(CAMILLE, "web")).has_adviser
