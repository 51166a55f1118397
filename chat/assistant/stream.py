"""A model's answer as it comes over HTTP: Server-Sent Events with JSON in them, read in bulk.

The SDK's own decoder goes through each event line by line, in six generators; under load that is
most of what a token costs. Here all events of one network read are one step.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, suppress
from functools import cached_property
from typing import Any

import httpx2
import orjson
from aiohttp import StreamReader
from openai import APIError, AsyncStream

from chat.assistant.compat import body_of, unread
from chat.assistant.completion import BrokenAnswer

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
_KNOWN = (APIError, BrokenAnswer, httpx2.HTTPError, OSError)


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
        except _KNOWN:
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
