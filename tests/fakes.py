"""Stand-ins for the outside world: the same interface as the real thing, no mocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from chat.assistant.stream import Chunk
from chat.conversations.realtime.events import EncodedEvent
from chat.core.json import JSON


@dataclass
class FakeLLM:
    """Answers with ``pieces``; records what it was asked.

    ``rounds``: pieces of each further round, after tools were called.
    ``error``: raised after the pieces. ``hangs``: never ends, as a model that stopped sending.
    """

    pieces: Sequence[Chunk] = ("Bonjour", " !")
    rounds: list[Sequence[Chunk]] = field(default_factory=list)
    error: Exception | None = None
    hangs: bool = False
    asked: list[list[JSON]] = field(default_factory=list)
    offered: list[int] = field(default_factory=list)
    closed: int = 0
    #: Set once every piece was given: lets a test act in the middle of an answer.
    spoke: asyncio.Event = field(default_factory=asyncio.Event)

    async def stream(
        self, messages: Sequence[JSON], tools: Sequence[JSON], *, deadline: float
    ) -> AsyncGenerator[Chunk, None]:
        self.asked.append([dict(message) for message in messages])
        self.offered.append(len(tools))
        pieces = self.pieces if len(self.asked) == 1 or not self.rounds else self.rounds.pop(0)
        try:
            for piece in pieces:
                yield piece
            self.spoke.set()
            if self.error is not None:
                raise self.error
            if self.hangs:
                await asyncio.Event().wait()
        finally:
            self.closed += 1


@dataclass
class Listener:
    """Hears a session and remembers; ``until`` waits for a type of event."""

    heard: list[EncodedEvent] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, event: EncodedEvent) -> None:
        self.heard.append(event)
        self._news.set()

    def __hash__(self) -> int:
        return id(self)

    def types(self) -> list[str]:
        return [event.type for event in self.heard]

    async def until(self, type_: str, times: int = 1) -> None:
        async with asyncio.timeout(5):
            while self.types().count(type_) < times:
                self._news.clear()
                await self._news.wait()


class Clock:
    """Seconds, which pass as a test says."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s
