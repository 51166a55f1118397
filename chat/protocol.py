"""The events that the WebSocket and SSE carry to whoever watches. See ``docs/protocol.md``.

What comes in is in ``frames``. No I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import orjson

from chat.errors import BY_CODE, ChatError, InvalidForm
from chat.markup import html_of
from chat.sessions.desk import Aside
from chat.sessions.types import JSON, Draft, Message, Session, isoformat
from chat.tickets.guide import form_of, shown


def message_json(message: Message) -> JSON:
    """MESSAGE of the specification: what a viewer gets of one transcript entry."""
    return {
        "id": message.id,
        "author": message.author.value,
        "text": message.text,
        "html": html_of(message),
        "sent_at": isoformat(message.sent_at),
        "interrupted": message.interrupted,
        "reply_to": message.reply_to,
        "name": message.name,
        "sources": list(message.sources),
    }


@dataclass(frozen=True, slots=True)
class SessionState:
    """The whole conversation as it stands. ``waiting``: questions with no end yet, in order.

    ``failed``: questions that ended without an answer, each ``{"id", "code", "message"}``.
    ``asked``: the customer asked for an adviser, and none has come.
    ``form``: the ticket that is being made, as ``chat.tickets.guide.shown`` tells it, or None.
    """

    type: ClassVar[str] = "session.state"
    messages: Sequence[Message]
    draft: Draft | None
    speaker: str
    name: str
    expires_at: str
    storage_backend: str
    waiting: Sequence[str]
    failed: Sequence[JSON]
    ended: bool = False
    asked: bool = False
    form: JSON | None = None

    @classmethod
    def of(cls, session: Session, storage_backend: str) -> SessionState:
        return cls(
            messages=session.messages,
            draft=session.draft,
            speaker="adviser" if session.has_adviser else "assistant",
            name=session.adviser,
            expires_at=isoformat(session.expires_at),
            storage_backend=storage_backend,
            waiting=session.waiting,
            failed=[
                {"id": id_, "code": code, "message": BY_CODE[code].message}
                for id_, code in session.failed.items()
            ],
            ended=session.ended,
            asked=session.asked_at is not None,
            form=shown(form_of(session.form)),
        )

    @classmethod
    def empty(cls, expires_at: str, storage_backend: str) -> SessionState:
        """A conversation in which nothing was said yet; it is not stored."""
        return cls((), None, "assistant", "", expires_at, storage_backend, (), ())

    def body(self) -> JSON:
        return {
            "messages": [message_json(message) for message in self.messages],
            "draft": {"id": self.draft.id, "text": self.draft.text} if self.draft else None,
            "speaker": self.speaker,
            "name": self.name,
            "expires_at": self.expires_at,
            "storage_backend": self.storage_backend,
            "waiting": list(self.waiting),
            "failed": list(self.failed),
            "ended": self.ended,
            "asked": self.asked,
            "form": self.form,
        }


@dataclass(frozen=True, slots=True)
class MessageAccepted:
    """The message is stored; from now on it is not lost. Sent to the socket that sent it."""

    type: ClassVar[str] = "message.accepted"
    id: str

    def body(self) -> JSON:
        return {"id": self.id}


@dataclass(frozen=True, slots=True)
class MessageDelta:
    """More of the answer ``id``. ``offset``: code points of it that come before ``text``."""

    type: ClassVar[str] = "message.delta"
    id: str
    offset: int
    text: str

    def body(self) -> JSON:
        return {"id": self.id, "offset": self.offset, "text": self.text}


@dataclass(frozen=True, slots=True)
class MessageDone:
    """A complete message, of any author. Replaces what its deltas said."""

    type: ClassVar[str] = "message.done"
    message: Message

    def body(self) -> JSON:
        return {"message": message_json(self.message)}


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """The assistant looks something up. ``label`` is for the customer."""

    type: ClassVar[str] = "tool.started"
    name: str
    label: str

    def body(self) -> JSON:
        return {"name": self.name, "label": self.label}


@dataclass(frozen=True, slots=True)
class SpeakerChanged:
    """Who answers from now on: "assistant" or "adviser", with the adviser's name."""

    type: ClassVar[str] = "speaker.changed"
    speaker: str
    name: str

    def body(self) -> JSON:
        return {"speaker": self.speaker, "name": self.name}


@dataclass(frozen=True, slots=True)
class AdviserAsked:
    """The customer asked for an adviser; all their tabs show it."""

    type: ClassVar[str] = "adviser.asked"

    def body(self) -> JSON:
        return {}


@dataclass(frozen=True, slots=True)
class FormChanged:
    """The ticket that is being made, as it is now; None when there is none any more."""

    type: ClassVar[str] = "form.changed"
    form: JSON | None

    def body(self) -> JSON:
        return {"form": self.form}


@dataclass(frozen=True, slots=True)
class FormRefused:
    """A button of the recap did nothing. Sent to the socket that pressed it.

    ``fields``: what is wrong in each.
    """

    type: ClassVar[str] = "form.refused"
    id: str
    code: str
    message: str
    retry_after_s: int | None
    fields: dict[str, str]

    @classmethod
    def from_error(cls, error: ChatError, form_id: str) -> FormRefused:
        fields = error.fields if isinstance(error, InvalidForm) else {}
        return cls(form_id, error.code, error.message, error.retry_after_s, fields)

    def body(self) -> JSON:
        body: JSON = {"id": self.id, "code": self.code, "message": self.message}
        if self.retry_after_s is not None:
            body["retry_after_s"] = self.retry_after_s
        return {**body, "fields": self.fields}


@dataclass(frozen=True, slots=True)
class DeskState:
    """The whole conversation as the staff see it.

    ``holder``: ``{"name", "mine"}`` of the adviser who answers, or None. ``asked_at``: since when
    the customer waits for one, or None.
    """

    type: ClassVar[str] = "desk.state"
    session: SessionState
    ref: str
    asides: Sequence[Aside]
    holder: JSON | None
    asked_at: str | None
    language: str

    def body(self) -> JSON:
        return {
            **self.session.body(),
            "ref": self.ref,
            "asides": [aside.to_json() for aside in self.asides],
            "holder": self.holder,
            "asked_at": self.asked_at,
            "language": self.language,
        }


@dataclass(frozen=True, slots=True)
class AsideAdded:
    """Something was written beside the conversation; for the staff only."""

    type: ClassVar[str] = "aside.added"
    aside: Aside

    def body(self) -> JSON:
        return {"aside": self.aside.to_json()}


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Nothing more can be said here. ``reason``: "expired", "ended" or "erased"."""

    type: ClassVar[str] = "session.ended"
    reason: str

    def body(self) -> JSON:
        return {"reason": self.reason}


@dataclass(frozen=True, slots=True)
class Failed:
    """Something did not happen. ``id``: the customer's message it is about, or ""."""

    type: ClassVar[str] = "error"
    code: str
    message: str
    retry_after_s: int | None = None
    id: str = ""

    @classmethod
    def from_error(cls, error: ChatError, message_id: str = "") -> Failed:
        return cls(error.code, error.message, error.retry_after_s, message_id)

    def body(self) -> JSON:
        body: JSON = {"code": self.code, "message": self.message}
        if self.retry_after_s is not None:
            body["retry_after_s"] = self.retry_after_s
        if self.id:
            body["id"] = self.id
        return body


@dataclass(frozen=True, slots=True)
class Pong:
    type: ClassVar[str] = "pong"

    def body(self) -> JSON:
        return {}


ServerEvent = (
    SessionState
    | MessageAccepted
    | MessageDelta
    | MessageDone
    | ToolStarted
    | SpeakerChanged
    | AdviserAsked
    | FormChanged
    | FormRefused
    | DeskState
    | AsideAdded
    | SessionEnded
    | Failed
    | Pong
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event ready to be sent, with what a reader must know without parsing it.

    ``about``: id of the question that this event gives its end, or "".
    """

    type: str
    about: str
    text: str


def sealed(event: ServerEvent) -> Envelope:
    """Encode the event once, for however many viewers."""
    about = ""
    if isinstance(event, MessageDone):
        about = event.message.reply_to
    elif isinstance(event, Failed):
        about = event.id
    return Envelope(event.type, about, encode(event))


def encode(event: ServerEvent) -> str:
    """Return the event as one line of JSON, accents as they are."""
    return orjson.dumps({"type": event.type, **event.body()}).decode()
