"""Validation of ``POST /v1/chat/completions``, as strict as OpenAI's.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]

_ROLES = {"system", "developer", "user", "assistant", "tool"}
_IMAGE_URL = re.compile(r"https?://|data:image/(?:jpeg|png|webp|gif);base64,[A-Za-z0-9+/]+=*\Z")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}\Z")


class BadRequest(Exception):
    """Request that OpenAI would refuse. ``param``: the invalid field."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True, slots=True)
class RequestMessage:
    """Message of the conversation, with its text parts joined.

    ``call_ids``: of the tool calls in an assistant message. ``call_id``: of the call that a tool
    message answers. ``images``: number of images.
    """

    role: str
    text: str
    call_ids: tuple[str, ...] = ()
    call_id: str = ""
    images: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """Validated request. ``tools``: names of the tools. ``max_tokens``: of the answer, or None.

    ``tool_choice``: "auto", "none" or "required".
    """

    model: str
    turns: tuple[RequestMessage, ...]
    tools: tuple[str, ...] = ()
    tool_choice: str = "auto"
    stream: bool = False
    include_usage: bool = False
    max_tokens: int | None = None

    @property
    def last_asked(self) -> RequestMessage:
        """Last message of the user; an empty one if there is none."""
        users = (turn for turn in reversed(self.turns) if turn.role == "user")
        return next(users, RequestMessage("user", ""))


def parse_request(body: object) -> ChatRequest:
    """Parse and validate a request.

    Raises:
        BadRequest: OpenAI would answer 400. Includes typical errors of a trimmed history: a tool
            message without its call, a call without its tool messages.
    """
    if not isinstance(body, dict):
        raise BadRequest("We could not parse the JSON body of your request.")
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str) or not model:
        raise BadRequest("you must provide a model parameter", "model")
    if not isinstance(messages, list) or not messages:
        raise BadRequest("Invalid 'messages': expected a non-empty array.", "messages")
    turns = tuple(_turn(message, f"messages[{index}]") for index, message in enumerate(messages))
    _check_calls(turns)
    stream, options = body.get("stream") is True, body.get("stream_options")
    if options is not None and not stream:
        raise BadRequest("Only allowed when 'stream' is enabled.", "stream_options")
    tools, choice = _tools(body.get("tools"), body.get("tool_choice"))
    return ChatRequest(
        model=model,
        turns=turns,
        tools=tools,
        tool_choice=choice,
        stream=stream,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        max_tokens=_max_tokens(body),
    )


def _turn(message: object, where: str) -> RequestMessage:
    if not isinstance(message, dict) or str(message.get("role")) not in _ROLES:
        raise BadRequest(f"Invalid value for '{where}.role'.", f"{where}.role")
    role, content, call_id = message["role"], message.get("content"), message.get("tool_call_id")
    call_ids = _call_ids(message.get("tool_calls") or [], f"{where}.tool_calls")
    if content is None and not (role == "assistant" and call_ids):
        raise BadRequest(f"Invalid value for '{where}.content': got null.", f"{where}.content")
    if role == "tool" and not (isinstance(call_id, str) and call_id):
        raise BadRequest("Messages with role 'tool' must have a 'tool_call_id'.", where)
    text, images = _content(content, f"{where}.content")
    return RequestMessage(role, text, call_ids, str(call_id or ""), images)


def _content(content: object, where: str) -> tuple[str, int]:
    """Return the text of a message and its number of images."""
    if content is None or isinstance(content, str):
        return content or "", 0
    texts, images = [], 0
    for part in content if isinstance(content, list) else [content]:
        match part:
            case {"type": "text", "text": str(text)}:
                texts.append(text)
            case {"type": "image_url", "image_url": {"url": str(url)}} if _IMAGE_URL.match(url):
                images += 1
            case {"type": "audio" | "file" | "input_audio" | "refusal"}:
                pass
            case _:
                raise BadRequest(f"Invalid part in '{where}'.", where)
    return "\n".join(texts), images


def _call_ids(calls: object, where: str) -> tuple[str, ...]:
    ids = []
    for call in calls if isinstance(calls, list) else [calls]:
        match call:
            case {"id": str(id_), "function": {"name": str(), "arguments": str()}}:
                ids.append(id_)
            case _:
                raise BadRequest(f"Invalid call in '{where}'.", where)
    return tuple(ids)


def _check_calls(turns: Sequence[RequestMessage]) -> None:
    """Refuse tool messages without a call, and calls without a tool message."""
    open_ids: set[str] = set()
    for index, turn in enumerate(turns):
        if turn.role == "tool" and turn.call_id not in open_ids:
            raise BadRequest(
                "messages with role 'tool' must be a response to a preceeding message with "
                "'tool_calls'.",
                f"messages[{index}].role",
            )
        if turn.role != "tool" and open_ids:
            break
        open_ids = open_ids - {turn.call_id} if turn.role == "tool" else set(turn.call_ids)
    if open_ids:
        raise BadRequest(
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            f"to each 'tool_call_id'. These were not: {', '.join(sorted(open_ids))}",
            "messages",
        )


def _tools(tools: object, choice: object) -> tuple[tuple[str, ...], str]:
    """Return the names of the tools, and the tool choice: "auto", "none" or "required"."""
    names = []
    for tool in tools if isinstance(tools, list) and tools else [tools]:
        match tool:
            case {"type": "function", "function": {"name": str(name)}} if _TOOL_NAME.match(name):
                names.append(name)
            case _ if tools is not None:
                raise BadRequest("Invalid 'tools': expected an array of named functions.", "tools")
    match choice:
        case None:
            return tuple(names), "auto" if names else "none"
        case "auto" | "none" | "required" if names:
            return tuple(names), str(choice)
        case {"type": "function", "function": {"name": str(name)}} if name in names:
            return (name,), "required"
    raise BadRequest("Invalid value for 'tool_choice'.", "tool_choice")


def _max_tokens(body: JSON) -> int | None:
    given = [body.get(field) for field in ("max_completion_tokens", "max_tokens")]
    limit: object = next((value for value in given if value is not None), None)
    if limit is None or (type(limit) is int and limit >= 1):
        return limit
    raise BadRequest("Invalid 'max_tokens': integer below minimum value.", "max_tokens")
