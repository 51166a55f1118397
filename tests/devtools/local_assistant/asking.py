"""Short ways to ask the local assistant, shared by its tests."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from devtools.local_assistant.request import ChatRequest, RequestMessage
from devtools.local_assistant.script import Reply, Say, reply_to
from devtools.local_assistant.server import RunningServer

SHOP_INFORMATION: Any = {
    "type": "function",
    "function": {
        "name": "shop_information",
        "description": "Horaires d'ouverture, contact, livraison, retours ou garanties du magasin.",
        "parameters": {
            "type": "object",
            "properties": {
                "topic": {"type": "string", "enum": ["horaires", "contact", "livraison", "retours"]}
            },
            "required": ["topic"],
            "additionalProperties": False,
        },
    },
}


def request_of(*said: str, tools: tuple[str, ...] = (), choice: str = "auto") -> ChatRequest:
    turns = tuple(RequestMessage("user", text) for text in said)
    return ChatRequest(model="m", turns=turns, tools=tools, tool_choice=choice)


def reply(*said: str, tools: tuple[str, ...] = (), choice: str = "auto") -> Reply:
    return reply_to(request_of(*said, tools=tools, choice=choice))


def words(*said: str) -> str:
    """What is said, without tools."""
    answer = reply(*said)
    assert isinstance(answer, Say)
    return answer.text


async def ask(client: AsyncOpenAI, *said: str, **options: Any) -> ChatCompletion:
    messages: Any = [{"role": "user", "content": text} for text in said]
    done: ChatCompletion = await client.chat.completions.create(
        model="m", messages=messages, **options
    )
    return done


@dataclass
class Heard:
    """A stream read to its end."""

    text: str = ""
    chunks: list[ChatCompletionChunk] = field(default_factory=list)

    @property
    def finish_reason(self) -> str | None:
        reasons = [c.choices[0].finish_reason for c in self.chunks if c.choices]
        return next((reason for reason in reasons if reason), None)

    def add(self, chunk: ChatCompletionChunk) -> None:
        self.chunks.append(chunk)
        if chunk.choices:
            self.text += chunk.choices[0].delta.content or ""


async def listen(
    client: AsyncOpenAI, *said: str, heard: Heard | None = None, **options: Any
) -> Heard:
    """Stream an answer. ``heard`` keeps what came before a failure."""
    heard = heard or Heard()
    messages: Any = [{"role": "user", "content": text} for text in said]
    stream = await client.chat.completions.create(
        model="m", messages=messages, stream=True, **options
    )
    async with stream:
        async for chunk in stream:
            heard.add(chunk)
    return heard


@dataclass
class Fetched:
    """An HTTP answer, read to its end."""

    status: int
    content_type: str
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


async def fetch(server: RunningServer, method: str, path: str, **options: Any) -> Fetched:
    """Call a path without the OpenAI client, with a key."""
    headers = {"Authorization": "Bearer x", **options.pop("headers", {})}
    url = server.url.removesuffix("/v1") + path
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, url, **options) as response,
    ):
        return Fetched(response.status, response.content_type, await response.text())
