"""What a model answers, put together from ``chat.completion.chunk`` objects. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chat.sessions.types import JSON


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


class BrokenAnswer(Exception):
    """A reply that is no answer: garbage, an HTML page, an empty or a cut stream."""


class Completion:
    """Feed it the objects as they come, ``take_text`` when it suits, and ``rest`` at the end."""

    def __init__(self) -> None:
        self._text = ""
        self._calls: dict[int, list[str]] = {}
        self._usage: Usage | None = None
        self._is_finished = False

    def feed(self, chunk: Any) -> None:
        """Take one more object, as it was decoded.

        Raises:
            BrokenAnswer: it is none of the kind.
        """
        try:
            if counted := chunk.get("usage"):
                self._usage = _usage(counted["prompt_tokens"], counted["completion_tokens"])
            for choice in chunk["choices"][:1]:
                delta = choice["delta"]
                self._text += delta.get("content") or ""
                for part in delta.get("tool_calls") or ():
                    self._add_call(part)
                if choice.get("finish_reason"):
                    self._is_finished = True
        except (AttributeError, KeyError, TypeError, IndexError) as error:
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
        call = self._calls.setdefault(part.get("index", 0), ["", "", ""])
        function = part.get("function") or {}
        call[0] = call[0] or part.get("id") or ""
        call[1] = call[1] or function.get("name") or ""
        call[2] += function.get("arguments") or ""


def _usage(prompt: Any, completion: Any) -> Usage | None:
    """Return the numbers if they can be any."""
    if all(isinstance(count, int) and 0 <= count < 2**53 for count in (prompt, completion)):
        return Usage(prompt, completion)
    return None


def _whole(text: str) -> str:
    """Without halves of signs (lone surrogates), which neither a store nor a model takes."""
    return text if text.isascii() else text.encode(errors="replace").decode()
