from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chat.sessions.memory_record import Record, RunningTurn, seconds
from chat.sessions.merge import Stored, merge
from chat.sessions.types import Author, End, Message, Outcome

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


def said(id_: str, minute: float, reply_to: str = "") -> Message:
    author = Author.ASSISTANT if reply_to else Author.CUSTOMER
    at = NOON + timedelta(minutes=minute)
    return Message(author=author, id=id_, text=f"texte {id_}", sent_at=at, reply_to=reply_to)


def record(*messages: Message, epoch: str = "e1", elsewhere: bool = True, **more) -> Record:
    made = Record(
        id="s",
        owner="web",
        epoch=epoch,
        created_at=NOON,
        expires=100.0,
        elsewhere=elsewhere,
        **more,
    )
    for message in messages:
        made.add(message)
        if message.reply_to:
            made.outcomes[message.reply_to] = Outcome(end=End.DONE, answer_id=message.id)
    return made


def stored(theirs: Record | None, gone: str = "") -> Stored:
    return Stored(record=theirs, gone=gone, version="v" if theirs else "")


def ids(merged: Record | None) -> list[str]:
    assert merged is not None
    return [message.id for message in merged.messages]


COMMON = (said("q1", 0), said("a1", 1, "q1"))


@pytest.mark.parametrize(
    ("kept", "theirs", "expected"),
    [
        ([], [], []),
        ([said("q2", 2)], [], ["q2"]),
        ([], [said("q2", 2)], ["q2"]),
        ([said("q2", 2)], [said("q2", 2)], ["q2"]),
        ([said("q2", 2), said("a2", 3, "q2")], [said("q2", 2)], ["q2", "a2"]),
        ([said("q3", 4)], [said("q2", 2), said("a2", 3, "q2")], ["q2", "a2", "q3"]),
        ([said("q2", 2)], [said("q3", 4)], ["q2", "q3"]),
        # its own order stands though a clock went back
        ([said("q2", 5), said("a2", 2, "q2")], [said("q3", 3)], ["q3", "q2", "a2"]),
        # a second answer to the same question is dropped
        ([said("q2", 2), said("b2", 3, "q2")], [said("q2", 2), said("a2", 4, "q2")], ["q2", "a2"]),
    ],
)
def test_every_message_is_there_once_in_one_order(kept, theirs, expected):
    merged = merge(record(*COMMON, *kept), stored(record(*COMMON, *theirs)))

    assert ids(merged) == ["q1", "a1", *expected]


def test_what_redis_never_had_or_lost_is_given_to_it():
    kept = record(*COMMON, elsewhere=False)

    assert merge(kept, stored(None)) is kept


@pytest.mark.parametrize("elsewhere", [True, False])
def test_erased_meanwhile_does_not_revive(elsewhere):
    assert merge(record(*COMMON, elsewhere=elsewhere), stored(None, "erased")) is None


def test_earlier_conversation_under_the_same_id_does_not_revive():
    assert merge(record(*COMMON, epoch="old"), stored(record(said("q9", 9)))) is None


def test_two_workers_that_began_the_same_conversation_are_joined():
    kept = record(said("q2", 2), epoch="mine", elsewhere=False)

    merged = merge(kept, stored(record(said("q1", 1))))

    assert ids(merged) == ["q1", "q2"]
    assert merged is not None
    assert merged.epoch == "e1"


def test_a_question_keeps_one_end_and_waits_for_none():
    kept = record(*COMMON, said("q2", 2), said("a2", 3, "q2"))
    theirs = record(*COMMON, said("q2", 2), said("q3", 4), pending=["q2", "q3"])

    merged = merge(kept, stored(theirs))

    assert merged is not None
    assert merged.pending == ["q3"]
    assert merged.outcomes["q2"] == Outcome(end=End.DONE, answer_id="a2")


def turn(token: str, until: float) -> RunningTurn:
    return RunningTurn(question_id="q2", answer_id="a2", token=token, until=until)


@pytest.mark.parametrize(
    ("their_until", "winner"), [(seconds() + 1e6, "theirs"), (seconds() - 1, "kept")]
)
def test_right_to_answer_goes_on_with_whoever_lives(their_until, winner):
    kept = record(said("q2", 2), pending=["q2"], turn=turn("kept", seconds() + 5))
    theirs = record(said("q2", 2), pending=["q2"], turn=turn("theirs", their_until))

    merged = merge(kept, stored(theirs))

    assert merged is not None
    assert merged.turn is not None
    assert merged.turn.token == winner


def test_turn_that_ended_meanwhile_is_over():
    kept = record(said("q2", 2), pending=["q2"], turn=turn("kept", seconds() + 5))
    theirs = record(said("q2", 2), said("a2", 3, "q2"))

    merged = merge(kept, stored(theirs))

    assert merged is not None
    assert (merged.turn, merged.pending) == (None, [])


def test_ended_stays_ended_and_the_later_expiry_holds():
    kept = record(*COMMON, gone="ended")
    kept.expires = 200.0

    merged = merge(kept, stored(record(*COMMON)))

    assert merged is not None
    assert (merged.gone, merged.expires) == ("ended", 200.0)
