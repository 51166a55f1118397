"""The events that the WebSocket and SSE carry to whoever watches. See ``docs/protocol.md``.

What comes in is in ``frames``. No I/O.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, get_args

import orjson

from chat.conversations.markup import html_of
from chat.conversations.store.adviser_store import StaffNote
from chat.conversations.transcript import last_page
from chat.conversations.types import (
    MESSAGE_FIELDS,
    Draft,
    End,
    Message,
    Outcome,
    Session,
    Unreadable,
    decoding,
)
from chat.core.errors import ChatError, InvalidForm
from chat.core.ids import isoformat
from chat.core.json import JSON


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


def message_of_json(data: JSON) -> Message | None:
    """Read what ``message_json`` wrote, but for its HTML; None when it is no message.

    Fields of another release are left out: whether they belong to the message is not known here.
    """
    known = {name: data[name] for name in MESSAGE_FIELDS if name in data}
    try:
        with decoding():
            return Message.from_json(known)
    except Unreadable:
        return None


def staff_note_json(staff_note: StaffNote) -> JSON:
    """ASIDE: what the staff get of a note, without what another release wrote into it."""
    return replace(staff_note, extra=None).to_json()


@dataclass(frozen=True, slots=True)
class SessionState:
    """The conversation as it stands. ``waiting``: questions with no end yet, in order.

    ``messages``: the newest (see ``chat.conversations.transcript``); ``has_earlier``: there are
    others before them; ``total``: all of them. ``failed``: those of ``messages`` that ended without
    an answer, each ``{"id", "code", "message"}``.
    ``asked``: the customer asked for an adviser, and none has come.
    ``form``: the form that the customer fills in, as whoever makes the event tells it, or None.
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
    has_earlier: bool = False
    total: int = 0

    @classmethod
    def of(cls, session: Session, storage_backend: str, form: JSON | None) -> SessionState:
        page = last_page(session.messages)
        return cls(
            messages=page.messages,
            draft=session.draft,
            speaker="adviser" if session.has_adviser else "assistant",
            name=session.adviser,
            expires_at=isoformat(session.expires_at),
            storage_backend=storage_backend,
            waiting=session.waiting,
            failed=failures_in(page.messages, session.failed),
            ended=session.ended,
            asked=session.asked_at is not None,
            form=form,
            has_earlier=page.has_earlier,
            total=page.total,
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
            "has_earlier": self.has_earlier,
            "total": self.total,
        }


def failures_in(messages: Sequence[Message], failed: Mapping[str, str]) -> list[JSON]:
    """Return what ``session.state`` says of those of these messages that failed, by their codes."""
    return [
        {"id": message.id, "code": code, "message": _message_of(code)}
        for message in messages
        if (code := failed.get(message.id))
    ]


def _message_of(code: str) -> str:
    """The sentence of an error, also of a code that another release wrote."""
    return Outcome(end=End.FAILED, code=code).error().message


@dataclass(frozen=True, slots=True)
class MessagesLoaded:
    """Messages that come right before ``before``, for who asked. See ``SessionState``."""

    type: ClassVar[str] = "messages.loaded"
    before: str
    messages: Sequence[Message]
    failed: Sequence[JSON]
    has_earlier: bool

    def body(self) -> JSON:
        return {
            "before": self.before,
            "messages": [message_json(message) for message in self.messages],
            "failed": list(self.failed),
            "has_earlier": self.has_earlier,
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
    staff_notes: Sequence[StaffNote]
    holder: JSON | None
    asked_at: str | None
    language: str

    def body(self) -> JSON:
        return {
            **self.session.body(),
            "ref": self.ref,
            "asides": [staff_note_json(staff_note) for staff_note in self.staff_notes],
            "holder": self.holder,
            "asked_at": self.asked_at,
            "language": self.language,
        }


@dataclass(frozen=True, slots=True)
class StaffNoteAdded:
    """Something was written beside the conversation; for the staff only."""

    type: ClassVar[str] = "aside.added"
    staff_note: StaffNote

    def body(self) -> JSON:
        return {"aside": staff_note_json(self.staff_note)}


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
    | MessagesLoaded
    | MessageAccepted
    | MessageDelta
    | MessageDone
    | ToolStarted
    | SpeakerChanged
    | AdviserAsked
    | FormChanged
    | FormRefused
    | DeskState
    | StaffNoteAdded
    | SessionEnded
    | Failed
    | Pong
)
EVENT_TYPES = frozenset(event.type for event in get_args(ServerEvent))


_NAMES_SPEAKER = frozenset({SessionState.type, DeskState.type, SpeakerChanged.type})


@dataclass(frozen=True, slots=True)
class EncodedEvent:
    """An event ready to be sent, with what readers must know without parsing it.

    ``question_id``: the question that it gives its end, or "".
    ``speaker``: "assistant" or "adviser" where the event says who answers, else "".
    ``event_id``: of an end, equal for two copies of it, however they came (see ``end_id``); of
    ``session.ended``, its reason; else "".
    """

    type: str
    question_id: str
    speaker: str
    event_id: str
    json: str

    @classmethod
    def of(cls, data: JSON, json: str, question_id: str) -> EncodedEvent:
        """Return the event with its fields. ``data``: what ``json`` encodes, as a client reads it:
        the same fields for an event of this worker and for one that another worker sent.
        """
        type_ = data["type"]
        speaker = data["speaker"] if type_ in _NAMES_SPEAKER else ""
        event_id = data["reason"] if type_ == SessionEnded.type else end_id(question_id, json)
        return cls(type_, question_id, speaker, event_id, json)


def end_id(question_id: str, json: str) -> str:
    """Return an identifier of this end of a question; "" without a question.

    A digest of the whole event: a question that is asked again may get another end, which must
    not be taken for a copy of the first.
    """
    if not question_id:
        return ""
    return f"{question_id}.{hashlib.blake2b(json.encode(), digest_size=8).hexdigest()}"


def encode_event(event: ServerEvent) -> EncodedEvent:
    """Encode the event once, for however many viewers."""
    question_id = ""
    if isinstance(event, MessageDone):
        question_id = event.message.reply_to
    elif isinstance(event, Failed):
        question_id = event.id
    data = _json_of(event)
    return EncodedEvent.of(data, orjson.dumps(data).decode(), question_id)


def encode(event: ServerEvent) -> str:
    """Return the event as one line of JSON, accents as they are."""
    return orjson.dumps(_json_of(event)).decode()


def _json_of(event: ServerEvent) -> JSON:
    return {"type": event.type, **event.body()}
