"""Stream of a model's answer: Server-Sent Events over HTTP, decoded into text, calls and usage.

The SDK's own decoder goes through each event line by line, in six generators; under load that is
most of what a token costs. Here all events of one network read are one step. ``Client`` is
``AsyncOpenAI`` over aiohttp; what never changes from one request to the next is made once, so that
a request takes 0.15 ms of CPU instead of 0.25.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx2
import orjson
from aiohttp import StreamReader
from openai import APIError, AsyncOpenAI, AsyncStream, __version__

from chat.assistant.compat import CookielessHttpClient, body_of, unread
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


#: How long the end of the body may take behind its last event; waited for, since the connection
#: can be used again then.
LONGEST_REST_S = 0.1
#: A longer line, event or run of comments is no answer: what is kept of it must have a bound.
MAX_EVENT_BYTES = 256 * 1024
#: What a whole answer may have: 20,000 characters, each in an event of its own, are a fifth of it.
MAX_ANSWER_BYTES = 32 * 1024 * 1024
#: Of it, what carries nothing, comments and events without data: minutes of keep-alives.
MAX_BLANK_BYTES = 256 * 1024
#: What an event may have beside its data before it counts as blank: its type, its id.
FRAME_BYTES = 64
#: The most that is read in one step of the event loop.
SLICE_BYTES = 16 * 1024
_DONE = b"[DONE]"
#: What a request to the model and the reading of its answer raise, whatever its server sends.
MODEL_FAILURES = (APIError, BrokenAnswer, httpx2.HTTPError, OSError)


class EventDecoder:
    """Turns bytes into the data of events. Pure.

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6
    """

    def __init__(self) -> None:
        self._rest = b""
        self._bytes = 0
        self._blank_bytes = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the data of the events that are whole now; an event without any is left out.

        Raises:
            BrokenAnswer: an event, the whole, or what is blank of it is longer than any answer's.
        """
        self._bytes += len(data)
        if len(self._rest) > MAX_EVENT_BYTES or self._bytes > MAX_ANSWER_BYTES:
            raise BrokenAnswer("an event without an end")
        text = self._rest + data
        if b"\r" in text:
            held = b"\r" if text.endswith(b"\r") else b""  # its "\n" may follow
            text = text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            *events, rest = text.split(b"\n\n")
            self._rest = rest + held
        else:
            *events, self._rest = text.split(b"\n\n")
        found = []
        for event in events:
            if event.startswith(b"data: ") and b"\n" not in event:
                found.append(event[6:])
            elif data := self._data_of(event):
                found.append(data)
        if self._blank_bytes > MAX_BLANK_BYTES:
            raise BrokenAnswer("blanks without an end")
        return found

    def _data_of(self, event: bytes) -> bytes:
        """Return the data of an event of several lines, or of none; count what is blank of it."""
        data = _joined_data(event)
        blank_bytes = len(event) + len(b"\n\n") - len(data)
        self._blank_bytes += max(0, blank_bytes - FRAME_BYTES) if data else blank_bytes
        return data


def _joined_data(event: bytes) -> bytes:
    lines = [line[5:] for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(line.removeprefix(b" ") for line in lines)


class ChunkStream(AsyncStream[list[Any]]):
    """Yields, at each network read, the ``chat.completion.chunk`` objects that it completed.

    Raises:
        APIError: the server says so within the stream.
        httpx2.HTTPError, OSError: the connection broke.
        BrokenAnswer: anything else that keeps it from being read.
    """

    @cached_property
    def over(self) -> asyncio.Future[None]:
        """Done once all of it is here, read or not; never, where the SDK does not let us know."""
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def tell() -> None:
            if not over.done():
                over.set_result(None)

        if self._body is not None:
            self._body.on_eof(tell)
        return over

    @cached_property
    def _body(self) -> StreamReader | None:
        return body_of(self.response)

    async def _reads(self) -> AsyncGenerator[bytes, None]:
        """Yield what is read; where the connection breaks, first what had come and was not.

        In slices. Behind a full one others run: a server that sends faster than it is read would
        have the event loop for itself.

        Raises:
            BrokenAnswer: it is compressed, which was not asked for. A small part of it may become
                anything.
        """
        encoding = self.response.headers.get("content-encoding")
        if encoding is not None and encoding.lower() != "identity":
            raise BrokenAnswer("a compressed answer")
        try:
            async with aclosing(self.response.aiter_raw()) as reads:
                async for read in reads:
                    if len(read) < SLICE_BYTES:
                        yield read
                    else:
                        for part in _slices(read):
                            yield part
                            await asyncio.sleep(0)
        except Exception:
            for part in _slices(unread(self._body)):
                yield part
                await asyncio.sleep(0)
            raise

    async def __stream__(self) -> AsyncIterator[list[Any]]:
        response, decoder = self.response, EventDecoder()
        try:
            async with aclosing(self._reads()) as reads:
                async for read in reads:
                    chunks: list[Any] = []
                    for event in decoder.feed(read):
                        if event.startswith(_DONE):
                            yield chunks
                            await _read_rest(reads)
                            return
                        try:
                            chunks.append(self._chunk(event))
                        except Exception:
                            yield chunks  # what came before counts
                            raise
                    yield chunks
        except MODEL_FAILURES:
            raise
        except Exception as error:  # JSON that is none or too deep, aiohttp's own
            raise BrokenAnswer("the answer cannot be read") from error
        finally:
            await response.aclose()

    def _chunk(self, data: bytes) -> Any:
        try:
            chunk: Any = orjson.loads(data)
        except orjson.JSONDecodeError:  # half a sign, "\\ud83d", which only ``json`` takes
            chunk = json.loads(data.decode())
        if isinstance(chunk, dict) and chunk.get("error"):
            raise APIError("error in the stream", request=self.response.request, body=None)
        return chunk


def _slices(data: bytes) -> Iterator[bytes]:
    return (data[at : at + SLICE_BYTES] for at in range(0, len(data), SLICE_BYTES))


async def _read_rest(reads: AsyncIterator[bytes]) -> None:
    with suppress(Exception):  # the answer is whole, however this ends
        async with asyncio.timeout(LONGEST_REST_S):
            async for _ in reads:
                pass


#: What is read of an answer that says an error: the SDK would read all of it.
MAX_ERROR_BYTES = 64 * 1024

_OF_THE_BODY = {"content-length", "content-encoding", "transfer-encoding"}
_address = lru_cache(16)(httpx2.URL)


class Client(AsyncOpenAI):
    """Tells nobody which system and which Python it runs on (``X-Stainless-*``)."""

    @cached_property
    def _headers(self) -> dict[str, Any]:
        headers = super().default_headers
        kept = {name: headers[name] for name in headers if not name.startswith("X-Stainless-")}
        return kept | {
            "Accept-Encoding": "identity",  # what is small may become anything
            "User-Agent": f"AsyncOpenAI/Python {__version__}",  # not our class's name
        }

    @property
    def default_headers(self) -> dict[str, Any]:
        return self._headers


class HttpClient(CookielessHttpClient):
    """Has no headers, cookies or parameters of its own for requests with a body of bytes.

    Of an answer that says an error, no more than ``MAX_ERROR_BYTES`` is read. A redirect is one:
    following it would read all of it, and send what customers say to whom nobody named. Cookies of
    an answer are dropped: all conversations share this client, and a cookie of one would travel
    with the requests of the others.
    """

    def __init__(self, **options: Any) -> None:
        refused = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        super().__init__(follow_redirects=False, cookies=refused, **options)

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        response = await super().send(request, **options)
        if response.is_success or response.is_closed:
            return response
        content = b""
        async with aclosing(response.aiter_raw()) as reads:
            async for read in reads:
                content += read
                if len(content) > MAX_ERROR_BYTES:
                    break
        await response.aclose()
        headers = [item for item in response.headers.multi_items() if item[0] not in _OF_THE_BODY]
        return httpx2.Response(
            response.status_code, headers=headers, content=content, request=request
        )

    def build_request(
        self,
        method: str,
        url: Any,
        *,
        content: Any = None,
        headers: Any = None,
        timeout: Any = httpx2.USE_CLIENT_DEFAULT,
        **others: Any,
    ) -> httpx2.Request:
        is_plain = isinstance(content, bytes) and isinstance(timeout, httpx2.Timeout)
        if any(others.values()) or not is_plain:
            return super().build_request(
                method, url, content=content, headers=headers, timeout=timeout, **others
            )
        return httpx2.Request(
            method,
            _address(url),
            headers=headers,
            content=content,
            extensions={"timeout": timeout.as_dict()},
        )
