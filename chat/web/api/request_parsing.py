"""What a program asks of the assistant, read from an HTTP request and checked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from chat.conversations.realtime.frames import checked_text, parse_json
from chat.conversations.store.protocol import Create
from chat.core.client_address import request_address
from chat.core.errors import InvalidJSON, InvalidMessage, InvalidSessionId, PayloadTooLarge
from chat.core.ids import is_id, new_id

MAX_BODY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """``create``: see ``Store.accept``; an id made here cannot exist anywhere yet.

    ``address``: of a program without a key; with one, "", since a program asks for many customers.
    ``arrived_at``: event loop time at which it was read.
    """

    session_id: str
    message_id: str
    text: str
    create: Create
    address: str = ""
    arrived_at: float = 0.0


def read_question(request: HttpRequest) -> Question:
    """Return the question of ``POST /api/chat``, with ids made for those that are absent.

    Raises:
        PayloadTooLarge: before it is read, when its length is announced.
        InvalidJSON: no JSON, or not said to be: a form of another site cannot say so.
        InvalidMessage:
        InvalidSessionId:
    """
    body = _read_json(request)
    if not isinstance(body, dict):
        raise InvalidMessage("Envoyez un objet JSON avec un membre « message ».")
    text = checked_text(body.get("message"), settings.ENV.chat_max_message_chars)
    session_id, message_id = body.get("session_id"), body.get("message_id")
    if session_id is not None:
        session_id = checked_session_id(session_id)
    if message_id is not None and not is_id(message_id):
        raise InvalidMessage("L'identifiant de message n'est pas valide.")
    return Question(
        session_id=session_id or new_id(),
        message_id=message_id or new_id(),
        text=text,
        create="always" if session_id else "fresh",
        arrived_at=asyncio.get_running_loop().time(),
        address="" if "Authorization" in request.headers else request_address(request),
    )


def checked_session_id(value: object) -> str:
    """Return the id if it may be one.

    Raises:
        InvalidSessionId:
    """
    if not isinstance(value, str) or not is_id(value):
        raise InvalidSessionId
    return value


def _read_json(request: HttpRequest) -> Any:
    charset = (request.content_params or {}).get("charset", "utf-8")
    if request.content_type != "application/json" or charset.lower() not in ("utf-8", "utf8"):
        raise InvalidJSON("Envoyez du JSON en UTF-8, annoncé par Content-Type: application/json.")
    announced = request.headers.get("Content-Length") or "0"
    if not announced.isascii() or not announced.isdigit():
        raise InvalidJSON
    if len(announced) > 9 or int(announced) > MAX_BODY_BYTES:
        raise PayloadTooLarge
    body = request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLarge
    return parse_json(body)
