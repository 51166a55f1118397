"""What a model answers, put together from ``chat.completion.chunk`` objects. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chat.core.json import JSON


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the model asks to be looked up. ``arguments``: JSON as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Usage:
    prompt_tokens: int
    completion_tokens: int


#: A piece of text (never empty), the tools asked for (last), or what it cost (last of all).
Chunk = str | tuple[ToolCall, ...] | Usage


#: What an answer may ask of tools, arguments and names together, and in how many calls.
MAX_CALLS_CHARS = 256_000
MAX_CALLS = 64


class BrokenAnswer(Exception):
    """A reply that is no answer: garbage, an HTML page, an empty or a cut stream."""


class Completion:
    """Feed it the objects as they come, ``take_text`` when it suits, and ``rest`` at the end."""

    def __init__(self) -> None:
        self._text = ""
        self._calls: dict[int, list[str]] = {}
        self._calls_chars = 0
        self._usage: Usage | None = None
        self._is_finished = False

    def feed(self, chunk: Any) -> None:
        """Take one more object, as it was decoded.

        Raises:
            BrokenAnswer: it is none of the kind, or asks for more than anybody would read.
        """
        try:
            if counted := chunk.get("usage"):
                self._usage = _usage(counted["prompt_tokens"], counted["completion_tokens"])
            for choice in chunk["choices"][:1]:
                delta = choice["delta"]
                text = delta.get("content")
                self._text += text if isinstance(text, str) else _text(text)
                for part in delta.get("tool_calls") or ():
                    self._add_call(part)
                if choice.get("finish_reason"):
                    self._is_finished = True
        except BrokenAnswer:
            raise
        except Exception as error:  # each field may be of any shape
            raise BrokenAnswer("not a chat completion stream") from error

    def take_text(self) -> str:
        """Return what was written since the last time."""
        text, self._text = self._text, ""
        return _whole(text)

    def rest(self) -> list[Chunk]:
        """Return what is told behind the text.

        Raises:
            BrokenAnswer: it ended without a reason.
        """
        if not self._is_finished:
            raise BrokenAnswer("the stream ended without a finish_reason")
        calls = tuple(ToolCall(*map(_whole, parts)) for _, parts in sorted(self._calls.items()))
        told: list[Chunk] = [calls] if calls else []
        return told + ([self._usage] if self._usage else [])

    def _add_call(self, part: JSON) -> None:
        """Join the fragments of one tool call: id and name come once, arguments in pieces."""
        index = part.get("index")
        call = self._calls.setdefault(index if isinstance(index, int) else 0, ["", "", ""])
        function = part.get("function") or {}
        before = sum(map(len, call[:2]))
        call[0] = call[0] or _text(part.get("id"))
        call[1] = call[1] or _text(function.get("name"))
        arguments = _text(function.get("arguments"))
        self._calls_chars += sum(map(len, call[:2])) - before + len(arguments)
        if self._calls_chars > MAX_CALLS_CHARS or len(self._calls) > MAX_CALLS:
            raise BrokenAnswer("tool calls without an end")
        call[2] += arguments


def _text(value: Any) -> str:
    """Return a field that is a text where it is there.

    Raises:
        BrokenAnswer: it is anything else.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    raise BrokenAnswer("a field that is no text")


def _usage(prompt: Any, completion: Any) -> Usage | None:
    """Return the numbers if they can be any."""
    if all(isinstance(count, int) and 0 <= count < 2**53 for count in (prompt, completion)):
        return Usage(prompt, completion)
    return None


def _whole(text: str) -> str:
    """Without halves of signs (lone surrogates), which neither a store nor a model takes."""
    return text if text.isascii() else text.encode(errors="replace").decode()
