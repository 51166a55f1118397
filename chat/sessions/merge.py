"""Two copies of one conversation become one again, after memory stood in for Redis. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

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
    both = replace(
        theirs,
        expires=max(theirs.expires, kept.expires),
        messages=[],
        by_id={},
        bytes=0,
        pending=pending,
        outcomes=outcomes,
        gone=theirs.gone or kept.gone,
        turn=_turn(kept, theirs, pending),
    )
    for message in _interleaved(theirs.messages, _extras(kept, theirs, outcomes)):
        both.add(message)
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
