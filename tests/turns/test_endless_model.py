"""A model's server that never ends what it says: the answer breaks, and little of it is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import httpx2
import pytest

from chat.assistant.llm import Circuit, OpenAILLM
from chat.assistant.stream import (
    MAX_BLANK_BYTES,
    SLICE_BYTES,
    BrokenAnswer,
    Chunk,
    ChunkStream,
    Client,
    EventDecoder,
    HttpClient,
)
from chat.core.errors import AssistantUnavailable

KB = b"a" * 1024
#: With what the sockets of both sides hold.
AT_MOST_BYTES = 16 * 1024 * 1024


def event(call: dict[str, object]) -> bytes:
    choice = {"delta": {"tool_calls": [call]}}
    return f"data: {json.dumps({'choices': [choice]})}\n\n".encode()


def endless_line() -> Iterator[bytes]:
    yield b"data: "
    while True:
        yield KB


def endless_lines() -> Iterator[bytes]:
    while True:
        yield b"data: " + KB + b"\n"


def endless_carriage_returns() -> Iterator[bytes]:
    while True:
        yield b"data: " + KB + b"\r"


def endless_comment() -> Iterator[bytes]:
    yield b":"
    while True:
        yield KB


def endless_arguments() -> Iterator[bytes]:
    yield event({"index": 0, "id": "c", "function": {"name": "find_order", "arguments": "{"}})
    while True:
        yield event({"index": 0, "function": {"arguments": "a" * 1024}})


def endless_names() -> Iterator[bytes]:
    for index in count():
        yield event({"index": index, "id": "c" * 1024, "function": {"name": "n" * 1024}})


def endless_calls() -> Iterator[bytes]:
    for index in count():
        yield event({"index": index, "id": "c", "function": {"name": "n", "arguments": "{}"}})


def endless_json() -> Iterator[bytes]:
    yield b'{"choices": ["'
    while True:
        yield KB


async def read(chunks: AsyncIterator[Chunk]) -> None:
    async for _ in chunks:
        pass


async def asked(body: Iterator[bytes], status: str, kind: str) -> int:
    """Ask a server that answers so; return how much of it was taken, once the answer broke."""
    sent = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n".encode())
        with suppress(OSError):
            for piece in body:
                writer.write(piece)
                sent += len(piece)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    url = f"http://{host}:{port}/v1"
    async with (
        server,
        Client(api_key="local", base_url=url, max_retries=0, http_client=HttpClient()) as client,
    ):
        llm = OpenAILLM(client, "local", max_retries=0, circuit=Circuit(5, 10))
        messages = [{"role": "user", "content": "Bonjour"}]
        with pytest.raises(AssistantUnavailable):
            await asyncio.wait_for(read(llm.stream(messages, [], deadline=float("inf"))), 20)
    return sent


@pytest.mark.parametrize(
    "body",
    [
        *(endless_line, endless_lines, endless_carriage_returns, endless_comment),
        *(endless_arguments, endless_names, endless_calls, endless_json),
    ],
)
async def test_what_never_ends_is_a_broken_answer(body):
    assert await asked(body(), "200 OK", "text/event-stream") < AT_MOST_BYTES


async def test_an_error_that_never_ends_is_an_error():
    taken = await asked(endless_json(), "500 Internal Server Error", "application/json")

    assert taken < AT_MOST_BYTES


async def test_a_redirect_that_never_ends_is_an_error():
    kind = "text/plain\r\nLocation: /v1/chat/completions"

    assert await asked(endless_json(), "307 Temporary Redirect", kind) < AT_MOST_BYTES


#: A quarter of an hour of the comments by which servers keep a connection, two a second.
KEEP_ALIVE = b": the model is still processing\n\n" * 1800
BLANKS = {
    "\\r": b"\r",
    "\\n": b"\n",
    "\\r\\n": b"\r\n",
    "comments": b": c\n\n",
    "comments and \\r": b": c\r\r",
    "types": b"event: x\n\n",
    "empty data": b"data:\n\n",
    "comments in an event": b"data: {}\n" + b": c\n" * 1000 + b"\n",
    "one comment an event": b": " + KB + b"\ndata: {}\n\n",
}


@pytest.mark.parametrize("blank", BLANKS.values(), ids=BLANKS)
def test_what_carries_nothing_is_soon_enough(blank):
    decoder = EventDecoder()
    many = blank * (SLICE_BYTES // len(blank) + 1)

    def feed(slices: int) -> None:
        for _ in range(slices):
            decoder.feed(many[:SLICE_BYTES])

    feed(MAX_BLANK_BYTES // SLICE_BYTES // 2)
    with pytest.raises(BrokenAnswer):
        feed(4 * MAX_BLANK_BYTES // SLICE_BYTES)


def test_keep_alives_and_the_types_and_ids_of_many_events_are_no_blanks():
    decoder = EventDecoder()
    framed = b"event: message\nid: 0b7f6d1e\ndata: {}\n\n"

    assert decoder.feed(KEEP_ALIVE) == []
    for _ in range(20):
        assert len(decoder.feed(framed * 1000)) == 1000


@pytest.mark.parametrize("read_bytes", [SLICE_BYTES, 8 * SLICE_BYTES])
async def test_others_run_between_the_slices_of_a_flood(read_bytes):
    """However much is here already, as with a server faster than its reader."""
    text = b'data: {"choices": []}\n\n' * (SLICE_BYTES // 23 * 32)
    steps = 0

    async def reads() -> AsyncIterator[bytes]:
        for at in range(0, len(text), read_bytes):
            yield text[at : at + read_bytes]

    async def step() -> None:
        nonlocal steps
        while True:
            steps += 1
            await asyncio.sleep(0)

    request = httpx2.Request("POST", "http://127.0.0.1/")
    async with Client(api_key="local", http_client=HttpClient()) as client:
        response = httpx2.Response(200, content=reads(), request=request)
        stream: ChunkStream = ChunkStream(cast_to=object, response=response, client=client)
        stepping = asyncio.create_task(step())
        found: list[Any] = []
        slices = 0
        async for chunks in stream:
            found += chunks
            slices += 1
        stepping.cancel()

    assert len(found) == text.count(b"data")
    assert steps >= slices - 1 >= len(text) // SLICE_BYTES - 1
