from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chat import protocol
from chat.errors import BY_CODE, ChatError, InvalidJSON, InvalidMessage
from chat.frames import (
    Ping,
    SendMessage,
    StopTurn,
    SyncSession,
    checked_text,
    parse_frame,
    parse_json,
)
from chat.protocol import Failed, MessageDelta, MessageDone, encode, sealed
from chat.sessions.types import Author, Message

DOC = (Path(__file__).parent.parent / "docs" / "protocol.md").read_text()


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


def test_envelope_says_whose_end_it_is():
    answer = Message(author=Author.ASSISTANT, text="Oui", reply_to="q1")

    assert sealed(MessageDone(answer)).about == "q1"
    assert sealed(Failed.from_error(ChatError(), "q2")).about == "q2"
    assert sealed(MessageDelta("a", 0, "x")).about == ""


def test_error_has_only_what_it_knows():
    error = BY_CODE["rate_limited"](retry_after_s=3)

    assert Failed.from_error(error).body() == {
        "code": "rate_limited",
        "message": error.message,
        "retry_after_s": 3,
    }


def test_every_event_is_documented_and_every_documented_event_exists():
    documented = set(re.findall(r'<- \{"type": "([a-z.]+)"', DOC))
    made = {
        value.type
        for value in vars(protocol).values()
        if isinstance(value, type) and hasattr(value, "type") and hasattr(value, "body")
    }

    assert documented == made


def test_every_documented_frame_is_parsed():
    for raw in re.findall(r"=> (\{.*\})", DOC):
        parse_frame(raw.replace("<made by the client, ^[A-Za-z0-9_-]{1,100}$>", "a"), 100)
