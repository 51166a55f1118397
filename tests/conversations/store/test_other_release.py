"""What another release wrote is data: unknown fields and values are kept, and shown reasonably."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.conversations.realtime.events import message_json, staff_note_json
from chat.conversations.rendering import state_of
from chat.conversations.store.adviser_store import (
    ConversationState,
    Listing,
    StaffNote,
    StaffNoteKind,
)
from chat.conversations.store.memory.record import Record
from chat.conversations.store.merge import Stored, merge
from chat.conversations.store.redis.document import replacement, session_of, stored
from chat.conversations.types import Author, End, Message, Outcome
from tests.builders import JEAN, answer, ask, leased, question
from tests.conversations.store.cast import take_over
from tests.conversations.store.workers import back

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).map(lambda name: f"x{name}")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
EXTRAS = st.dictionaries(NAMES, VALUES, max_size=3)
WORDS = st.text("abcdefghij", min_size=1, max_size=8)


@st.composite
def messages(draw: st.DrawFn, number: int) -> dict[str, Any]:
    return {
        **draw(EXTRAS),
        "id": f"m{number}",
        "author": draw(st.sampled_from([*Author]) | WORDS),
        "text": draw(st.text(st.characters(codec="utf-8"), max_size=20)),
        "sent_at": f"2026-03-09T12:{number:02}:00.000Z",
        "interrupted": draw(st.booleans()),
    }


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    said = [draw(messages(number)) for number in range(draw(st.integers(0, 4)))]
    known = {"id": "s", "owner": "web", "epoch": "e", "created_at": "2026-03-09T12:00:00.000Z"}
    return {**draw(EXTRAS), **known, "messages": said}


FIELDS = st.dictionaries(NAMES.map(str.encode), st.binary(max_size=8), max_size=3)
FAR_MS = 4_000_000_000_000


def peeked(document: dict[str, Any], fields: dict[bytes, bytes]) -> Stored:
    """As ``peek.lua`` tells of a document with this in its hash besides."""
    known = {b"owner": b"web", b"epoch": b"e", b"m:m0": b"print-of-another-release"}
    pairs = [part for pair in (known | fields).items() for part in pair]
    return stored("s", [json.dumps(document).encode(), FAR_MS, b"", b"v", 0, pairs])


def written(record: Record | None) -> tuple[dict[str, Any], dict[Any, Any]]:
    """The document and the fields of the hash that ``replace.lua`` is given."""
    assert record is not None
    text, *rest = replacement(record)
    parts = iter(rest[12:])
    return json.loads(text), dict(zip(parts, parts, strict=True))


@given(documents(), FIELDS)
def test_document_comes_back_from_memory_as_it_was(document, fields):
    theirs = peeked(document, fields)
    kept = Record.of(session_of(document, FAR_MS))
    kept.extra = None  # a copy of before the other release wrote
    kept.add(Message(author=Author.CUSTOMER, id="said-meanwhile", text="Bonjour"))

    after, hash_after = written(merge(kept, theirs))

    *before, last = after.pop("messages")
    assert last["id"] == "said-meanwhile"
    assert before == document["messages"]
    assert after == {name: value for name, value in document.items() if name != "messages"}
    assert fields.items() <= hash_after.items()
    assert hash_after[b"m:m0"] == b"print-of-another-release"


@given(documents())
def test_document_that_redis_lost_comes_back_from_a_copy(document):
    kept = Record.of(session_of(document, FAR_MS))

    after, _ = written(merge(kept, Stored(record=None, gone="", version="")))

    assert after == document


@given(EXTRAS, WORDS)
def test_staff_note_of_another_release_is_an_event_and_is_written_back_as_it_was(extra, kind):
    data = {
        **extra,
        "id": "a1",
        "kind": kind,
        "text": "Note",
        "author": "Claire",
        "data": {},
        "at": "2026-03-09T12:00:00.000Z",
    }

    staff_note = StaffNote.from_json(data)

    assert staff_note.to_json() == data
    assert staff_note_json(staff_note) == {
        **staff_note_json(staff_note),
        "kind": "event",
        "text": "Note",
    }
    assert not extra.keys() & staff_note_json(staff_note).keys()


@pytest.mark.parametrize(
    ("text", "end", "code", "retry_after_s"),
    [
        ("done|a1|||", End.DONE, "", None),
        ("failed||assistant_timeout|5|", End.FAILED, "assistant_timeout", 5),
        ("paused|a1|||", End.DONE, "", None),
        ("paused||of_tomorrow|5|", End.FAILED, "of_tomorrow", 5),
        ("paused||||", End.FAILED, "assistant_unavailable", None),
        ("failed||of_tomorrow|soon|", End.FAILED, "of_tomorrow", None),
        ("done|a1||||more|of it", End.DONE, "", None),
        ("done|a1", End.DONE, "", None),
    ],
)
def test_outcome_of_another_release_is_an_end_and_is_written_back_as_it_was(
    text, end, code, retry_after_s
):
    outcome = Outcome.from_text(text)

    assert (outcome.end, outcome.code, outcome.retry_after_s) == (end, code, retry_after_s)
    assert outcome.to_text() == text
    assert outcome.error().message


def test_message_of_an_unknown_author_is_shown_as_the_applications():
    data = {"id": "m1", "author": "robot", "text": "Bip", "sent_at": "2026-03-09T12:00:00Z", "x": 1}

    message = Message.from_json(data)

    told = message_json(message)
    assert (told["author"], told["text"]) == ("system", "Bip")
    assert "x" not in told
    assert message.sent_at == datetime(2026, 3, 9, 12, tzinfo=UTC)


async def rewritten(store: Any) -> None:
    """Have the conversation look as if another release had written in it."""
    run, key = store._link.run, f"chat:state:{JEAN}"
    document = json.loads(await run("GET", f"session:{JEAN}"))
    document["messages"][0]["mood"] = {"score": 0.5, "of": ["é", None]}
    robot = {"id": "r1", "author": "robot", "text": "Bip", "sent_at": "2026-03-09T12:00:00.000Z"}
    document["messages"].append({**robot, "interrupted": False})
    whole = {"theme": {"dark": True}, **document}
    await run("SET", f"session:{JEAN}", json.dumps(whole, ensure_ascii=False), "KEEPTTL")
    await run(
        "HSET", key, "mood", "fine", "n", 3, "t:q1", "paused|answer-to-q1|||", "m:r1", "robot:7"
    )
    await run("HSET", key, "state", "paused", "failed", "q1|of_tomorrow")


@pytest.fixture
def backend():
    return "redis"


async def look(store: Any) -> None:
    document = json.loads(await store._link.run("GET", f"session:{JEAN}"))
    first, second, robot, *_ = document["messages"]
    assert document["theme"] == {"dark": True}
    assert first["mood"] == {"score": 0.5, "of": ["é", None]}
    assert (second["id"], robot["author"]) == ("answer-to-q1", "robot")
    names = ("mood", "t:q1", "m:r1")
    told = await store._link.run("HMGET", f"chat:state:{JEAN}", *names)
    assert told == [b"fine", b"paused|answer-to-q1|||", b"robot:7"]


async def test_conversation_of_another_release_is_read_shown_listed_and_gone_on_with(store):
    await ask(store)
    await answer(store)
    await rewritten(store)

    state = state_of(await store.load(JEAN, "api"), "redis").body()
    (row,) = (await store.page(Listing())).rows
    again = await store.accept(JEAN, "api", question(), create="always")
    await ask(store, "Encore", "q2")
    lease = await leased(store, "q2")
    await take_over(store)

    assert [message["author"] for message in state["messages"]] == [
        *("customer", "assistant", "system")
    ]
    assert state["failed"][0]["code"] == "of_tomorrow"
    assert row.state is ConversationState.IDLE
    assert (again.outcome.end, again.outcome.answer_id) == (End.DONE, "answer-to-q1")
    assert [m.id for m in lease.session.messages] == ["q1", "answer-to-q1", "r1", "q2"]
    await look(store)


async def test_conversation_of_another_release_goes_to_memory_and_back(server, workers):
    store = workers().store
    await ask(store)
    await answer(store)
    await rewritten(store._redis)
    await store.load(JEAN, "api")
    server.kill()
    await ask(store, "Encore", "q2")
    await answer(store, "q2")
    server.start()
    await back(store)

    await look(store._redis)
    said = [m.id for m in (await store.load(JEAN, "api")).messages]
    assert said == ["q1", "answer-to-q1", "r1", "q2", "answer-to-q2"]


async def test_staff_note_of_another_release_is_kept_as_it_is(store):
    await ask(store)
    at = "2026-03-09T12:00:00.000Z"
    data = {"id": "a1", "kind": "poll", "text": "", "author": "", "data": {}, "at": at, "x": [1]}

    await store._link.run("RPUSH", f"chat:asides:{JEAN}", json.dumps(data))

    (staff_note,) = await store.staff_notes(JEAN)
    assert (staff_note.kind, staff_note.to_json()) == (StaffNoteKind.EVENT, data)
