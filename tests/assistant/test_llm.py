"""The real client against the local assistant, in every way in which a model fails."""

from __future__ import annotations

import asyncio
import json
import time

import httpx2
import pytest

from chat.assistant.llm import Circuit, OpenAILLM
from chat.assistant.stream import Client, HttpClient, ToolCall, Usage
from chat.core.errors import AssistantUnavailable
from chat.core.load import LOAD, OVERLOAD, LoadMonitor
from devtools.local_assistant.faults import Pace
from devtools.local_assistant.server import start
from devtools.local_assistant.words import tokens

HELLO = [{"role": "user", "content": "Bonjour, je suis Jean"}]
PACE = Pace(first_token_ms=0, tokens_per_s=0)


@pytest.fixture
async def simulator():
    server = await start(pace=PACE, keep_requests=10)
    yield server
    await server.close()


@pytest.fixture
async def client(simulator):
    async with Client(
        api_key="local",
        base_url=simulator.url,
        max_retries=0,
        timeout=httpx2.Timeout(5),
        http_client=HttpClient(),
    ) as client:
        yield client


@pytest.fixture
def llm(client):
    return OpenAILLM(client, "local", max_retries=2, circuit=Circuit(5, 10), first_backoff_s=0.01)


async def read(llm, messages=HELLO, tools=(), within_s=5.0):
    deadline = asyncio.get_running_loop().time() + within_s
    return [chunk async for chunk in llm.stream(messages, tools, deadline=deadline)]


async def test_answer_comes_in_pieces_with_what_it_cost(llm, simulator):
    simulator.faults.add("slow", tokens_per_s=200)
    *pieces, usage = await read(llm)

    assert "".join(pieces).startswith("Bonjour Jean")
    assert len(pieces) > 5
    assert isinstance(usage, Usage)
    assert usage.completion_tokens > 0


class Busy(LoadMonitor):
    """Load of a worker that collects for so long before each step, however long that is."""

    def __init__(self, pause_s: float) -> None:
        super().__init__()
        self._pause_s = pause_s

    @property
    def pause_s(self) -> float:
        return self._pause_s


async def test_what_came_before_a_cut_is_read_however_long_the_pause(llm, simulator, replace_parts):
    pieces = []

    async def read_on():
        async for piece in llm.stream(HELLO, [], deadline=float("inf")):
            pieces.append(piece)  # noqa: PERF401 - it ends with an error

    replace_parts(LOAD.to(Busy(pause_s=0.3)))
    simulator.faults.add("cut", after=4, tokens_per_s=100, times=1)
    with pytest.raises(AssistantUnavailable):
        await read_on()

    *whole, _usage = await read(llm)
    assert tokens("".join(pieces)) == tokens("".join(whole))[:4]
    assert len(pieces) == 2


@pytest.mark.parametrize("pause_s", [0.0, 0.2])
async def test_answer_that_is_whole_counts_though_the_connection_breaks_behind_it(
    replace_parts, pause_s
):
    replace_parts(LOAD.to(Busy(pause_s)))
    deltas = [
        {"delta": {"content": "Bon"}},
        {"delta": {"content": "jour"}, "finish_reason": "stop"},
    ]
    events = [f"data: {json.dumps({'choices': [delta]})}\n\n" for delta in deltas]

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
        writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
        for event in [*events, "data: [DONE]\n\n"]:
            writer.write(f"{len(event):x}\r\n{event}\r\n".encode())
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with (
        server,
        Client(
            api_key="local", base_url=f"http://{host}:{port}/v1", http_client=HttpClient()
        ) as client,
    ):
        pieces = await read(OpenAILLM(client, "local", max_retries=0, circuit=Circuit(5, 10)))

    assert "".join(pieces) == "Bonjour"


async def test_busy_worker_reads_in_larger_steps_and_does_not_wait_for_more_at_the_end(
    llm, simulator, replace_parts
):
    replace_parts(LOAD.to(Busy(pause_s=3600.0)))
    simulator.faults.add("slow", tokens_per_s=200)
    async with asyncio.timeout(10):
        *pieces, _usage = await read(llm)

    assert "".join(pieces).startswith("Bonjour Jean")
    assert len(pieces) == 2


async def test_tools_are_offered_and_calls_are_put_together(llm, simulator):
    schema = {
        "type": "function",
        "function": {
            "name": "shop_information",
            "description": "Horaires",
            "parameters": {"type": "object", "properties": {"topic": {"enum": ["horaires"]}}},
        },
    }

    calls, _usage = await read(
        llm, [{"role": "user", "content": "Quels sont vos horaires ?"}], [schema]
    )

    assert [(call.name, call.arguments) for call in calls] == [
        ("shop_information", '{"topic": "horaires"}')
    ]
    assert isinstance(calls[0], ToolCall)
    assert calls[0].id


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error"},
        {"kind": "error", "status": 503},
        {"kind": "rate_limit", "retry_after_s": 0},
        {"kind": "refuse"},
        {"kind": "html"},
        {"kind": "garbage", "after": 0},
        {"kind": "bad_utf8", "after": 0},
        {"kind": "empty"},
        {"kind": "wrong_json"},
        {"kind": "cut", "after": 0},
        {"kind": "clean_cut", "after": 0},
        {"kind": "error_midstream", "after": 0},
    ],
    ids=lambda fault: f"{fault['kind']}-{fault.get('status', '')}",
)
async def test_failure_before_the_first_text_is_tried_again_then_told(llm, simulator, fault):
    simulator.faults.add(**fault, times=1)
    *pieces, _usage = await read(llm)
    assert "".join(pieces).startswith("Bonjour Jean")

    simulator.faults.add(**fault, times=None)
    with pytest.raises(AssistantUnavailable):
        await read(llm)


@pytest.mark.parametrize("kind", ["cut", "clean_cut", "garbage", "bad_utf8", "error_midstream"])
async def test_failure_in_mid_answer_is_not_tried_again(llm, simulator, kind):
    simulator.faults.add(kind, after=4, times=1)
    pieces = []

    async def read_on():
        async for chunk in llm.stream(HELLO, [], deadline=float("inf")):
            pieces.append(chunk)  # noqa: PERF401 - it ends with an error

    with pytest.raises(AssistantUnavailable):
        await read_on()

    assert "".join(pieces) == "Bonjour Jean, quel", "what came before counts"
    assert simulator.requests.count == 1


async def test_refusal_that_will_not_pass_is_told_at_once(llm, simulator):
    simulator.faults.add("auth", times=None)

    with pytest.raises(AssistantUnavailable):
        await read(llm)

    assert simulator.requests.count == 1


@pytest.mark.parametrize("within_s", [60.0, 1.0])
async def test_long_retry_after_is_told_instead_of_waited_for(llm, simulator, within_s):
    simulator.faults.add("rate_limit", retry_after_s=119, times=None)

    with pytest.raises(AssistantUnavailable) as caught:
        await read(llm, within_s=within_s)

    assert caught.value.retry_after_s == 119
    assert simulator.requests.count == 1


async def test_dead_model_fails_at_once_after_some_failures_and_a_probe_brings_it_back(
    client, simulator
):
    llm = OpenAILLM(client, "local", max_retries=0, circuit=Circuit(3, 0.05))
    simulator.faults.add("error", times=None)
    for _ in range(3):
        with pytest.raises(AssistantUnavailable):
            await read(llm)
    asked = simulator.requests.count

    with pytest.raises(AssistantUnavailable):
        await read(llm)
    assert simulator.requests.count == asked

    simulator.faults.clear()
    async with asyncio.timeout(5):
        while llm.circuit.is_open:
            await asyncio.sleep(0.02)
            try:
                await read(llm)
            except AssistantUnavailable:
                continue


@pytest.mark.parametrize("kind", ["hang", "drip", "hang_midstream", "endless"])
async def test_leaving_a_model_that_does_not_end_closes_its_connection(llm, simulator, kind):
    simulator.faults.add(kind, after=2, every_ms=10, times=1)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read(llm), 0.3)

    async with asyncio.timeout(5):
        while simulator.assistant.busy:
            await asyncio.sleep(0.01)


async def timed_out(llm, within_s):
    """Ask a model, and give up at the deadline as a turn does."""
    deadline = asyncio.get_running_loop().time() + within_s
    with pytest.raises(TimeoutError):
        async with asyncio.timeout_at(deadline):
            await read(llm, within_s=within_s)


async def test_timeout_of_a_worker_that_is_late_is_no_failure_of_the_model(client, simulator):
    llm = OpenAILLM(client, "local", max_retries=0, circuit=Circuit(1, 30))
    simulator.faults.add("hang", times=None)
    end = OVERLOAD.get().begin()
    asking = asyncio.create_task(timed_out(llm, 0.5))
    await asyncio.sleep(0.1)
    time.sleep(0.5)  # noqa: ASYNC251 - the worker stands still
    await asking
    end(False)

    assert not llm.circuit.is_open


async def test_timeout_of_a_worker_that_is_on_time_is_one(client, simulator):
    llm = OpenAILLM(client, "local", max_retries=0, circuit=Circuit(1, 30))
    simulator.faults.add("hang", times=None)
    end = OVERLOAD.get().begin()
    for _ in range(5):  # on a machine that stands still, this worker may be late now
        await timed_out(llm, 1.0)
        if llm.circuit.is_open:
            break
    end(False)

    assert llm.circuit.is_open


async def test_timeout_in_our_own_queue_is_no_failure_of_the_model(client, simulator):
    llm = OpenAILLM(client, "local", max_retries=0, circuit=Circuit(1, 30), at_once=1)
    simulator.faults.add("hang", times=None)
    first = asyncio.create_task(read(llm))
    async with asyncio.timeout(5):
        while not simulator.assistant.busy:
            await asyncio.sleep(0.01)

    await timed_out(llm, 0.3)
    is_open = llm.circuit.is_open
    first.cancel()
    await asyncio.wait({first})

    assert simulator.requests.count == 1
    assert not is_open
