"""What the scripts reply about sessions, as values."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from chat.errors import SessionGone, SessionNotFound
from chat.sessions.desk import Row, State
from chat.sessions.redis_document import session_of
from chat.sessions.store import Lease
from chat.sessions.types import JSON, Draft, Session, ref_of


def moment_of(milliseconds: bytes | float) -> datetime:
    return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)


def asked_at_of(milliseconds: bytes | None) -> datetime | None:
    return moment_of(milliseconds) if milliseconds else None


def form_of(text: bytes | None, version: bytes | None) -> JSON:
    """Return ``form`` and ``form_version`` of a ``Session``."""
    return {"form": json.loads(text) if text else None, "form_version": int(version or 0)}


def refuse(status: bytes, rest: list[Any]) -> None:
    """Say that the session cannot be reached, if that is what a script replied."""
    if status == b"missing":
        raise SessionNotFound
    if status == b"gone":
        raise SessionGone(rest[0].decode())


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
        json.loads(document),
        expiry,
        adviser=adviser.decode(),
        adviser_id=adviser_id.decode(),
        asked_at=asked_at_of(asked_at),
        instruction=instruction.decode(),
        waiting=tuple(pending.decode().split()),
        failed=dict(item.split("|") for item in failed.decode().split()),
        draft=Draft(id=answer.decode(), text=draft.decode(errors="ignore")) if draft else None,
        ended=gone == b"ended",
        **form_of(*form),
    )
    return status, session


def lease_of(
    token: str,
    question: bytes,
    answer: bytes,
    again: bytes,
    document: bytes,
    expiry: int,
    asked_at: bytes | None,
    instruction: bytes | None,
    form: bytes | None,
    form_version: bytes | None,
) -> Lease:
    """Read what ``grant`` of ``lua/common.lua`` tells."""
    session = session_of(
        json.loads(document),
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
    )


def rows_of(told: list[Any], ttl_ms: int) -> tuple[Row, ...]:
    """Read what ``rows`` of ``lua/common.lua`` tells."""
    return tuple(_row(*entry, ttl_ms=ttl_ms) for entry in told)


def _row(raw_id: bytes, expiry: bytes, size: int, fields: list[Any], *, ttl_ms: int) -> Row:
    session_id, expires_ms = raw_id.decode(), float(expiry)
    owner, began, messages, language, state, adviser, adviser_id, asked_at = fields
    last_at = moment_of(expires_ms - ttl_ms)
    return Row(
        id=session_id,
        ref=ref_of(session_id),
        owner=(owner or b"").decode(),
        began_at=moment_of(began) if began else last_at,
        last_at=last_at,
        expires_at=moment_of(expires_ms),
        messages=int(messages or 0),
        bytes=size,
        language=(language or b"").decode(),
        state=State((state or b"idle").decode()),
        adviser=(adviser or b"").decode(),
        adviser_id=(adviser_id or b"").decode(),
        asked_at=asked_at_of(asked_at),
        storage="redis",
    )
