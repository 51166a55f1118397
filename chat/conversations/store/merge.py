"""Two copies of one conversation become one again, after memory stood in for Redis. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chat.conversations.store.memory.record import Budget, Record, RunningTurn
from chat.conversations.types import Author, End, Message, Outcome


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
    by time, in its own order. So is a question that memory took before Redis did: it was asked
    again at another worker. A question has one end and one answer: Redis's if it has one.

    Who answers is what the newer coming or leaving of an adviser says, the instruction with it;
    an adviser who answers leaves no question and no answer to the assistant. Of the ticket that
    is being made the higher version stands, or that there is none any more.

    Dropped: what was erased, and what belongs to an earlier conversation under the same id. That of
    another owner is not joined either: see ``is_of_another``.
    """
    if stored.gone == "erased":
        return None
    theirs = stored.record
    if theirs is None:
        return kept
    if theirs.epoch != kept.epoch and kept.elsewhere:
        return None
    if theirs.owner != kept.owner:
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
        staff_notes=kept.staff_notes,
        expires=max(theirs.expires, kept.expires),
        messages=[],
        by_id={},
        bytes=0,
        pending=pending,
        budgets=_budgets(kept, theirs, pending),
        outcomes=outcomes,
        form=None if gone else filling.form,
        form_version=filling.form_version,
        gone=gone,
        extra=({**(kept.extra or {}), **(theirs.extra or {})}) or None,
        turn=_turn(kept, theirs, pending),
    )
    extras = list(_extras(kept, theirs, outcomes))
    besides = {message.id for message in extras}
    base = (message for message in theirs.messages if message.id not in besides)
    for message in _interleaved(base, extras):
        both.add(message)
    both.cut = both.last_was_cut()
    if both.adviser:
        both.silence(datetime.fromtimestamp(both.adviser_at, UTC))
    return both


def is_of_another(kept: Record, stored: Stored) -> bool:
    """Whether Redis has a conversation of somebody else under the id of one that was begun in
    memory: neither may read what the other wrote, and both were told that it is kept.
    """
    theirs = stored.record
    return theirs is not None and theirs.owner != kept.owner and not kept.elsewhere


def apart_id(kept: Record) -> str:
    """Return the id under which Redis gets such a conversation, the same whenever it is tried.

    It is derived from the secret ``epoch``, so nobody can name it.
    """
    return hashlib.sha256(f"apart:{kept.id}:{kept.epoch}".encode()).hexdigest()[:32]


def _extras(kept: Record, theirs: Record, outcomes: dict[str, Outcome]) -> Iterable[Message]:
    """What only memory has, or had first, but for second answers."""
    for message in kept.messages:
        ending = outcomes.get(message.reply_to)
        second = bool(ending and ending.answer_id and ending.answer_id != message.id)
        known = theirs.by_id.get(message.id)
        if known is not None:
            if _is_asked_again(message, known):
                yield message
        elif not second and not _is_too_late(message, theirs):
            yield message


def _is_asked_again(message: Message, known: Message) -> bool:
    """Whether Redis got a question of memory only when its customer sent it once more."""
    is_same = message.author is Author.CUSTOMER and message.text == known.text
    return is_same and message.sent_at < known.sent_at


def _is_too_late(message: Message, theirs: Record) -> bool:
    """Whether the model ended this answer when, unknown to memory, an adviser had cut it."""
    outcome = theirs.outcomes.get(message.reply_to)
    is_cut = outcome is not None and outcome.end is End.TAKEN_OVER
    return is_cut and message.sent_at.timestamp() > theirs.adviser_at


def _interleaved(base: Iterable[Message], extras: Iterable[Message]) -> list[Message]:
    together = list(base)
    at = 0
    for extra in extras:
        while at < len(together) and together[at].sent_at <= extra.sent_at:
            at += 1
        together.insert(at, extra)
        at += 1
    return together


def _budgets(kept: Record, theirs: Record, pending: list[str]) -> dict[str, Budget]:
    """Of both the later deadline, which is that of the question when it was asked again, and the
    larger number of attempts.
    """
    both: dict[str, Budget] = {}
    for id_ in pending:
        known = [record.budgets[id_] for record in (kept, theirs) if id_ in record.budgets]
        if known:
            due, attempts = max(b.due for b in known), max(b.attempts for b in known)
            both[id_] = Budget(due=due, attempts=attempts)
    return both


def _turn(kept: Record, theirs: Record, pending: list[str]) -> RunningTurn | None:
    """Whose right to answer goes on: that of a live writer in Redis, else memory's."""
    for turn in (theirs.turn if theirs.leased() else None, kept.turn):
        if turn is not None and turn.question_id in pending:
            return turn
    return None
