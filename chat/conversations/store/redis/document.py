"""Encoding of a session in Redis: its document, the keys beside it, and decoders of replies."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

import orjson

from chat.conversations.store.adviser_store import ConversationState, Row
from chat.conversations.store.memory.record import Budget, Record, RunningTurn
from chat.conversations.store.merge import Stored
from chat.conversations.store.protocol import GivenUp, Lease
from chat.conversations.store.redis.scripts import split_ids
from chat.conversations.types import (
    Author,
    Draft,
    End,
    Message,
    Outcome,
    Session,
    Unreadable,
    fingerprint,
    moment_of_text,
    unknown_fields,
)
from chat.core.clock import seconds
from chat.core.errors import SessionGone, SessionNotFound, SessionUnreadable
from chat.core.ids import isoformat, ref_of
from chat.core.json import JSON

#: The year 9999, after which there is no datetime.
LATEST_MS = 253_370_764_800_000


def watch_group(session_id: str) -> str:
    """Name of the channel-layer group of a session; the id cannot be read from it."""
    return "s." + hashlib.blake2s(session_id.encode(), digest_size=12).hexdigest()


def watch_channel(session_id: str) -> str:
    """The Redis channel that ``RedisPubSubChannelLayer`` uses for that group."""
    return f"chat__group__{watch_group(session_id)}"


def json_of(text: bytes | str) -> Any:
    """Decode JSON; halves of surrogate pairs, which cannot be encoded again, are replaced."""
    data = json.loads(text if isinstance(text, str) else text.decode())
    escapes = ("\\ud", "\\uD") if isinstance(text, str) else (b"\\ud", b"\\uD")
    return _encodable(data) if any(escape in text for escape in escapes) else data  # type: ignore[operator]


def _encodable(value: Any) -> Any:
    match value:
        case str():
            return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in value)
        case list():
            return [_encodable(item) for item in value]
        case dict():
            return {_encodable(name): _encodable(item) for name, item in value.items()}
    return value


def form_in(text: bytes | str | None) -> JSON | None:
    """Decode a form; what is no object is none."""
    form = json_of(text) if text else None
    return form if isinstance(form, dict) else None


def finite(text: bytes | str | None) -> float:
    """Read a moment in ms; what is none in the years of a datetime is 0."""
    try:
        number = float(text or 0)
    except ValueError:
        return 0.0
    return number if 0 <= number < LATEST_MS else 0.0


def dumps(data: JSON) -> str:
    return orjson.dumps(data).decode()


def head(
    session_id: str, owner: str, epoch: str, created_at: datetime, extra: JSON | None = None
) -> str:
    """A document as far as its messages, which stand last so that one more is a mere append.

    ``extra``: what another release wrote besides.
    """
    start = {"id": session_id, "owner": owner, "epoch": epoch, "created_at": isoformat(created_at)}
    start = {**(extra or {}), **start}
    return dumps(start)[:-1] + ',"messages":['


_FIELDS = frozenset(("id", "owner", "epoch", "created_at", "messages"))
#: Of the hash: those that have a meaning here. ``n`` and ``state`` are written anew.
_KNOWN_FIELDS = frozenset(
    b"epoch owner n began language state adviser adviser_id hold_until taken_by adviser_at asked_at"
    b" instruction cut pending head_at turn answer lease lease_until stop failed form form_version"
    b" gone".split()
)


def session_of(document: JSON, expiry_ms: int, **live: Any) -> Session:
    texts = (document["id"], document["owner"], document["epoch"])
    if not all(isinstance(text, str) for text in texts):
        raise Unreadable("not a text")
    return Session(
        id=document["id"],
        owner=document["owner"],
        epoch=document["epoch"],
        created_at=moment_of_text(document["created_at"]),
        extra=unknown_fields(document, _FIELDS),
        expires_at=datetime.fromtimestamp(expiry_ms / 1000, UTC),
        messages=tuple(Message.from_json(message) for message in document["messages"]),
        **live,
    )


def stored(session_id: str, reply: list[Any]) -> Stored:
    """Read the reply of ``lua/peek.lua``."""
    raw, expiry, draft, version, now_ms, pairs = reply
    raw_pairs = iter(pairs)
    raw_fields = dict(zip(raw_pairs, raw_pairs, strict=True))
    fields = {name.decode(): text.decode() for name, text in raw_fields.items() if _is_read(name)}
    gone = fields.get("gone", "")
    if not raw:
        return Stored(record=None, gone=gone, version=version.decode())
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:  # it takes no lone surrogate
        document = json_of(raw)
    record = Record(
        id=session_id,
        owner=fields["owner"],
        epoch=fields["epoch"],
        created_at=moment_of_text(document["created_at"]),
        extra=unknown_fields(document, _FIELDS),
        raw_fields={n: text for n, text in raw_fields.items() if not _is_read(n)},
        expires=expiry / 1000,
        adviser=fields.get("adviser", ""),
        adviser_id=fields.get("adviser_id", ""),
        hold_until=_seconds(fields, "hold_until"),
        adviser_at=_seconds(fields, "adviser_at"),
        taken_by=fields.get("taken_by", ""),
        asked_at=_seconds(fields, "asked_at"),
        instruction=fields.get("instruction", ""),
        language=fields.get("language", ""),
        cut=fields.get("cut", "") != "",
        form=form_in(fields.get("form")),
        form_version=int(fields.get("form_version") or 0),
        outcomes={
            name[2:]: Outcome.from_text(text)
            for name, text in fields.items()
            if name.startswith("t:")
        },
        budgets={
            name[2:]: _budget(text, now_ms)
            for name, text in fields.items()
            if name[:2] == "d:" and _BUDGET.match(text)
        },
        gone=gone,
        elsewhere=True,
    )
    for message in document["messages"]:
        record.add(Message.from_json(message))
    # Ids of no message, as a damaged queue has them, would wait for ever.
    record.pending = [id_ for id_ in fields.get("pending", "").split() if id_ in record.by_id]
    if fields.get("turn"):
        record.turn = RunningTurn(
            question_id=fields["turn"],
            answer_id=fields["answer"],
            token=fields["lease"],
            until=_here(finite(fields.get("lease_until")), now_ms),
            draft=draft,
        )
    return Stored(record=record, gone=gone, version=version.decode())


def _is_read(name: bytes) -> bool:
    """Whether a field of the hash is read here; what messages are known by is written back."""
    return name in _KNOWN_FIELDS or name[:2] in (b"t:", b"d:")


def _here(moment_ms: float, now_ms: int) -> float:
    """Return a moment of Redis's clock, ``now_ms`` being now, as one of this process's clock."""
    return seconds() + (moment_ms - now_ms) / 1000


_BUDGET = re.compile(r"\d+\|\d+\Z")


def _budget(text: str, now_ms: int) -> Budget:
    due_ms, attempts = text.split("|")
    return Budget(due=_here(finite(due_ms), now_ms), attempts=int(attempts))


def _seconds(fields: dict[str, str], name: str) -> float:
    return finite(fields.get(name)) / 1000


def replacement(record: Record) -> list[Any]:
    """Write the arguments of ``lua/replace.lua``, from the document on."""
    turn = record.turn
    failed = (f"{id_}|{o.code}" for id_, o in record.outcomes.items() if o.end is End.FAILED)
    running: list[Any] = ["", "", "", 0, ""]
    if turn is not None:
        left_ms = max(0, round((turn.until - seconds()) * 1000))
        running = [turn.question_id, turn.answer_id, turn.token, left_ms, turn.draft]
    fields = [*_speaking(record), *_known(record)]
    messages = ",".join(dumps(message.to_json()) for message in record.messages)
    return [
        head(record.id, record.owner, record.epoch, record.created_at, record.extra)
        + messages
        + "]}",
        record.epoch,
        record.owner,
        round(record.created_at.timestamp() * 1000),
        record.gone,
        len(record.messages),
        " ".join(record.pending),
        " ".join(failed),
        *running,
        *fields,
    ]


def _speaking(record: Record) -> list[Any]:
    moments = {
        "hold_until": record.hold_until,
        "adviser_at": record.adviser_at,
        "asked_at": record.asked_at,
    }
    texts = {
        "adviser": record.adviser,
        "adviser_id": record.adviser_id,
        "taken_by": record.taken_by,
        "instruction": record.instruction,
        "language": record.language,
        "cut": "1" if record.cut else "",
        "form": dumps(record.form) if record.form is not None else "",
        "form_version": str(record.form_version or ""),
    }
    in_ms = {name: round(moment * 1000) for name, moment in moments.items() if moment}
    return [part for pair in (texts | in_ms).items() for part in pair]


def _known(record: Record) -> list[Any]:
    """What each message and each outcome is known by, and what another release knows besides."""
    fields: list[Any] = [part for pair in record.raw_fields.items() for part in pair]
    for message in record.messages:
        if f"m:{message.id}".encode() not in record.raw_fields:
            fields += [f"m:{message.id}", _print(message)]
    for question_id, outcome in record.outcomes.items():
        fields += [f"t:{question_id}", outcome.to_text()]
    for question_id, budget in record.budgets.items():
        left_ms = round((budget.due - seconds()) * 1000)
        fields += [f"d:{question_id}", f"{left_ms}|{budget.attempts}"]
    return fields


def _print(message: Message) -> str:
    """As ``m:<id>`` of ``lua/common.lua`` tells."""
    match message.author:
        case Author.CUSTOMER:
            return fingerprint(message.text)
        case Author.ADVISER:
            return f"adviser:{fingerprint(message.text)}"
    return "-"


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


_STATES: dict[str, ConversationState] = {state.value: state for state in ConversationState}


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
        state=_STATES.get(_text(state), ConversationState.IDLE),
        adviser=_text(adviser),
        adviser_id=_text(adviser_id),
        asked_at=moment_of(finite(asked_at)) if finite(asked_at) else None,
        storage="redis",
    )
