"""Two copies of one conversation become one again, after memory stood in for Redis. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chat.sessions.memory_record import Record, RunningTurn
from chat.sessions.types import Message, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What Redis has of the conversation when memory wants to give back what it kept.

    ``record``: None when it has none. ``gone``: "erased" when it was. ``version``: changes
    with every write; "" when there is nothing.
    """

    record: Record | None
    gone: str
    version: str


def merge(kept: Record, stored: Stored) -> Record | None:
    """Return the conversation that Redis is to have, or None when memory's is to be dropped.

    Every message of both is in it once. Redis's order stands; what memory has besides is put
    by time, in its own order. A question has one end and one answer: Redis's if it has one.

    Who answers is what the newer coming or leaving of an adviser says, the instruction with it;
    an adviser who answers leaves no question and no answer to the assistant. Of the ticket that
    is being made the higher version stands, or that there is none any more.

    Dropped: what was erased, and what belongs to an earlier conversation under the same id.
    """
    if stored.gone == "erased":
        return None
    theirs = stored.record
    if theirs is None:
        return kept
    if theirs.epoch != kept.epoch and kept.elsewhere:
        return None
    outcomes = {**kept.outcomes, **theirs.outcomes}
    pending = [
        id_ for id_ in dict.fromkeys([*theirs.pending, *kept.pending]) if id_ not in outcomes
    ]
    speaking = max(theirs, kept, key=lambda record: record.adviser_at)
    asked_at = max(theirs.asked_at, kept.asked_at)
    filling = max(theirs, kept, key=lambda record: record.form_version)
    gone = theirs.gone or kept.gone
    both = replace(
        theirs,
        adviser=speaking.adviser,
        adviser_id=speaking.adviser_id,
        hold_until=speaking.hold_until,
        adviser_at=speaking.adviser_at,
        taken_by=speaking.taken_by,
        instruction=speaking.instruction,
        asked_at=asked_at if asked_at > speaking.adviser_at and not speaking.adviser else 0.0,
        language=kept.language or theirs.language,
        asides=kept.asides,
        expires=max(theirs.expires, kept.expires),
        messages=[],
        by_id={},
        bytes=0,
        pending=pending,
        outcomes=outcomes,
        form=None if gone else filling.form,
        form_version=filling.form_version,
        gone=gone,
        turn=_turn(kept, theirs, pending),
    )
    for message in _interleaved(theirs.messages, _extras(kept, theirs, outcomes)):
        both.add(message)
    both.cut = both.last_was_cut()
    if both.adviser:
        both.silence(datetime.fromtimestamp(both.adviser_at, UTC))
    return both


def _extras(kept: Record, theirs: Record, outcomes: dict[str, Outcome]) -> Iterable[Message]:
    """What only memory has, but for second answers."""
    for message in kept.messages:
        ending = outcomes.get(message.reply_to)
        second = bool(ending and ending.answer_id and ending.answer_id != message.id)
        if message.id not in theirs.by_id and not second:
            yield message


def _interleaved(base: Iterable[Message], extras: Iterable[Message]) -> list[Message]:
    together = list(base)
    at = 0
    for extra in extras:
        while at < len(together) and together[at].sent_at <= extra.sent_at:
            at += 1
        together.insert(at, extra)
        at += 1
    return together


def _turn(kept: Record, theirs: Record, pending: list[str]) -> RunningTurn | None:
    """Whose right to answer goes on: that of a live writer in Redis, else memory's."""
    for turn in (theirs.turn if theirs.leased() else None, kept.turn):
        if turn is not None and turn.question_id in pending:
            return turn
    return None
