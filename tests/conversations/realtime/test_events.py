from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import get_args

import pytest

from chat.assistant.sources import KINDS, checked
from chat.conversations.realtime.events import (
    EVENT_TYPES,
    AdviserAsked,
    DeskState,
    Failed,
    FormChanged,
    FormRefused,
    MessageAccepted,
    MessageDelta,
    MessageDone,
    MessagesLoaded,
    Pong,
    ServerEvent,
    SessionEnded,
    SessionState,
    SpeakerChanged,
    StaffNoteAdded,
    ToolStarted,
    encode,
    encode_event,
)
from chat.conversations.realtime.frames import (
    ClientFrame,
    Ping,
    SendMessage,
    StopTurn,
    SyncSession,
    checked_text,
    parse_frame,
    parse_json,
)
from chat.conversations.rendering import state_of
from chat.conversations.store.adviser_store import StaffNote, StaffNoteKind
from chat.conversations.types import Author, Draft, Message, Session
from chat.core.clock import now
from chat.core.errors import BY_CODE, ChatError, InvalidForm, InvalidJSON, InvalidMessage
from chat.shop.tickets.draft import Step
from chat.shop.tickets.draft_dialogue import draft_payload
from chat.web.api.schemas import ID_REGEX
from chat.web.sockets.adviser import CLOSE_COME_BACK, CLOSE_NOT_FOUND
from chat.web.sockets.base import CLOSE_NOBODY, CLOSE_REFUSED, CLOSE_TOO_MANY
from meuble_project.env import ROOT
from tests.documents import read_page
from tests.notation import misfits, parse
from tests.shop.tickets.builders import complete

PAGE = read_page(ROOT / "docs" / "protocol.md")
SOFA = {"kind": "product", "label": "OSLO", "ref": "SAL-1", "url": "/produits/SAL-1/"}
CARD = {"price": "899 €", "size": "230 cm", "stock": "en stock", "image": "/static/oslo.webp"}
ANSWER = Message(
    author=Author.ASSISTANT,
    text="Oui",
    reply_to="q1",
    sources=tuple(source for entry in (SOFA, SOFA | CARD) if (source := checked(entry))),
)
STATE = state_of(
    Session(
        id="s",
        owner="web",
        epoch="1",
        created_at=now(),
        expires_at=now(),
        messages=(Message(author=Author.CUSTOMER, id="q1", text="Bonjour"), ANSWER),
        adviser="Claire",
        draft=Draft(id="a2", text="Je"),
        waiting=("q2",),
        failed={"q1": "assistant_timeout"},
        form=complete().to_json(),
    ),
    "redis",
)
#: Each event with all that it can carry, and with as little.
EXAMPLES: list[ServerEvent] = [
    STATE,
    SessionState.empty("2026-11-23T09:30:00.000Z", "memory"),
    MessagesLoaded("q17", STATE.messages, STATE.failed, has_earlier=True),
    MessageAccepted("q1"),
    MessageDelta("a1", 12, " vous"),
    MessageDone(ANSWER),
    ToolStarted("search_products", "Recherche dans le catalogue…"),
    SpeakerChanged("adviser", "Claire"),
    SpeakerChanged("assistant", ""),
    AdviserAsked(),
    FormChanged(draft_payload(complete())),
    FormChanged(None),
    FormRefused.from_error(InvalidForm({"email": "Illisible."}), "f1"),
    FormRefused.from_error(BY_CODE["rate_limited"](retry_after_s=3), "f1"),
    DeskState(STATE, "0" * 16, (), {"name": "Claire", "mine": True}, None, "fr"),
    DeskState(
        STATE, "0" * 16, [StaffNote(kind=StaffNoteKind.NOTE)], None, "2026-11-23T09:30:00.000Z", ""
    ),
    StaffNoteAdded(StaffNote(kind=StaffNoteKind.TURN, data={"total_ms": 3})),
    *(SessionEnded(reason) for reason in ("expired", "ended", "erased", "unreadable")),
    Failed.from_error(ChatError()),
    Failed.from_error(BY_CODE["rate_limited"](retry_after_s=3), "q2"),
    Pong(),
]


@pytest.mark.parametrize(
    ("raw", "frame"),
    [
        (
            '{"type": "message.send", "id": "a-1", "text": " Bonjour "}',
            SendMessage("a-1", "Bonjour"),
        ),
        ('{"type": "turn.stop"}', StopTurn()),
        ('{"type": "session.sync", "more": 1}', SyncSession()),
        ('{"type": "ping"}', Ping()),
    ],
)
def test_frames_that_are_understood(raw, frame):
    assert parse_frame(raw, 100) == frame


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "{",
        "\x00",
        "[" * 100_000,
        '{"a":' * 50_000,
        "1" * 5000,
        '{"type": NaN}',
        '{"type": Infinity}',
        '{"type": "ping"} more',
    ],
)
def test_what_is_not_json_is_refused(raw):
    with pytest.raises(InvalidJSON):
        parse_frame(raw, 100)


@pytest.mark.parametrize(
    "raw",
    [
        "null",
        "[]",
        "3",
        '"ping"',
        "{}",
        '{"type": 3}',
        '{"type": ["ping"]}',
        '{"type": "dance"}',
        '{"type": "message.send", "text": "x"}',
        '{"type": "message.send", "id": "a*", "text": "x"}',
        '{"type": "message.send", "id": "a\\n", "text": "x"}',
        '{"type": "message.send", "id": "", "text": "x"}',
        '{"type": "message.send", "id": 7, "text": "x"}',
        '{"type": "message.send", "id": "a", "text": "  "}',
        '{"type": "message.send", "id": "a", "text": 5}',
        '{"type": "message.send", "id": "a", "text": ["x"]}',
        '{"type": "message.send", "id": "a", "text": "\\ud800"}',
        '{"type": "message.send", "id": "a", "text": "%s"}' % ("x" * 101),
    ],
)
def test_what_is_json_but_no_frame_is_refused(raw):
    with pytest.raises(InvalidMessage):
        parse_frame(raw, 100)


def test_text_at_the_limit_is_taken_and_brackets_in_text_are_not_depth():
    text = "[{" * 50
    raw = json.dumps({"type": "message.send", "id": "a", "text": text})

    assert parse_frame(raw, 100) == SendMessage("a", text)


def test_a_line_ends_the_same_whether_a_form_or_a_socket_sent_it():
    assert checked_text("Un\r\nDeux\rTrois\n", 20) == "Un\nDeux\nTrois"


def test_bytes_must_be_utf8():
    assert parse_json('{"é": 1}'.encode()) == {"é": 1}
    with pytest.raises(InvalidJSON):
        parse_json(b'{"a": "\xff"}')


def test_events_are_one_line_with_accents():
    assert (
        encode(MessageDelta("a1", 12, " été\n"))
        == '{"type":"message.delta","id":"a1","offset":12,"text":" été\\n"}'
    )


def test_encoded_event_says_whose_end_it_is():
    answer = Message(author=Author.ASSISTANT, text="Oui", reply_to="q1")

    assert encode_event(MessageDone(answer)).question_id == "q1"
    assert encode_event(Failed.from_error(ChatError(), "q2")).question_id == "q2"
    assert encode_event(MessageDelta("a", 0, "x")).question_id == ""


def test_ids_of_ends_are_equal_for_copies_only():
    answer = Message(author=Author.ASSISTANT, text="Oui", reply_to="q1")
    ends = [
        MessageDone(answer),
        MessageDone(replace(answer, text="Non")),
        MessageDone(replace(answer, reply_to="q2")),
        Failed.from_error(BY_CODE["rate_limited"](), "q1"),
        Failed.from_error(BY_CODE["session_busy"](), "q1"),
    ]

    ids = [encode_event(end).event_id for end in ends]

    assert ids == [encode_event(end).event_id for end in ends]
    assert len(set(ids)) == len(ends)
    assert [encode_event(event).event_id for event in (SessionEnded("erased"), Pong())] == [
        "erased",
        "",
    ]


def test_encoded_event_says_who_answers():
    state = SessionState.empty("2026-11-30T10:00:00Z", "redis")
    desk = DeskState(replace(state, speaker="adviser"), "ref", (), None, None, "fr")
    events = [state, desk, SpeakerChanged("adviser", "Claire"), FormChanged({"speaker": "adviser"})]

    assert [encode_event(event).speaker for event in events] == [
        "assistant",
        "adviser",
        "adviser",
        "",
    ]


def test_error_has_only_what_it_knows():
    error = BY_CODE["rate_limited"](retry_after_s=3)

    assert Failed.from_error(error).body() == {
        "code": "rate_limited",
        "message": error.message,
        "retry_after_s": 3,
    }


def statements() -> Iterator[tuple[str, str]]:
    """Yield the statements of the page: ``=>``, ``<-`` or ``NAME``, and what follows it.

    Raises:
        AssertionError: a line that begins with none of these and does not go on with one.
    """
    for block in PAGE.blocks:
        text = re.sub(r"\n +", " ", "\n".join(block.lines))
        for line in filter(None, text.split("\n")):
            match = re.fullmatch(r"(=>|<-|[A-Z]+(?= =)) (?:= )?(\{.*\})", line)
            assert match, f"{PAGE.name}, {block.section!r}: not =>, <- or NAME =: {line!r}"
            yield match[1], match[2]


def test_every_documented_frame_is_parsed_and_every_frame_is_documented():
    examples = [
        text.replace(f"<made by the client, {ID_REGEX}>", "a")
        for sign, text in statements()
        if sign == "=>"
    ]
    frames = [parse_frame(example, 100) for example in examples]

    assert Counter(map(type, frames)) == Counter(get_args(ClientFrame))
    assert [set(json.loads(example)) - {"type"} for example in examples] == [
        {field.name for field in fields(frame)} for frame in frames
    ]


def test_every_event_is_documented_and_every_documented_event_exists():
    events = [text for sign, text in statements() if sign == "<-"]

    assert sorted(shape["type"][0] for [shape] in map(parse, events)) == sorted(EVENT_TYPES)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.type)
def test_event_has_the_documented_fields(event):
    named = {sign: parse(text) for sign, text in statements() if sign.isalpha()}
    events = [parse(text) for sign, text in statements() if sign == "<-"]
    named |= {shape["type"][0]: (shape,) for [shape] in events}
    sent = json.loads(encode(event))

    assert list(misfits(named[event.type], sent, named, event.type)) == []


def test_every_event_has_an_example():
    assert {event.type for event in EXAMPLES} == EVENT_TYPES


@pytest.mark.parametrize(
    ("name", "field", "values"),
    [
        ("MESSAGE", "author", Author),
        ("SOURCE", "kind", KINDS),
        ("FORM", "step", Step),
        ("ASIDE", "kind", StaffNoteKind),
    ],
)
def test_documented_values_are_all_there_are(name, field, values):
    [shapes] = [parse(text) for sign, text in statements() if sign == name]

    assert shapes[0][field] == tuple(values)


def test_close_codes_are_documented():
    closed_by_library = {1009}  # autobahn: a message that is too long

    assert {int(code) for code, _when in PAGE.rows("code", "when")} == closed_by_library | {
        CLOSE_COME_BACK,
        CLOSE_NOBODY,
        CLOSE_NOT_FOUND,
        CLOSE_REFUSED,
        CLOSE_TOO_MANY,
    }
