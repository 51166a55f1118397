"""A session as Redis holds it: one JSON document and what stands beside it."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

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
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


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
    raw, expiry, *texts, pairs = reply
    epoch, owner, adviser, gone, pending, _failed, turn, answer, lease, until, draft, version = (
        text.decode() for text in texts
    )
    if not raw:
        return Stored(record=None, gone=gone, version=version)
    document = json.loads(raw)
    record = Record(
        id=session_id,
        owner=owner,
        epoch=epoch,
        created_at=datetime.fromisoformat(document["created_at"]),
        expires=expiry / 1000,
        adviser=adviser,
        pending=pending.split(),
        gone=gone,
        elsewhere=True,
    )
    for message in document["messages"]:
        record.add(Message.from_json(message))
    fields = iter(pairs)
    record.outcomes = {
        question.decode(): Outcome.from_text(outcome.decode())
        for question, outcome in zip(fields, fields, strict=True)
    }
    if turn:
        record.turn = RunningTurn(
            question_id=turn,
            answer_id=answer,
            token=lease,
            until=int(until) / 1000,
            draft=draft.encode(),
        )
    return Stored(record=record, gone=gone, version=version)


def replacement(record: Record) -> list[Any]:
    """Write the arguments of ``lua/replace.lua``, from the document on."""
    turn = record.turn
    failed = (f"{id_}|{o.code}" for id_, o in record.outcomes.items() if o.end is End.FAILED)
    running: list[Any] = ["", "", "", 0, ""]
    if turn is not None:
        left_ms = max(0, round((turn.until - seconds()) * 1000))
        running = [turn.question_id, turn.answer_id, turn.token, left_ms, turn.draft]
    fields: list[str] = []
    for message in record.messages:
        own = message.author is Author.CUSTOMER
        fields += [f"m:{message.id}", fingerprint(message.text) if own else "-"]
    for question_id, outcome in record.outcomes.items():
        fields += [f"t:{question_id}", outcome.to_text()]
    messages = ",".join(dumps(message.to_json()) for message in record.messages)
    return [
        head(record.id, record.owner, record.epoch, record.created_at) + messages + "]}",
        record.epoch,
        record.owner,
        record.adviser,
        record.gone,
        len(record.messages),
        " ".join(record.pending),
        " ".join(failed),
        *running,
        *fields,
    ]
