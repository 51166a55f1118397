"""A model's answer as it comes over HTTP: Server-Sent Events with JSON in them, read in bulk.

The SDK's own decoder goes through each event line by line, in six generators; under load that is
most of what a token costs. Here all events of one network read are one step.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import cached_property
from typing import Any

import httpx2
import orjson
from openai import APIError, AsyncStream

#: How long the end of the body may take behind its last event; waited for, since the connection
#: can be used again then.
LONGEST_REST_S = 0.1
_DONE = b"[DONE]"
_BROKEN = (httpx2.HTTPError, OSError)  # TimeoutError among them


class EventDecoder:
    """Turns bytes into the data of events. Pure.

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html, section 9.2.6
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the data of the events that are whole now; an event without any is left out."""
        text = self._rest + data
        if b"\r" in text:
            held = b"\r" if text.endswith(b"\r") else b""  # its "\n" may follow
            text = text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            *events, rest = text.split(b"\n\n")
            self._rest = rest + held
        else:
            *events, self._rest = text.split(b"\n\n")
        return [found for event in events if (found := _data_of(event))]


def _data_of(event: bytes) -> bytes:
    if event.startswith(b"data: ") and b"\n" not in event:
        return event[6:]
    lines = [line[5:] for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(line.removeprefix(b" ") for line in lines)


class ChunkStream(AsyncStream[list[Any]]):
    """Yields, at each network read, the ``chat.completion.chunk`` objects that it completed.

    Raises:
        APIError: the server says so within the stream.
        ValueError: no JSON, or no UTF-8.
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
    def _body(self) -> Any:
        """What aiohttp received, an ``aiohttp.StreamReader``; None where it cannot be reached."""
        stream: Any = getattr(self.response.stream, "_stream", None)
        return getattr(getattr(stream, "_aiohttp_response", None), "content", None)

    async def _reads(self) -> AsyncGenerator[bytes, None]:
        """Yield what is read; where the connection breaks, first what had come and was not."""
        try:
            async with aclosing(self.response.aiter_bytes()) as reads:
                async for read in reads:
                    yield read
        except _BROKEN:
            if left := self._left():
                yield left
            raise

    def _left(self) -> bytes:
        if "content-encoding" in self.response.headers:
            return b""
        left = b"".join(getattr(self._body, "_buffer", ()))
        return left[getattr(self._body, "_buffer_offset", 0) :]

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
                        except (APIError, ValueError):
                            yield chunks  # what came before counts
                            raise
                    yield chunks
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


async def _read_rest(reads: AsyncIterator[bytes]) -> None:
    try:
        async with asyncio.timeout(LONGEST_REST_S):
            async for _ in reads:
                pass
    except _BROKEN:
        return
