"""The one thing we ask of a language model, and how an OpenAI-compatible server answers it.

One ``AsyncOpenAI`` a process (making one costs 20 ms of CPU). Chunks are read in bulk, as plain
dictionaries (``chunks``): one by one through the SDK's typed models each costs many times as much.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Protocol

import httpx2
import orjson
from django.conf import settings
from openai import APIError, APIStatusError, AsyncOpenAI
from openai._types import RequestOptions

from chat import metrics
from chat.assistant.chunks import ChunkStream
from chat.assistant.circuit import Circuit
from chat.assistant.client import Client, HttpClient
from chat.assistant.completion import BrokenAnswer, Chunk, Completion
from chat.assistant.load import load
from chat.errors import AssistantUnavailable
from chat.sessions.types import JSON

#: Concurrent answers a worker may be writing; beyond, the next waits for a connection.
MAX_CONNECTIONS = 1000
#: Named, so that an ``OPENAI_BASE_URL`` that is set but empty does not reach the SDK.
OPENAI_URL = "https://api.openai.com/v1"
#: The SDK makes a key for each request and does not send it; it need not.
_OPTIONS: RequestOptions = {"idempotency_key": "none"}
#: Pause before the first further try, when the server does not ask for another.
FIRST_BACKOFF_S = 0.25
#: A ``Retry-After`` longer than this is told to the customer instead of being waited for.
MAX_RETRY_WAIT_S = 5.0


class LLM(Protocol):
    def stream(
        self, messages: Sequence[JSON], tools: Sequence[JSON], *, deadline: float
    ) -> AsyncGenerator[Chunk, None]:
        """Yield the answer piece by piece, in order.

        Tries again only while nothing was yielded. ``deadline``: event loop time; the caller
        enforces it, this only refrains from waiting past it.

        Raises:
            AssistantUnavailable: unreachable, refused, broken, or cut before its end.
        """


class OpenAILLM:
    """``max_retries``: further tries after a failure that may pass (network, 429, 5xx).

    ``effort``: ``reasoning_effort`` of the request, "" not to send it.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        model: str,
        *,
        max_retries: int,
        circuit: Circuit,
        effort: str = "",
    ) -> None:
        self._client = client
        self._model = model
        self._effort = effort
        self._max_retries = max_retries
        self.circuit = circuit

    async def stream(
        self, messages: Sequence[JSON], tools: Sequence[JSON], *, deadline: float
    ) -> AsyncGenerator[Chunk, None]:
        for attempt in range(self._max_retries + 1):
            started = False
            self.circuit.admit()
            try:
                async with aclosing(self._once(messages, tools)) as chunks:
                    async for chunk in chunks:
                        if not started:
                            started = True
                            self.circuit.succeeded()
                        yield chunk
                return
            except (APIError, BrokenAnswer, ValueError, httpx2.HTTPError, OSError) as error:
                metrics.model_requests.labels(outcome="failed").inc()
                if not started:
                    self._count(error)
                wait_s = _backoff_s(error, attempt)
                last = attempt == self._max_retries or not _may_pass(error)
                if started or last or _too_long(wait_s, deadline):
                    raise AssistantUnavailable(retry_after_s=_told(wait_s)) from error
                await asyncio.sleep(wait_s)
            except (asyncio.CancelledError, GeneratorExit):
                if not started:
                    self._leave(deadline)
                raise

    async def _once(
        self, messages: Sequence[JSON], tools: Sequence[JSON]
    ) -> AsyncGenerator[Chunk, None]:
        body: JSON = {
            "model": self._model,
            "messages": list(messages),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self._effort:
            body["reasoning_effort"] = self._effort
        if tools:
            body["tools"] = list(tools)
        metrics.model_requests.labels(outcome="sent").inc()
        stream: ChunkStream = await self._client.post(
            "/chat/completions",
            cast_to=object,
            content=orjson.dumps(body),
            options=_OPTIONS,
            stream=True,
            stream_cls=ChunkStream,
        )
        completion = Completion()
        async with stream:
            async for chunks in stream:
                try:
                    for chunk in chunks:
                        completion.feed(chunk)
                finally:  # what came before a broken one counts
                    if text := completion.take_text():
                        yield text
                await load.rest(stream.over)
        for told in completion.rest():
            yield told

    async def close(self) -> None:
        await self._client.close()

    def _count(self, error: Exception) -> None:
        if isinstance(error, APIStatusError) and error.status_code in (400, 422):
            self.circuit.left()  # our request was wrong, the model lives
        else:
            self.circuit.failed()

    def _leave(self, deadline: float) -> None:
        if asyncio.get_running_loop().time() >= deadline:
            self.circuit.failed()
        else:
            self.circuit.left()


def _may_pass(error: Exception) -> bool:
    if isinstance(error, APIStatusError):
        return error.status_code in (408, 409, 429) or error.status_code >= 500
    return True


def _backoff_s(error: Exception, attempt: int) -> float:
    """Seconds before the next try: what the server asks for, else doubling and jittered."""
    if isinstance(error, APIStatusError):
        try:
            return max(0.0, float(error.response.headers["retry-after"]))
        except (KeyError, ValueError):
            pass
    jitter = random.uniform(0.75, 1.25)  # noqa: S311 - not a secret # nosec B311
    return float(FIRST_BACKOFF_S * 2**attempt * jitter)


def _too_long(wait_s: float, deadline: float) -> bool:
    return wait_s > MAX_RETRY_WAIT_S or asyncio.get_running_loop().time() + wait_s > deadline


def _told(wait_s: float) -> int:
    return max(1, min(120, round(wait_s)))


_llms: dict[asyncio.AbstractEventLoop, OpenAILLM] = {}


def default_llm() -> LLM:
    """The model client of this process (of this event loop, which owns its connections)."""
    loop = asyncio.get_running_loop()
    llm = _llms.get(loop)
    if llm is None:
        for closed in [old for old in _llms if old.is_closed()]:
            del _llms[closed]
        llm = _llms[loop] = _openai_llm()
    return llm


async def close_llm() -> None:
    """Close the connections of this event loop's client: for commands, which end before it."""
    llm = _llms.pop(asyncio.get_running_loop(), None)
    if llm is not None:
        await llm.close()


def _openai_llm() -> OpenAILLM:
    env = settings.ENV
    limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=200)
    timeout = httpx2.Timeout(env.chat_timeout_s, connect=min(5.0, env.chat_timeout_s))
    client = Client(
        api_key=env.openai_api_key or "local",
        base_url=env.openai_base_url or settings.LOCAL_ASSISTANT_URL or OPENAI_URL,
        max_retries=0,
        timeout=timeout,
        http_client=HttpClient(limits=limits, timeout=timeout),
    )
    circuit = Circuit(env.circuit_failures, env.circuit_reset_s)
    return OpenAILLM(
        client,
        env.openai_model,
        max_retries=env.openai_max_retries,
        circuit=circuit,
        effort=env.openai_reasoning_effort,
    )


def model_state() -> str:
    """``"ok"`` or ``"failing"``: whether the last calls went through."""
    return "failing" if any(llm.circuit.is_open for llm in _llms.values()) else "ok"
