"""What the scripts reply about sessions, as values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from chat.conversations.store.adviser_store import Row, State
from chat.conversations.store.protocol import GivenUp, Lease
from chat.conversations.store.redis.document import LATEST_MS, finite, form_in, json_of, session_of
from chat.conversations.store.redis.scripts import split_ids
from chat.conversations.types import Draft, Outcome, Session
from chat.core.errors import SessionGone, SessionNotFound, SessionUnreadable
from chat.core.ids import ref_of
from chat.core.json import JSON

#: Where the document stands in what ``reading`` and ``grant`` of ``lua/common.lua`` tell.
READ_DOCUMENT, GRANTED_DOCUMENT = 1, 3


def moment_of(milliseconds: bytes | float) -> datetime:
    """Return a moment of Redis's clock; what is none, or after ``LATEST_MS``, is the nearest."""
    try:
        number = float(milliseconds)
    except ValueError:
        number = 0.0
    return datetime.fromtimestamp(max(0.0, min(number, LATEST_MS)) / 1000, UTC)


def asked_at_of(milliseconds: bytes | None) -> datetime | None:
    """None also for what is no moment."""
    return moment_of(milliseconds) if milliseconds and finite(milliseconds) else None


def form_of(text: bytes | None, version: bytes | None) -> JSON:
    """Return ``form`` and ``form_version`` of a ``Session``."""
    return {"form": form_in(text), "form_version": int(version or 0)}


def refuse(status: bytes, rest: list[Any]) -> None:
    """Say that the session cannot be reached, if that is what a script replied."""
    if status == b"missing":
        raise SessionNotFound
    if status == b"gone":
        raise gone_for(rest[0].decode())


def gone_for(reason: str) -> SessionGone:
    return SessionUnreadable() if reason == "unreadable" else SessionGone(reason)


def reading(reply: list[Any]) -> tuple[bytes, Session]:
    """Return the status and the session, of what ``reading`` of ``lua/common.lua`` tells.

    Raises:
        SessionNotFound, SessionGone: there is none to read.
    """
    status, *rest = reply
    refuse(status, rest)
    document, expiry, adviser, adviser_id, asked_at, instruction, *live = rest
    pending, failed, answer, draft, gone, *form = live
    session = session_of(
        json_of(document),
        expiry,
        adviser=adviser.decode(),
        adviser_id=adviser_id.decode(),
        asked_at=asked_at_of(asked_at),
        instruction=instruction.decode(),
        waiting=tuple(pending.decode().split()),
        failed=dict(item.split("|", 1) for item in failed.decode().split()),
        draft=Draft(id=answer.decode(), text=draft.decode(errors="ignore")) if draft else None,
        ended=gone == b"ended",
        **form_of(*form),
    )
    return status, session


def lease_of(
    token: str,
    sent_at: float,
    question: bytes,
    answer: bytes,
    again: bytes,
    document: bytes,
    expiry: int,
    left_ms: int,
    attempt: int,
    asked_at: bytes | None,
    instruction: bytes | None,
    form: bytes | None,
    form_version: bytes | None,
) -> Lease:
    """Read what ``grant`` of ``lua/common.lua`` tells.

    All times count from when the script was sent: the reply may be read long after it came.
    """
    session = session_of(
        json_of(document),
        expiry,
        asked_at=asked_at_of(asked_at),
        instruction=(instruction or b"").decode(),
        **form_of(form, form_version),
    )
    return Lease(
        session=session,
        question_id=question.decode(),
        answer_id=answer.decode(),
        token=token,
        again=again == b"1",
        granted_at=sent_at,
        deadline=sent_at + left_ms / 1000,
        attempt=attempt,
    )


def outcomes_of(ended: list[bytes]) -> dict[str, Outcome]:
    """Read "question id", outcome of each, as ``lua/claim.lua`` tells those that have ended."""
    pairs = iter(ended)
    return {
        question.decode(): Outcome.from_text(outcome.decode())
        for question, outcome in zip(pairs, pairs, strict=True)
    }


def given_up_of(told: list[Any]) -> tuple[GivenUp, ...]:
    """Read "question id", outcome, attempts of each that ``lua/claim.lua`` gave up."""
    parts = iter(told)
    return tuple(
        GivenUp(
            question_id=question.decode(),
            outcome=Outcome.from_text(outcome.decode()),
            attempts=attempts,
        )
        for question, outcome, attempts in zip(parts, parts, parts, strict=True)
    )


_STATES: dict[str, State] = {state.value: state for state in State}


def _text(field: bytes | None) -> str:
    """A field of a row: what cannot be read is shown as far as it can."""
    return (field or b"").decode(errors="replace")


def rows_of(told: list[Any], ttl_ms: int) -> tuple[Row, ...]:
    """Read what ``rows`` of ``lua/common.lua`` tells."""
    return tuple(_row(*entry, ttl_ms=ttl_ms) for entry in told if split_ids([entry[0]])[0])


def _row(raw_id: bytes, expiry: bytes, size: int, fields: list[Any], *, ttl_ms: int) -> Row:
    session_id, expires_ms = raw_id.decode(), float(expiry)
    owner, began, messages, language, state, adviser, adviser_id, asked_at = fields
    last_at = moment_of(expires_ms - ttl_ms)
    return Row(
        id=session_id,
        ref=ref_of(session_id),
        owner=_text(owner),
        began_at=moment_of(finite(began)) if finite(began) else last_at,
        last_at=last_at,
        expires_at=moment_of(expires_ms),
        messages=round(finite(messages)),
        bytes=size,
        language=_text(language),
        state=_STATES.get(_text(state), State.IDLE),
        adviser=_text(adviser),
        adviser_id=_text(adviser_id),
        asked_at=moment_of(finite(asked_at)) if finite(asked_at) else None,
        storage="redis",
    )
