"""Who takes part: the advisers, the customer's side of a conversation, a model that never ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

from chat.assistant.stream import Chunk
from chat.conversations.store.adviser_store import Adviser
from chat.conversations.types import Author
from chat.core.json import JSON
from chat.turns.queue import Turn
from chat.turns.turn import take_turn
from tests.fakes import Listener

CLAIRE = Adviser("7", "Claire")
KARIM = Adviser("8", "Karim")
CAMILLE = "conversation-of-camille"


@dataclass
class Talker:
    """A model that says a word a millisecond until it is cut; tells how often it was closed."""

    asked: list[JSON] = field(default_factory=list)
    closed: int = 0

    async def stream(
        self, messages: Sequence[JSON], tools: Sequence[JSON], *, deadline: float
    ) -> AsyncGenerator[Chunk, None]:
        self.asked.append(messages[-1])
        try:
            for number in range(15_000):
                yield f"{number} "
                await asyncio.sleep(0.001)
        finally:
            self.closed += 1


async def ask(text: str = "Bonjour", id_: str = "q1", **options: Any) -> Turn:
    return await take_turn(CAMILLE, owner="web", message_id=id_, text=text, **options)


def events(listener: Listener) -> list[JSON]:
    return [json.loads(event.json) for event in listener.heard]


def of_model(events: Sequence[JSON]) -> list[JSON]:
    """The words, deeds and ends of the model among these events."""
    return [
        event
        for event in events
        if event["type"] in ("message.delta", "tool.started")
        or (event["type"] == "message.done" and event["message"]["author"] == "assistant")
    ]


def ends(events: Sequence[JSON], question_id: str) -> int:
    """How often these events give the question its end."""
    return sum(
        event.get("message", {}).get("reply_to") == question_id
        if event["type"] == "message.done"
        else event["type"] == "error" and event.get("id") == question_id
        for event in events
    )


def said(events: Sequence[JSON]) -> str:
    """What the deltas say together, from the first offset on."""
    text = ""
    for event in events:
        if event["type"] == "message.delta":
            assert event["offset"] == len(text)
            text += event["text"]
    return text


def lines(session: Any) -> list[tuple[Author, str]]:
    return [(message.author, message.text) for message in session.messages]
