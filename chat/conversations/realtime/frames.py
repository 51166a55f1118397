"""What comes in over the WebSocket and in a request's body: text of strangers becomes values.

See ``docs/protocol.md``. No I/O.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from chat.core.errors import InvalidJSON, InvalidMessage
from chat.core.ids import is_id

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
class AskForAdviser:
    """``{"type": "adviser.ask"}``"""


@dataclass(frozen=True, slots=True)
class SyncSession:
    """``{"type": "session.sync"}``"""


@dataclass(frozen=True, slots=True)
class LoadMessages:
    """``{"type": "messages.load", "before": "<message id>"}``"""

    before: str


@dataclass(frozen=True, slots=True)
class Ping:
    """``{"type": "ping"}``"""


@dataclass(frozen=True, slots=True)
class ConfirmTicket:
    """``{"type": "ticket.confirm", "id": str, "version": int}``: of the form that was shown."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class EditTicket:
    """``{"type": "ticket.edit", "id": str, "version": int, "fields": {name: str}}``"""

    id: str
    version: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DropTicket:
    """``{"type": "ticket.drop", "id": str, "version": int}``"""

    id: str
    version: int


TicketFrame = ConfirmTicket | EditTicket | DropTicket
ClientFrame = (
    SendMessage | StopTurn | AskForAdviser | SyncSession | LoadMessages | Ping | TicketFrame
)


def _ticket_frame(frame: dict[str, Any]) -> TicketFrame:
    """Read a button of the recap.

    Raises:
        InvalidMessage: it does not say which form it was shown with.
    """
    match frame:
        case {"id": str(id_), "version": int(version)} if is_id(id_) and version is not True:
            match frame:
                case {"type": "ticket.confirm"}:
                    return ConfirmTicket(id_, version)
                case {"type": "ticket.drop"}:
                    return DropTicket(id_, version)
                case {"fields": dict(fields)}:
                    return EditTicket(id_, version, fields)
    raise InvalidMessage("Ce message n'est pas reconnu.")


def checked_text(text: object, max_chars: int) -> str:
    """Return what a customer typed, trimmed, with line feeds for line ends, whoever sent them.

    Raises:
        InvalidMessage: not text, blank, over ``max_chars``, or not encodable (lone surrogates).
    """
    if not isinstance(text, str) or len(text) > 2 * max_chars:
        raise InvalidMessage
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()
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
    frame = parse_json(raw)
    match frame:
        case {"type": "message.send", "id": str(id_), "text": text} if is_id(id_):
            return SendMessage(id_, checked_text(text, max_chars))
        case {"type": "turn.stop"}:
            return StopTurn()
        case {"type": "adviser.ask"}:
            return AskForAdviser()
        case {"type": "session.sync"}:
            return SyncSession()
        case {"type": "messages.load", "before": str(before)} if is_id(before):
            return LoadMessages(before)
        case {"type": "ping"}:
            return Ping()
        case {"type": "ticket.confirm" | "ticket.edit" | "ticket.drop"}:
            return _ticket_frame(frame)
    raise InvalidMessage("Ce message n'est pas reconnu.")
