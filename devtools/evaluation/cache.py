"""Cache of a model's answers in a file of JSON lines, keyed by the complete request.

A second run does not call the model, so that it costs nothing and checks only our own code.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path

from chat.assistant.stream import Chunk, ToolCall, Usage
from chat.core.json import JSON

logger = logging.getLogger(__name__)


def key_of(model: str, messages: Sequence[JSON], tools: Sequence[JSON]) -> str:
    """Return the cache key of a request. ``model``: name and server."""
    schemas = hashlib.sha256(_dumped(list(tools)).encode()).hexdigest()
    return hashlib.sha256(_dumped([model, list(messages), schemas]).encode()).hexdigest()


class AnswerCache:
    """Append-only cache. ``path``: read once; truncated and foreign lines are skipped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._answers: dict[str, list[Chunk]] = {}
        if path.exists():
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                self._take(line, number)

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: str) -> list[Chunk] | None:
        """Return the chunks of an answer, or None."""
        return self._answers.get(key)

    def put(self, key: str, chunks: Sequence[Chunk]) -> None:
        """Store a complete answer."""
        if key in self._answers:
            return
        self._answers[key] = list(chunks)
        line = _dumped({"key": key, "chunks": [_packed(chunk) for chunk in chunks]})
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _take(self, line: str, number: int) -> None:
        try:
            entry = json.loads(line)
            chunks = [_unpacked(chunk) for chunk in entry["chunks"]]
            self._answers[entry["key"]] = chunks
        except (ValueError, TypeError, KeyError):
            logger.warning("%s, line %d: not an answer that was kept", self._path.name, number)


def _packed(chunk: Chunk) -> object:
    match chunk:
        case str():
            return chunk
        case Usage():
            return {"usage": [chunk.prompt_tokens, chunk.completion_tokens]}
    return {"calls": [[call.id, call.name, call.arguments] for call in chunk]}


def _unpacked(packed: object) -> Chunk:
    match packed:
        case str(text):
            return text
        case {"usage": [int(asked), int(written)]}:
            return Usage(asked, written)
        case {"calls": list(calls)}:
            return tuple(ToolCall(*map(str, call)) for call in calls)
    raise ValueError("no chunk")


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
