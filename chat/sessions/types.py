"""What a chat session is: plain immutable values, no I/O."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from chat.errors import BY_CODE, ChatError, Internal, SessionNotFound

JSON = dict[str, Any]

#: What an id made elsewhere (a session by a program, a message by a client) may look like.
ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")


def new_id() -> str:
    """Return an unguessable id: 160 random bits, 27 URL-safe characters."""
    return secrets.token_urlsafe(20)


def is_id(value: object) -> bool:
    return isinstance(value, str) and ID_PATTERN.match(value) is not None


def now() -> datetime:
    return datetime.now(UTC)


def isoformat(moment: datetime) -> str:
    """``2026-11-23T09:30:00.123Z``, as the wire and the store write it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fingerprint(text: str) -> str:
    """16 hex digits that tell one text from another; Lua computes the same with sha1hex."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:16]


def ref_of(session_id: str) -> str:
    """16 hex digits that stand for an id where it must not be read, as in logs and addresses."""
    return hashlib.blake2s(session_id.encode(), digest_size=8).hexdigest()


class Author(StrEnum):
    CUSTOMER = "customer"
    ASSISTANT = "assistant"
    ADVISER = "adviser"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One entry of the transcript.

    ``interrupted``: ended before its end (stop, deadline, failure).
    ``reply_to``: id of the customer's message that this one answers, or "".
    ``name``: of the adviser who wrote it, or "".
    ``sources``: what an answer rests on, each ``{"kind", "label", "ref", "url"}``, of a product
    also "price", "size", "stock" and "image" where they are known.
    """

    author: Author
    text: str
    id: str = field(default_factory=new_id)
    sent_at: datetime = field(default_factory=now)
    interrupted: bool = False
    reply_to: str = ""
    name: str = ""
    sources: tuple[JSON, ...] = ()

    def to_json(self) -> JSON:
        data: JSON = {
            "id": self.id,
            "author": self.author.value,
            "text": self.text,
            "sent_at": isoformat(self.sent_at),
            "interrupted": self.interrupted,
        }
        if self.reply_to:
            data["reply_to"] = self.reply_to
        if self.name:
            data["name"] = self.name
        if self.sources:
            data["sources"] = list(self.sources)
        return data

    @classmethod
    def from_json(cls, data: JSON) -> Message:
        return cls(
            id=data["id"],
            author=Author(data["author"]),
            text=data["text"],
            sent_at=datetime.fromisoformat(data["sent_at"]),
            interrupted=data["interrupted"],
            reply_to=data.get("reply_to", ""),
            name=data.get("name", ""),
            sources=tuple(data.get("sources", ())),
        )


class End(StrEnum):
    """How a question ended. Each has exactly one end."""

    DONE = "done"
    STOPPED = "stopped"  # by the customer
    INTERRUPTED = "interrupted"  # deadline or failure, with something written
    FAILED = "failed"  # with a code, nothing written
    TAKEN_OVER = "taken_over"  # an adviser answers instead


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one question. ``code`` is an error code when something failed.

    ``error_id``: where the log tells of it, when it was a bug.
    """

    end: End
    answer_id: str = ""
    code: str = ""
    retry_after_s: int | None = None
    error_id: str = ""

    def error(self) -> ChatError:
        """Return the failure as the customer is told of it; ``code`` must be one."""
        if self.error_id:
            return Internal(self.error_id)
        return BY_CODE.get(self.code, SessionNotFound)(retry_after_s=self.retry_after_s)

    def to_text(self) -> str:
        """``"failed||assistant_timeout|5|"``: what the store keeps."""
        retry = "" if self.retry_after_s is None else str(self.retry_after_s)
        return f"{self.end}|{self.answer_id}|{self.code}|{retry}|{self.error_id}"

    @classmethod
    def from_text(cls, text: str) -> Outcome:
        end, answer_id, code, retry, error_id = text.split("|")
        return cls(
            end=End(end),
            answer_id=answer_id,
            code=code,
            retry_after_s=int(retry) if retry else None,
            error_id=error_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The answer being written now, as far as it was kept."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A conversation as read at one moment.

    ``owner``: who may reach it: "web" (a browser), "api" (open API) or "key:<id>".
    ``epoch``: random; another one means another conversation under the same id.
    ``adviser``: name of the human who answers, "" when the assistant does; ``adviser_id``: theirs.
    ``asked_at``: since when the customer waits for a human, None when they do not.
    ``instruction``: what the last adviser told the assistant to heed, or "".
    ``waiting``: ids of the questions with no end yet, in order; the first may be answered now.
    ``failed``: error codes by id of the questions that ended without an answer.
    ``ended``: nothing more may be said, the transcript can still be read.
    ``form``: a ticket that is being made, as ``Store.put_form`` was given it, or None.
    ``form_version``: the last that a form of this conversation had, removals counted.
    """

    id: str
    owner: str
    epoch: str
    created_at: datetime
    expires_at: datetime
    messages: tuple[Message, ...] = ()
    adviser: str = ""
    adviser_id: str = ""
    asked_at: datetime | None = None
    instruction: str = ""
    draft: Draft | None = None
    waiting: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    ended: bool = False
    form: JSON | None = None
    form_version: int = 0

    @property
    def has_adviser(self) -> bool:
        return self.adviser != ""
