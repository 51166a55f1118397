from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.conversations.store.memory.record import Record, RunningTurn
from chat.conversations.store.merge import Stored, apart_id, is_of_another, merge
from chat.conversations.types import Author, End, Message, Outcome
from chat.core.clock import seconds

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
        # a question asked again elsewhere before this copy was merged stands where it was first
        ([said("q2", 2)], [said("q3", 3), said("q2", 4)], ["q2", "q3"]),
        ([said("q2", 5)], [said("q2", 2), said("q3", 3)], ["q2", "q3"]),
        ([said("q3", 4), said("q2", 5)], [said("q2", 2), said("q3", 3)], ["q2", "q3"]),
        # an answer stands where Redis has it
        ([said("a2", 2, "q1")], [said("q3", 3), said("a2", 4, "q1")], ["q3", "a2"]),
        # a second answer to the same question is dropped
        ([said("q2", 2), said("b2", 3, "q2")], [said("q2", 2), said("a2", 4, "q2")], ["q2", "a2"]),
    ],
)
def test_every_message_is_there_once_in_one_order(kept, theirs, expected):
    merged = merge(record(*COMMON, *kept), stored(record(*COMMON, *theirs)))

    assert ids(merged) == ["q1", "a1", *expected]


def test_text_that_redis_has_under_an_id_stays_where_it_is():
    other = replace(said("q2", 2), text="autre texte")

    merged = merge(record(*COMMON, other), stored(record(*COMMON, said("q3", 3), said("q2", 4))))

    assert ids(merged) == ["q1", "a1", "q3", "q2"]
    assert merged is not None
    assert merged.messages[-1].text == "texte q2"


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


@pytest.mark.parametrize(("left_s", "winner"), [(1e6, "theirs"), (-1, "kept")])
def test_right_to_answer_goes_on_with_whoever_lives(left_s, winner):
    kept = record(said("q2", 2), pending=["q2"], turn=turn("kept", seconds() + 5))
    theirs = record(said("q2", 2), pending=["q2"], turn=turn("theirs", seconds() + left_s))

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


@pytest.mark.parametrize(
    ("kept", "theirs", "expected"), [("de", "fr", "de"), ("", "fr", "fr"), ("de", "", "de")]
)
def test_language_is_what_memory_read_last_or_else_what_redis_knows(kept, theirs, expected):
    merged = merge(record(*COMMON, language=kept), stored(record(*COMMON, language=theirs)))

    assert merged is not None
    assert merged.language == expected


def held(by: str, at: float, *messages: Message, **more) -> Record:
    """Held by somebody who came at that moment, or by nobody since."""
    return record(*messages, adviser=by, adviser_id=by and f"id-{by}", adviser_at=at, **more)


@pytest.mark.parametrize(
    ("kept", "theirs", "speaks"),
    [
        (held("Claire", 20), held("", 10), "Claire"),
        (held("Claire", 10), held("", 20), ""),
        (held("", 20), held("Claire", 10), ""),
        (held("", 10), held("Claire", 20), "Claire"),
        (held("Karim", 20), held("Claire", 10), "Karim"),
        # a copy knows who held it, not since when: Redis knows better
        (held("Claire", 0), held("", 10), ""),
        (held("Claire", 0), held("", 0), ""),
    ],
)
def test_who_came_or_left_last_decides_who_answers(kept, theirs, speaks):
    merged = merge(kept, stored(theirs))

    assert merged is not None
    assert (merged.adviser, merged.adviser_id) == (speaks, speaks and f"id-{speaks}")


@pytest.mark.parametrize(
    ("kept_asked", "their_asked", "came_at", "expected"),
    [(30, 0, 20, 30), (0, 30, 20, 30), (30, 40, 20, 40), (10, 0, 20, 0), (0, 0, 20, 0)],
)
def test_asking_is_forgotten_by_a_later_coming_or_leaving(
    kept_asked, their_asked, came_at, expected
):
    merged = merge(
        held("", 0, asked_at=kept_asked), stored(held("", came_at, asked_at=their_asked))
    )

    assert merged is not None
    assert merged.asked_at == expected


@pytest.mark.parametrize("writer", ["kept", "theirs"])
def test_adviser_of_one_copy_cuts_the_answer_of_the_other(writer):
    running = turn(writer, seconds() + 5)
    running.draft = "Je comménce".encode()[:-4]  # in the middle of a letter
    writing = record(said("q2", 2), said("q3", 3), pending=["q2", "q3"], turn=running)
    taken = held("Claire", NOON.timestamp() + 240, said("q2", 2))
    kept, theirs = (writing, taken) if writer == "kept" else (taken, writing)

    merged = merge(kept, stored(theirs))

    assert merged is not None
    assert (merged.turn, merged.pending) == (None, [])
    assert merged.outcomes == {
        "q2": Outcome(end=End.TAKEN_OVER, answer_id="a2"),
        "q3": Outcome(end=End.TAKEN_OVER),
    }
    (cut,) = (m for m in merged.messages if m.id == "a2")
    assert (cut.text, cut.interrupted, cut.reply_to) == ("Je comm", True, "q2")


MOMENTS = st.integers(0, 5).map(float)


@st.composite
def copies(draw, *, prefix: str) -> Record:
    """One copy of a conversation in which anything may have happened, by a few rules."""
    adviser = draw(st.sampled_from(["", "Claire", "Karim"]))
    copy = held(adviser, draw(MOMENTS), *COMMON, asked_at=0.0 if adviser else draw(MOMENTS))
    for n in range(draw(st.integers(0, 3))):
        id_ = f"{draw(st.sampled_from(['both', prefix]))}-{n}"
        if id_ in copy.by_id:
            continue
        copy.add(said(id_, draw(st.integers(2, 9))))
        if adviser:
            copy.outcomes[id_] = Outcome(end=End.TAKEN_OVER)
        else:
            copy.pending.append(id_)
    if copy.pending and draw(st.booleans()):
        first = copy.pending[0]
        copy.turn = RunningTurn(
            question_id=first,
            answer_id=f"a-{prefix}-{first}",
            token=prefix,
            until=seconds() + 1e6,
            draft=draw(st.text(max_size=5)).encode(),
        )
    return copy


@given(copies(prefix="kept"), copies(prefix="theirs"))
def test_whatever_happened_each_question_waits_or_has_one_end(kept, theirs):
    known = {*kept.by_id, *theirs.by_id}

    merged = merge(kept, stored(theirs))

    assert merged is not None
    assert len(merged.by_id) == len(merged.messages)
    asked = [m.id for m in merged.messages if m.author is Author.CUSTOMER]
    assert {*asked} == {id_ for id_ in known if not id_.startswith("a")}
    assert [(id_ in merged.pending) + (id_ in merged.outcomes) for id_ in asked] == [1] * len(asked)
    if merged.adviser:
        assert (merged.pending, merged.turn, merged.asked_at) == ([], None, 0.0)
    replies = [m.reply_to for m in merged.messages if m.reply_to]
    assert len(replies) == len(set(replies))


@pytest.mark.parametrize(("came_at", "cut"), [(0.0, True), (NOON.timestamp() + 600, False)])
def test_last_answer_that_failed_is_known_unless_an_adviser_came_since(came_at, cut):
    kept = held("", came_at, *COMMON, said("q2", 2))
    kept.outcomes["q2"] = Outcome(end=End.FAILED, code="assistant_timeout")

    merged = merge(kept, stored(record(*COMMON)))

    assert merged is not None
    assert merged.cut is cut


def test_answer_that_ended_after_an_adviser_cut_it_is_not_told():
    cut = {"q2": Outcome(end=End.TAKEN_OVER)}
    at = (NOON + timedelta(minutes=3)).timestamp()
    theirs = record(*COMMON, said("q2", 2), adviser="Claire", adviser_at=at)
    theirs.outcomes |= cut
    early, late = said("a2", 2.5, "q2"), said("a2", 3.5, "q2")

    assert ids(merge(record(*COMMON, said("q2", 2), late), stored(theirs))) == ["q1", "a1", "q2"]
    assert ids(merge(record(*COMMON, said("q2", 2), early), stored(theirs))) == [
        "q1",
        "a1",
        "q2",
        "a2",
    ]


@pytest.mark.parametrize("elsewhere", [False, True])
def test_nothing_is_joined_to_the_conversation_of_another_owner(elsewhere):
    kept = record(said("q2", 2), epoch="e2", elsewhere=elsewhere)
    theirs = record(*COMMON)
    theirs.owner = "key:zoe"

    assert merge(kept, stored(theirs)) is None
    assert is_of_another(kept, stored(theirs)) is not elsewhere  # else it was there, and is over
    assert apart_id(kept) != kept.id
    assert not is_of_another(kept, stored(record(*COMMON)))
    assert not is_of_another(kept, stored(None))
