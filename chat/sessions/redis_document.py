"""A session as Redis holds it: one JSON document and what stands beside it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import orjson

from chat.sessions.memory_record import Record, RunningTurn, seconds
from chat.sessions.merge import Stored
from chat.sessions.types import (
    JSON,
    Author,
    End,
    Message,
    Outcome,
    Session,
    fingerprint,
    isoformat,
)


def watch_group(session_id: str) -> str:
    """Name of the channel-layer group of a session; the id cannot be read from it."""
    return "s." + hashlib.blake2s(session_id.encode(), digest_size=12).hexdigest()


def watch_channel(session_id: str) -> str:
    """The Redis channel that ``RedisPubSubChannelLayer`` uses for that group."""
    return f"chat__group__{watch_group(session_id)}"


def dumps(data: JSON) -> str:
    return orjson.dumps(data).decode()


def head(session_id: str, owner: str, epoch: str, created_at: datetime) -> str:
    """A new document as far as its messages, which stand last so that one more is a mere append."""
    start = {"id": session_id, "owner": owner, "epoch": epoch, "created_at": isoformat(created_at)}
    return dumps(start)[:-1] + ',"messages":['


def session_of(document: JSON, expiry_ms: int, **live: Any) -> Session:
    return Session(
        id=document["id"],
        owner=document["owner"],
        epoch=document["epoch"],
        created_at=datetime.fromisoformat(document["created_at"]),
        expires_at=datetime.fromtimestamp(expiry_ms / 1000, UTC),
        messages=tuple(Message.from_json(message) for message in document["messages"]),
        **live,
    )


def stored(session_id: str, reply: list[Any]) -> Stored:
    """Read the reply of ``lua/peek.lua``."""
    raw, expiry, draft, version, pairs = reply
    texts = iter(text.decode() for text in pairs)
    fields = dict(zip(texts, texts, strict=True))
    gone = fields.get("gone", "")
    if not raw:
        return Stored(record=None, gone=gone, version=version.decode())
    document = orjson.loads(raw)
    record = Record(
        id=session_id,
        owner=fields["owner"],
        epoch=fields["epoch"],
        created_at=datetime.fromisoformat(document["created_at"]),
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
        form=json.loads(fields["form"]) if fields.get("form") else None,
        form_version=int(fields.get("form_version") or 0),
        pending=fields.get("pending", "").split(),
        outcomes={
            name[2:]: Outcome.from_text(text)
            for name, text in fields.items()
            if name.startswith("t:")
        },
        gone=gone,
        elsewhere=True,
    )
    for message in document["messages"]:
        record.add(Message.from_json(message))
    if fields.get("turn"):
        record.turn = RunningTurn(
            question_id=fields["turn"],
            answer_id=fields["answer"],
            token=fields["lease"],
            until=_seconds(fields, "lease_until"),
            draft=draft,
        )
    return Stored(record=record, gone=gone, version=version.decode())


def _seconds(fields: dict[str, str], name: str) -> float:
    return float(fields.get(name) or 0) / 1000


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
        head(record.id, record.owner, record.epoch, record.created_at) + messages + "]}",
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


def _known(record: Record) -> list[str]:
    """What each message and each outcome is known by."""
    fields: list[str] = []
    for message in record.messages:
        fields += [f"m:{message.id}", _print(message)]
    for question_id, outcome in record.outcomes.items():
        fields += [f"t:{question_id}", outcome.to_text()]
    return fields


def _print(message: Message) -> str:
    """As ``m:<id>`` of ``lua/common.lua`` tells."""
    match message.author:
        case Author.CUSTOMER:
            return fingerprint(message.text)
        case Author.ADVISER:
            return f"adviser:{fingerprint(message.text)}"
    return "-"
