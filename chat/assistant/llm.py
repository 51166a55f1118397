"""The model's client: requests, retries, deadline, and a circuit breaker.

One ``AsyncOpenAI`` for each process (making one costs 20 ms of CPU). The circuit breaker fails at
once while the model keeps failing, and probes now and then. Chunks are read in bulk, as plain
dictionaries (``stream.py``): one by one through the SDK's typed models each costs many times more.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Protocol, Self

import httpx2
import orjson
from django.conf import settings
from openai import APIStatusError, APITimeoutError, AsyncOpenAI

from chat.assistant.stream import (
    MODEL_FAILURES,
    BrokenAnswer,
    Chunk,
    ChunkStream,
    Client,
    Completion,
    HttpClient,
)
from chat.core import metrics
from chat.core.errors import AssistantUnavailable
from chat.core.json import JSON
from chat.core.load import LOAD, MAX_AT_ONCE, OVERLOAD
from chat.core.runtime import LoopPart, Part


class Circuit:
    """Closed, then open after failures in a row. For calls that end later than they begin.

    While it is open, one call at a time is let through as a probe, and only its end counts.

    Args:
        failures: calls in a row that open the circuit.
        reset_s: how long it stays open before a probe.
        clock: monotonic, in seconds.
    """

    def __init__(
        self, failures: int, reset_s: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_failures = failures
        self._reset_s = reset_s
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._probe: Call | None = None

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    def admit(self) -> Call:
        """Return the call that may be made now: to be entered (``with``), or ended by hand.

        Raises:
            AssistantUnavailable: open, or another call is the probe.
        """
        call = Call(self)
        if self._opened_at is None:
            return call
        wait_s = self._opened_at + self._reset_s - self._clock()
        if wait_s > 0 or self._probe is not None:
            raise AssistantUnavailable(retry_after_s=max(1, math.ceil(wait_s)))
        self._probe = call
        return call

    def end(self, call: Call, has_succeeded: bool | None) -> None:
        """Count how a call ended, None where it says nothing about the model. See ``Call``."""
        is_probe = self._probe is call
        if is_probe:
            self._probe = None
        if has_succeeded is None or (self.is_open and not is_probe):
            return
        if has_succeeded:
            self._failures, self._opened_at = 0, None
            return
        self._failures += 1
        if is_probe or self._failures >= self._max_failures:
            self._opened_at = self._clock()


class Call:
    """A call that a circuit admitted. What is told of it first counts.

    A block that it is entered for ends it as left, however the block itself ends: a probe of which
    nothing is told would keep the circuit open for ever.
    """

    __slots__ = ("_circuit", "_is_over")

    def __init__(self, circuit: Circuit) -> None:
        self._circuit = circuit
        self._is_over = False

    def succeeded(self) -> None:
        self._end(True)

    def failed(self) -> None:
        self._end(False)

    def left(self) -> None:
        """The call ended for a reason that says nothing about the model."""
        self._end(None)

    def _end(self, has_succeeded: bool | None) -> None:
        if not self._is_over:
            self._is_over = True
            self._circuit.end(self, has_succeeded)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.left()


logger = logging.getLogger(__name__)

#: Named, so that an ``OPENAI_BASE_URL`` that is set but empty does not reach the SDK.
OPENAI_URL = "https://api.openai.com/v1"
#: Pause before the first further try.
FIRST_BACKOFF_S = 0.25
#: A timeout is not the model's where our timers were late for this part of the request's time.
HELD_UP_PART = 0.1
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

    ``effort``: ``reasoning_effort`` of the request, "" not to send it. ``at_once``: requests under
    way at the same time; the next waits. ``first_backoff_s``: pause before the first further try,
    when the server does not ask for another.
    """

    def __init__(
        self,
        client: AsyncOpenAI,
        model: str,
        *,
        max_retries: int,
        circuit: Circuit,
        effort: str = "",
        at_once: int = MAX_AT_ONCE,
        first_backoff_s: float = FIRST_BACKOFF_S,
    ) -> None:
        self._client = client
        self._model = model
        self._effort = effort
        self._max_retries = max_retries
        self._first_backoff_s = first_backoff_s
        self.circuit = circuit
        self._slots = asyncio.Semaphore(at_once)

    async def stream(
        self, messages: Sequence[JSON], tools: Sequence[JSON], *, deadline: float
    ) -> AsyncGenerator[Chunk, None]:
        content = self._content(messages, tools)
        for attempt in range(self._max_retries + 1):
            started = False
            with self.circuit.admit() as call:
                request = _Request(call)
                try:
                    async with aclosing(self._once(content, request)) as chunks:
                        async for chunk in chunks:
                            if not started:
                                started = True
                                call.succeeded()
                            yield chunk
                    call.succeeded()
                    return
                except MODEL_FAILURES as error:
                    metrics.model_requests.labels(outcome="failed").inc()
                    request.count(error)
                    wait_s = _backoff_s(error, attempt, self._first_backoff_s)
                    last = attempt == self._max_retries or not _may_pass(error)
                    if started or last or _too_long(wait_s, deadline):
                        logger.warning("the model failed: %s", _kind_of(error))
                        raise AssistantUnavailable(retry_after_s=_retry_after_s(wait_s)) from error
                except (asyncio.CancelledError, GeneratorExit):
                    request.leave(deadline)
                    raise
            await asyncio.sleep(wait_s)

    def _content(self, messages: Sequence[JSON], tools: Sequence[JSON]) -> bytes:
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
        return orjson.dumps(body)

    async def _once(self, content: bytes, request: _Request) -> AsyncGenerator[Chunk, None]:
        """Ask once.

        Raises:
            MODEL_FAILURES: the model's. Anything else is a bug of ours.
        """
        load = LOAD.get()
        async with self._slots:
            request.is_sent = True
            metrics.model_requests.labels(outcome="sent").inc()
            stream = await self._ask(content)
            completion = Completion()
            async with stream:
                async for chunks in stream:
                    try:
                        for chunk in chunks:
                            completion.feed(chunk)
                    finally:  # what came before a broken one counts
                        if text := completion.take_text():
                            yield text
                    await load.throttle(stream.over)
            for told in completion.rest():
                yield told

    async def _ask(self, content: bytes) -> ChunkStream:
        try:
            return await self._client.post(
                "/chat/completions",
                cast_to=object,
                content=content,
                # The SDK makes a key for each request and does not send it; it need not.
                options={"idempotency_key": "none"},
                stream=True,
                stream_cls=ChunkStream,
            )
        except MODEL_FAILURES:
            raise
        except Exception as error:  # aiohttp's own, of headers that are none
            raise BrokenAnswer("the response cannot be read") from error

    async def close(self) -> None:
        await self._client.close()


class _Request:
    """One request to the model: what its end says of the model, and whether it had its time.

    ``is_sent``: it has one of our connections, and waits no more for others of ours.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._began_at = asyncio.get_running_loop().time()
        self._late_s = OVERLOAD.get().late_s
        self.is_sent = False

    def count(self, error: Exception) -> None:
        """Tell the circuit of a failure."""
        is_wrong = isinstance(error, APIStatusError) and error.status_code in (400, 422)
        if is_wrong or (_is_timeout(error) and self._was_held_up()):
            self._call.left()  # our request was wrong or late, the model lives
        else:
            self._call.failed()

    def leave(self, deadline: float) -> None:
        """Tell the circuit that nobody waits any more."""
        is_late = asyncio.get_running_loop().time() >= deadline
        if is_late and not self._was_held_up():
            self._call.failed()
        else:
            self._call.left()

    def _was_held_up(self) -> bool:
        """Whether a timeout says more of this worker, or of its queue, than of the model."""
        if not self.is_sent:
            return True
        late_s = OVERLOAD.get().late_s - self._late_s
        return late_s > HELD_UP_PART * (asyncio.get_running_loop().time() - self._began_at)


def _is_timeout(error: BaseException | None) -> bool:
    """Whether a request, or what it stands for, took too long."""
    if error is None:
        return False
    is_one = isinstance(error, APITimeoutError | httpx2.TimeoutException | TimeoutError)
    return is_one or _is_timeout(error.__cause__)


def _may_pass(error: Exception) -> bool:
    if isinstance(error, APIStatusError):
        return error.status_code in (408, 409, 429) or error.status_code >= 500
    return True


def _backoff_s(error: Exception, attempt: int, first_s: float) -> float:
    """Seconds before the next try: what the server asks for, else doubling and jittered."""
    if isinstance(error, APIStatusError):
        asked_s = _seconds(error.response.headers.get("retry-after", ""))
        if asked_s is not None:
            return asked_s
    jitter = random.uniform(0.75, 1.25)  # noqa: S311 - not a secret # nosec B311
    return float(first_s * 2**attempt * jitter)


def _seconds(text: str) -> float | None:
    """Return the seconds of a ``Retry-After``; None for a date, and for what is no waiting time."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _kind_of(error: BaseException) -> str:
    """Name the types only: what a server wrote may hold what customers said, or a key."""
    name = type(error).__name__
    if isinstance(error, APIStatusError):
        name += f" {error.status_code}"
    return f"{name} of {_kind_of(error.__cause__)}" if error.__cause__ else name


def _too_long(wait_s: float, deadline: float) -> bool:
    return wait_s > MAX_RETRY_WAIT_S or asyncio.get_running_loop().time() + wait_s > deadline


def _retry_after_s(wait_s: float) -> int:
    return max(1, min(120, round(wait_s)))


def build_model_url() -> str:
    return settings.ENV.openai_base_url or OPENAI_URL


#: Where the model answers. ``serve`` and ``evaluate`` put the local assistant's address, like
#: "http://127.0.0.1:54321/v1", in its place once they have started one.
MODEL_URL: Part[str] = Part("model address", build_model_url)


def build_llm() -> OpenAILLM:
    """Return a client of the model that the settings name. Its connections are of one event loop;
    whoever makes it closes it.
    """
    env = settings.ENV
    limits = httpx2.Limits(max_connections=MAX_AT_ONCE, max_keepalive_connections=200)
    timeout = httpx2.Timeout(env.chat_timeout_s, connect=min(5.0, env.chat_timeout_s))
    client = Client(
        api_key=env.openai_api_key or "local",
        base_url=MODEL_URL.get(),
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


async def close_llm(llm: LLM) -> None:
    """Close the connections of a client that ``build_llm`` made."""
    if isinstance(llm, OpenAILLM):
        await llm.close()


#: The model that answers customers.
LLM_CLIENT: LoopPart[LLM] = LoopPart("model client", build_llm, aclose=close_llm)


def model_state() -> str:
    """``"ok"`` or ``"failing"``: whether the last calls went through."""
    llm = LLM_CLIENT.peek()
    return "failing" if isinstance(llm, OpenAILLM) and llm.circuit.is_open else "ok"
