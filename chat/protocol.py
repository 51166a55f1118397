"""The words spoken over the WebSocket and SSE, in both directions. See ``docs/protocol.md``.

Frames come in (``parse_frame``), events go out (``encode``). No I/O.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chat.errors import BY_CODE, ChatError, InvalidJSON, InvalidMessage
from chat.markup import html_of
from chat.sessions.types import JSON, Draft, Message, Session, is_id, isoformat

#: Nested deeper than this, JSON is refused: no frame or body of ours needs more than 2.
MAX_JSON_DEPTH = 16


@dataclass(frozen=True, slots=True)
class SendMessage:
    """``{"type": "message.send", "id": "<made by the client>", "text": str}``"""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class StopTurn:
    """``{"type": "turn.stop"}``"""


@dataclass(frozen=True, slots=True)
class SyncSession:
    """``{"type": "session.sync"}``"""


@dataclass(frozen=True, slots=True)
class Ping:
    """``{"type": "ping"}``"""


ClientFrame = SendMessage | StopTurn | SyncSession | Ping


def checked_text(text: object, max_chars: int) -> str:
    """Return what a customer typed, trimmed.

    Raises:
        InvalidMessage: not text, blank, over ``max_chars``, or not encodable (lone surrogates).
    """
    if not isinstance(text, str) or len(text) > 2 * max_chars:
        raise InvalidMessage
    text = text.replace("\x00", "").strip()
    if not 0 < len(text) <= max_chars:
        raise InvalidMessage
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidMessage from error
    return text


def parse_json(raw: str | bytes) -> Any:
    """Parse JSON that a stranger wrote.

    Raises:
        InvalidJSON: not UTF-8, not JSON, NaN, an integer of thousands of digits, or nested
            deeper than ``MAX_JSON_DEPTH``.
    """
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        if _depth_over(text, MAX_JSON_DEPTH):
            raise InvalidJSON
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InvalidJSON from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _depth_over(text: str, limit: int) -> bool:
    """Whether brackets outside of strings nest deeper than ``limit``."""
    if text.count("[") + text.count("{") <= limit:
        return False
    depth = 0
    in_string = escaped = False
    for char in text:
        if escaped:
            escaped = False
        elif in_string:
            escaped = char == "\\"
            in_string = char != '"'
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            if depth > limit:
                return True
        elif char in "]}":
            depth -= 1
    return False


def parse_frame(raw: str, max_chars: int) -> ClientFrame:
    """Turn one text frame from the browser into a value we trust.

    Raises:
        InvalidJSON: not JSON we would read.
        InvalidMessage: of an unknown type, or with an id or a text we do not take.
    """
    match parse_json(raw):
        case {"type": "message.send", "id": str(id_), "text": text} if is_id(id_):
            return SendMessage(id_, checked_text(text, max_chars))
        case {"type": "turn.stop"}:
            return StopTurn()
        case {"type": "session.sync"}:
            return SyncSession()
        case {"type": "ping"}:
            return Ping()
    raise InvalidMessage("Ce message n'est pas reconnu.")


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
    }


@dataclass(frozen=True, slots=True)
class SessionState:
    """The whole conversation as it stands. ``waiting``: questions with no end yet, in order.

    ``failed``: questions that ended without an answer, each ``{"id", "code", "message"}``.
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
    return json.dumps(
        {"type": event.type, **event.body()}, ensure_ascii=False, separators=(",", ":")
    )
