"""What a client asks in ``POST /v1/chat/completions``, checked as strictly as OpenAI does.

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
    """The request is not one that OpenAI would answer. ``param``: the field at fault."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation, its text parts joined.

    ``call_ids``: of the tools an assistant message called. ``call_id``: answered by a tool message.
    ``images``: how many the message of a user shows.
    """

    role: str
    text: str
    call_ids: tuple[str, ...] = ()
    call_id: str = ""
    images: int = 0


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    description: str
    parameters: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """``tool_choice``: "auto", "none", "required", or the name of the tool that must be called.

    ``max_tokens``: of the answer, or None.
    """

    model: str
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    stream: bool = False
    include_usage: bool = False
    max_tokens: int | None = None

    @property
    def asked(self) -> str:
        """The last thing the user said, or ""."""
        return next((turn.text for turn in reversed(self.turns) if turn.role == "user"), "")

    @property
    def images(self) -> int:
        """How many images the last message of the user shows."""
        return next((turn.images for turn in reversed(self.turns) if turn.role == "user"), 0)


def parse_request(body: object) -> ChatRequest:
    """Return the request that this JSON value holds.

    Raises:
        BadRequest: OpenAI would answer 400. Covers what a program that trims its history gets
            wrong: a tool message without its call, a call without its tool messages.
    """
    if not isinstance(body, dict):
        raise BadRequest("We could not parse the JSON body of your request.")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequest("you must provide a model parameter", "model")
    turns = _turns(body.get("messages"))
    _check_calls(turns)
    stream = body.get("stream") is True
    options = body.get("stream_options")
    if options is not None and not stream:
        raise BadRequest(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
        )
    tools = _tools(body.get("tools"))
    return ChatRequest(
        model=model,
        turns=turns,
        tools=tools,
        tool_choice=_tool_choice(body.get("tool_choice"), tools),
        stream=stream,
        include_usage=isinstance(options, dict) and options.get("include_usage") is True,
        max_tokens=_max_tokens(body),
    )


def _turns(messages: object) -> tuple[Turn, ...]:
    if not isinstance(messages, list):
        raise BadRequest("Missing required parameter: 'messages'.", "messages")
    if not messages:
        raise BadRequest("Invalid 'messages': empty array.", "messages", "empty_array")
    return tuple(_turn(message, index) for index, message in enumerate(messages))


def _turn(message: object, index: int) -> Turn:
    where = f"messages[{index}]"
    if not isinstance(message, dict):
        raise BadRequest(f"Invalid type for '{where}': expected an object.", where)
    role = message.get("role")
    if role not in _ROLES:
        raise BadRequest(f"Invalid value for '{where}.role': {role!r}.", f"{where}.role")
    calls = message.get("tool_calls") or ()
    if message.get("content") is None and not (role == "assistant" and calls):
        raise BadRequest(f"Invalid value for '{where}.content': got null.", f"{where}.content")
    call_id = message.get("tool_call_id", "")
    if role == "tool" and not (isinstance(call_id, str) and call_id):
        raise BadRequest(
            f"Missing parameter 'tool_call_id': messages with role 'tool' must have one ({where}).",
            f"{where}.tool_call_id",
        )
    content = message.get("content")
    text, images = _text(content, where), _images(content, where) if role == "user" else 0
    return Turn(role, text, _call_ids(calls, where), call_id, images)


def _text(content: object, where: str) -> str:
    match content:
        case None:
            return ""
        case str():
            return content
        case list():
            return "\n".join(_part(part, where) for part in content)
    raise BadRequest(f"Invalid type for '{where}.content'.", f"{where}.content")


def _images(content: object, where: str) -> int:
    if not isinstance(content, list):
        return 0
    return sum(_is_image(part, where) for part in content)


def _is_image(part: object, where: str) -> bool:
    match part:
        case {"type": "image_url", "image_url": {"url": str(url)}} if _IMAGE_URL.match(url):
            return True
        case {"type": "image_url"}:
            raise BadRequest(f"Invalid image in '{where}.content'.", f"{where}.content")
    return False


def _part(part: object, where: str) -> str:
    match part:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": str()}:
            return ""
    raise BadRequest(f"Invalid part in '{where}.content'.", f"{where}.content")


def _call_ids(calls: object, where: str) -> tuple[str, ...]:
    if not isinstance(calls, list | tuple):
        raise BadRequest(f"Invalid type for '{where}.tool_calls'.", f"{where}.tool_calls")
    ids = []
    for call in calls:
        match call:
            case {
                "id": str(id_),
                "type": "function",
                "function": {"name": str(), "arguments": str()},
            }:
                ids.append(id_)
            case _:
                raise BadRequest(f"Invalid call in '{where}.tool_calls'.", f"{where}.tool_calls")
    return tuple(ids)


def _check_calls(turns: Sequence[Turn]) -> None:
    """Refuse tool messages that answer nothing, and calls that nothing answers."""
    open_ids: set[str] = set()
    for index, turn in enumerate(turns):
        if turn.role == "tool":
            if turn.call_id not in open_ids:
                raise BadRequest(
                    "messages with role 'tool' must be a response to a preceeding message with "
                    "'tool_calls'.",
                    f"messages[{index}].role",
                )
            open_ids.discard(turn.call_id)
            continue
        if open_ids:
            break
        open_ids = set(turn.call_ids)
    if open_ids:
        raise BadRequest(
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            + ", ".join(sorted(open_ids)),
            "messages",
        )


def _tools(tools: object) -> tuple[Tool, ...]:
    if tools is None:
        return ()
    if not isinstance(tools, list) or not tools:
        raise BadRequest("Invalid 'tools': expected a non-empty array.", "tools")
    return tuple(_tool(tool, f"tools[{index}]") for index, tool in enumerate(tools))


def _tool(tool: object, where: str) -> Tool:
    match tool:
        case {"type": "function", "function": {"name": str(name)} as function}:
            if not _TOOL_NAME.match(name):
                raise BadRequest(
                    f"Invalid '{where}.function.name': string does not match pattern "
                    "'^[a-zA-Z0-9_-]+$'.",
                    f"{where}.function.name",
                )
            parameters = function.get("parameters") or {}
            if not isinstance(parameters, dict):
                raise BadRequest(f"Invalid schema for function '{name}'.", where)
            return Tool(name, str(function.get("description") or ""), parameters)
    raise BadRequest(f"Missing required parameter: '{where}.function.name'.", where)


def _tool_choice(choice: object, tools: Sequence[Tool]) -> str:
    names = {tool.name for tool in tools}
    match choice:
        case None:
            return "auto" if tools else "none"
        case "auto" | "none" | "required" if tools:
            return str(choice)
        case {"type": "function", "function": {"name": str(name)}} if name in names:
            return name
    raise BadRequest("Invalid value for 'tool_choice'.", "tool_choice")


def _max_tokens(body: JSON) -> int | None:
    for field in ("max_completion_tokens", "max_tokens"):
        limit = body.get(field)
        if limit is None:
            continue
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise BadRequest(f"Invalid '{field}': integer below minimum value.", field)
        return limit
    return None
