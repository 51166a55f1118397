"""A model's server that answers what none should: the attempt fails, and the next one is made."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import httpx2
import pytest

from chat.assistant.llm import Circuit, OpenAILLM
from chat.assistant.stream import Chunk, Client, HttpClient
from chat.core.errors import AssistantUnavailable

MESSAGES = [{"role": "user", "content": "Bonjour"}]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
DONE = b"data: [DONE]\n\n"
#: The circuit's time to the next probe; 0 for at once.
NOW_S = 0.0


def event(delta: Any, finish_reason: Any = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def answer(*events: bytes, headers: bytes = b"") -> bytes:
    return HEAD + headers + b"\r\n" + b"".join(events)


def calling(**part: Any) -> bytes:
    whole = {"index": 0, "id": "c", "function": {"name": "find_order", "arguments": "{}"}} | part
    return answer(event({"tool_calls": [whole]}), event({}, "tool_calls"), DONE)


def refusal(status: str, headers: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 2\r\n"
    return head.encode() + headers + b"\r\n{}"


HELLO = answer(event({"content": "Bonjour"}), event({}, "stop"), DONE)
ODD = {
    "deep JSON": answer(b"data: " + b"[" * 200_000 + b"\n\n", DONE),
    "deep objects": answer(b"data: " + b'{"choices":' * 20_000 + b"\n\n", DONE),
    "a number of many digits": answer(b'data: {"a": "\\ud83d", "b": ' + b"9" * 5000 + b"}\n\n"),
    "many headers": answer(headers=b"".join(b"X-%d: a\r\n" % n for n in range(100_000))),
    "a long header": answer(headers=b"X: " + b"a" * 500_000 + b"\r\n"),
    "a header of no name": answer(headers=b": a\r\n"),
    "no HTTP": b"\x00" * 1000,
    "a broken length": answer(headers=b"Content-Length: many\r\n"),
    "a broken chunk": answer(b"zz\r\n", headers=b"Transfer-Encoding: chunked\r\n"),
    "trailers": answer(
        b"0\r\n",
        *(b"X-%d: a\r\n" % n for n in range(100_000)),
        headers=b"Transfer-Encoding: chunked\r\n",
    ),
    "an encoding": answer(gzip.compress(HELLO), headers=b"Content-Encoding: gzip\r\n"),
    "an unknown encoding": answer(b"x", headers=b"Content-Encoding: x\r\n"),
    "a redirect": refusal("307 X", b"Location: /v1/chat/completions\r\n"),
    "a redirect to nowhere": refusal("302 X", b"Location: http://127.0.0.1:99999/\r\n"),
    "id: object": calling(id={"a": 1}),
    "id: list": calling(id=["a"]),
    "id: number": calling(id=5),
    "name: object": calling(function={"name": {"a": 1}, "arguments": ""}),
    "name: list": calling(function={"name": ["a"], "arguments": "{}"}),
    "name: number": calling(function={"name": 7, "arguments": "{}"}),
    "arguments: object": calling(function={"name": "a", "arguments": {"a": 1}}),
    "arguments: list": calling(function={"name": "a", "arguments": ["{}"]}),
    "arguments: number": calling(function={"name": "a", "arguments": 9}),
    "function: list": calling(function=["a"]),
    "calls: object": answer(event({"tool_calls": {"a": 1}}), event({}, "tool_calls"), DONE),
    "content: list": answer(event({"content": ["a"]}), event({}, "stop"), DONE),
    "content: number": answer(event({"content": 5}), event({}, "stop"), DONE),
    "choices: object": answer(b'data: {"choices": {"a": 1}}\n\n', DONE),
    "usage: text": answer(b'data: {"choices": [], "usage": "much"}\n\n', DONE),
    **{
        f"Retry-After: {value}": refusal(status, f"Retry-After: {value}\r\n".encode())
        for value in ("inf", "-inf", "1e400", "nan", "-5", "1e300", "0x10", "soon", "")
        for status in ("429 X", "503 X")
    },
}


class Server:
    """Answers each request with the next of ``answers``; ``rest``: what it sends once told."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.rest = b""
        self.may_end = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        with suppress(OSError):
            writer.write(self.answers.pop(0))
            await writer.drain()
            if self.rest:
                await self.may_end.wait()
                writer.write(self.rest)
                await writer.drain()
        writer.close()


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def model(server: Server) -> AsyncIterator[Callable[[Circuit], OpenAILLM]]:
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    url, timeout = f"http://{host}:{port}/v1", httpx2.Timeout(5)
    async with (
        listening,
        Client(
            api_key="local",
            base_url=url,
            max_retries=0,
            timeout=timeout,
            http_client=HttpClient(timeout=timeout),
        ) as client,
    ):
        yield lambda circuit: OpenAILLM(client, "local", max_retries=0, circuit=circuit)


async def read(llm: OpenAILLM, messages: Any = MESSAGES) -> list[Chunk]:
    async with asyncio.timeout(20):
        return [chunk async for chunk in llm.stream(messages, [], deadline=float("inf"))]


def opened() -> Circuit:
    """Return a circuit whose next call is the probe."""
    circuit = Circuit(1, NOW_S)
    circuit.admit().failed()
    assert circuit.is_open
    return circuit


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
async def test_odd_answer_to_the_probe_is_a_failure_and_leaves_room_for_the_next(
    server, model, odd, caplog
):
    llm = model(opened())
    server.answers = [odd, HELLO]

    with caplog.at_level(logging.WARNING), pytest.raises(AssistantUnavailable) as caught:
        await read(llm)

    assert llm.circuit.is_open
    assert caught.value.retry_after_s in range(1, 121)
    [said] = [record.getMessage() for record in caplog.records if record.name.startswith("chat")]
    assert type(caught.value.__cause__).__name__ in said
    assert await read(llm) == ["Bonjour"]
    assert not llm.circuit.is_open


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
async def test_odd_answers_open_the_circuit(server, model, odd):
    llm = model(Circuit(2, 3600))
    server.answers = [odd, odd]

    for _ in range(2):
        with pytest.raises(AssistantUnavailable):
            await read(llm)

    assert llm.circuit.is_open


@pytest.mark.parametrize(
    "behind",
    [b"X-%d: a\r\n" * 1000 % tuple(range(1000)), b"X: " + b"a" * 500_000 + b"\r\n", b"zz\r\n"],
    ids=["many trailers", "a long trailer", "a broken one"],
)
async def test_what_comes_behind_a_whole_answer_takes_nothing_from_it(server, model, behind):
    begun = event({"content": "Bonjour"}) + event({}, "stop")
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (begun, DONE)]
    server.answers = [answer(chunks[0], headers=b"Transfer-Encoding: chunked\r\n")]
    server.rest = chunks[1] + b"0\r\n" + behind

    pieces = []
    async with asyncio.timeout(20):
        async for piece in model(Circuit(1, 3600)).stream(MESSAGES, [], deadline=float("inf")):
            pieces.append(piece)
            server.may_end.set()
    assert pieces == ["Bonjour"]


async def test_answer_that_is_whole_and_empty_closes_the_circuit(server, model):
    llm = model(opened())
    server.answers = [answer(event({}, "stop"), DONE)]

    assert await read(llm) == []
    assert not llm.circuit.is_open


async def test_bug_of_ours_is_none_of_the_models_and_leaves_room_for_the_next(server, model):
    llm = model(opened())
    server.answers = [HELLO]

    with pytest.raises(TypeError):
        await read(llm, [{"role": object()}])

    assert llm.circuit.is_open
    assert await read(llm) == ["Bonjour"]


async def test_probe_that_is_cancelled_leaves_room_for_the_next(server, model):
    llm = model(opened())
    server.answers = [answer(event({}))]
    server.rest = DONE
    asking = asyncio.create_task(read(llm))
    async with asyncio.timeout(5):
        while server.answers:
            await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.wait({asking})
    server.may_end.set()

    server.answers = [HELLO]
    assert await read(llm) == ["Bonjour"]
