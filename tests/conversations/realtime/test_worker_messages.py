from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chat.conversations.realtime.events import (
    EVENT_TYPES,
    AdviserAsked,
    DeskState,
    EncodedEvent,
    Failed,
    FormChanged,
    FormRefused,
    MessageAccepted,
    MessageDelta,
    MessageDone,
    MessagesLoaded,
    Pong,
    SessionEnded,
    SessionState,
    SpeakerChanged,
    StaffNoteAdded,
    ToolStarted,
    encode_event,
    end_id,
    message_json,
)
from chat.conversations.realtime.pubsub import (
    MAX_EVENT_CHARS,
    Command,
    Erasure,
    Heartbeat,
    InvalidMessage,
    RemoteCommand,
    RemoteEvent,
    SpeakerFilter,
    UnknownMessage,
    decode_message,
    encode_message,
)
from chat.conversations.store.adviser_store import StaffNote, StaffNoteKind
from chat.conversations.types import Author
from chat.core.errors import ChatError
from tests.builders import JEAN, question

STATE = SessionState.empty("2026-11-30T10:00:00Z", "redis")
EVENTS = [
    STATE,
    MessagesLoaded("q1", (), (), has_earlier=False),
    MessageAccepted("q1"),
    MessageDelta("a1", 3, "jour"),
    MessageDone(question()),
    ToolStarted("find_order", "Recherche…"),
    SpeakerChanged("adviser", "Claire"),
    AdviserAsked(),
    FormChanged(None),
    FormRefused.from_error(ChatError(), "f1"),
    DeskState(STATE, "10681d3087c1e9dd", (), None, None, "fr"),
    StaffNoteAdded(StaffNote(kind=StaffNoteKind.NOTE, text="Rappeler")),
    SessionEnded("erased"),
    Failed.from_error(ChatError(), "q1"),
    Pong(),
]


def test_every_event_that_workers_tell_each_other_is_understood():
    assert {event.type for event in EVENTS} == EVENT_TYPES
    for event in EVENTS:
        encoded = encode_event(event)
        parsed = decode_message(encode_message(RemoteEvent("a", "g", encoded)))
        assert isinstance(parsed, RemoteEvent)
        assert (parsed.sender, parsed.group, parsed.event) == ("a", "g", encoded)


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ({}, question()),
        ({"html": 3, "of_a_newer_release": 1}, question()),
        ({"author": "robot"}, replace(question(), author=Author.SYSTEM, extra={"author": "robot"})),
        ({"sent_at": "yesterday"}, None),
        ({"sent_at": "2026-11-30T10:00:00"}, None),
        ({"text": None}, None),
        ({"id": ["q1"]}, None),
        ({"sources": 1}, None),
        ({"sources": [1]}, None),
    ],
)
def test_message_that_was_told_is_read_without_what_viewers_get_besides(told, read):
    text = json.dumps({"type": "message.done", "message": {**message_json(question()), **told}})
    event = {"event": "message.done", "about": "", "text": text}

    parsed = decode_message({"type": "event", "from": "a", "group": "g", **event})

    assert isinstance(parsed, RemoteEvent)
    if read is not None and parsed.message is not None:
        read = replace(read, sent_at=parsed.message.sent_at)
    assert parsed.message == read


def test_code_of_a_failure_is_read():
    encoded = encode_event(Failed.from_error(ChatError(), "q1"))
    event = {"event": "error", "about": "q1", "text": encoded.json}

    parsed = decode_message({"type": "event", "from": "a", "group": "g", **event})

    assert parsed == RemoteEvent("a", "g", encoded, code=ChatError.code)


def told_as(text: str, question_id: str = "") -> EncodedEvent:
    """Return what a worker reads of an event that another worker sent as this text."""
    event = {"event": json.loads(text)["type"], "about": question_id, "text": text}
    parsed = decode_message({"type": "event", "from": "a", "group": "g", **event})
    assert isinstance(parsed, RemoteEvent)
    return parsed.event


#: As releases of November 2026 send them.
ADVISER_STATE = (
    '{"type":"session.state","messages":[],"draft":null,"speaker":"adviser","name":"Claire",'
    '"expires_at":"2026-11-30T10:00:00Z","storage_backend":"redis","waiting":[],"failed":[],'
    '"ended":false,"asked":false,"form":null,"has_earlier":false,"total":0}'
)
FAILURE = '{"type":"error","code":"assistant_timeout","message":"Trop long.","id":"q1"}'


def test_fields_of_an_event_of_the_present_release_are_read():
    assert told_as(ADVISER_STATE) == EncodedEvent("session.state", "", "adviser", "", ADVISER_STATE)
    assert told_as('{"type":"session.ended","reason":"erased"}').event_id == "erased"
    failure = told_as(FAILURE, "q1")
    assert (failure.question_id, failure.speaker) == ("q1", "")
    assert failure.event_id == end_id("q1", FAILURE)


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        (ADVISER_STATE, "adviser"),
        (ADVISER_STATE.replace(":", ": "), "adviser"),
        (ADVISER_STATE.replace("adviser", "assistant"), "assistant"),
        ('{"type": "speaker.changed", "name": "Claire", "speaker": "adviser"}', "adviser"),
        (json.dumps({"type": "desk.state", **STATE.body(), "speaker": "adviser"}), "adviser"),
    ],
    ids=["state", "blanks after colons", "assistant", "changed", "desk"],
)
def test_speaker_is_read_however_the_event_is_written(text, speaker):
    speaker_filter = SpeakerFilter()

    assert speaker_filter.allows(told_as(text))

    delta = encode_event(MessageDelta("a1", 0, "Trop tard"))
    assert speaker_filter.allows(delta) == (speaker == "assistant")


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ({"type": "beat", "from": "a", "number": 7}, Heartbeat("a", 7)),
        ({"type": "forget", "from": "", "session": JEAN}, Erasure("", JEAN)),
        (
            {"type": "order", "from": "a", "group": "g", "order": "stop"},
            RemoteCommand("a", "g", Command.STOP),
        ),
        (
            {"type": "order", "from": "a", "group": "g", "order": "yield"},
            RemoteCommand("a", "g", Command.PAUSE),
        ),
        ({"type": "beat", "from": "a", "number": 7, "of_a_newer_release": 1}, Heartbeat("a", 7)),
    ],
)
def test_messages_that_are_understood(message, value):
    assert decode_message(message) == value


@pytest.mark.parametrize(
    ("message", "encoded"),
    [
        (Heartbeat("a", 7), {"type": "beat", "from": "a", "number": 7}),
        (Erasure("", JEAN), {"type": "forget", "from": "", "session": JEAN}),
        (
            RemoteCommand("a", "g", Command.PAUSE),
            {"type": "order", "from": "a", "group": "g", "order": "yield"},
        ),
        (
            RemoteEvent("a", "g", EncodedEvent("error", "q1", "", "q1.1", "{}")),
            {
                "type": "event",
                "from": "a",
                "group": "g",
                "event": "error",
                "about": "q1",
                "text": "{}",
            },
        ),
    ],
)
def test_messages_are_written_as_other_releases_read_them(message, encoded):
    assert encode_message(message) == encoded
    assert all(type(value) in (str, int) for value in encode_message(message).values())


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        ({"type": "telepathy", "from": "a"}, UnknownMessage),
        ({"type": "order", "from": "a", "group": "g", "order": "sing"}, UnknownMessage),
        ({"type": "beat", "from": "a", "number": 2**60}, InvalidMessage),
        ({"type": "beat", "from": "a"}, InvalidMessage),
        ({"type": "forget", "from": "a", "session": 3}, InvalidMessage),
        ("beat", InvalidMessage),
    ],
)
def test_messages_that_are_refused(message, refusal):
    with pytest.raises(refusal):
        decode_message(message)


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"message.delta","id":"a1","offset":"3","text":"x"}',
        '{"type":"message.delta","id":"a1","text":"x"}',
        '{"type":"message.done","message":{}}',
        '{"type":"message.delta","id":"a1","offset":3,"text":"%s"}' % ("x" * MAX_EVENT_CHARS),
    ],
    ids=["ill-typed", "incomplete", "another type", "huge"],
)
def test_events_that_a_viewer_could_not_read_are_refused(text):
    told = {"event": "message.delta", "about": "", "text": text}
    with pytest.raises(InvalidMessage):
        decode_message({"type": "event", "from": "a", "group": "g", **told})
