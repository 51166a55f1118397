"""LLM client of the evaluation: records tool calls, and answers from the cache if possible."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field

from chat.assistant.llm import LLM
from chat.assistant.stream import Chunk, ToolCall, Usage
from chat.core.json import JSON
from devtools.evaluation.cache import AnswerCache, key_of
from devtools.evaluation.observed import Call


@dataclass(slots=True)
class Notes:
    """Record of the model's calls in one conversation so far."""

    calls: list[Call] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    #: Number of answers from the model, and of those from the cache.
    asked: int = 0
    cached: int = 0


#: Record of the conversation that is played in this context; tasks of its turns inherit it.
notes: ContextVar[Notes] = ContextVar("notes")


class RecordingLLM:
    """Recording client. ``model``: name and server. ``cache``: None to always call the model."""

    def __init__(self, inner: Callable[[], LLM], model: str, cache: AnswerCache | None) -> None:
        self._inner = inner
        self._model = model
        self._cache = cache

    async def stream(
        self, messages: Sequence[JSON], tools: Sequence[JSON], *, deadline: float
    ) -> AsyncGenerator[Chunk, None]:
        noted = notes.get()
        _note_results(noted, messages)
        key = key_of(self._model, messages, tools)
        known = self._cache.get(key) if self._cache is not None else None
        if known is not None:
            noted.cached += 1
            for chunk in known:
                _note(noted, chunk)
                yield chunk
            return
        noted.asked += 1
        whole: list[Chunk] = []
        async with aclosing(self._inner().stream(messages, tools, deadline=deadline)) as chunks:
            async for chunk in chunks:
                whole.append(chunk)
                _note(noted, chunk)
                yield chunk
        if self._cache is not None:  # not reached for an interrupted answer
            self._cache.put(key, whole)


def _note(noted: Notes, chunk: Chunk) -> None:
    match chunk:
        case Usage():
            noted.prompt_tokens += chunk.prompt_tokens
            noted.completion_tokens += chunk.completion_tokens
        case tuple():
            noted.calls += [Call(call.id, call.name, _object(call)) for call in chunk]


def _note_results(noted: Notes, messages: Sequence[JSON]) -> None:
    """Add to each call its result, once the model gets it."""
    told = {
        message["tool_call_id"]: message["content"]
        for message in messages
        if message.get("role") == "tool"
    }
    for call in noted.calls:
        if call.result is None and call.id in told:
            call.result = _parsed(told[call.id])


def _object(call: ToolCall) -> JSON | None:
    found = _parsed(call.arguments or "{}")
    return found if isinstance(found, dict) else None


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
