from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import aiohttp
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI

from devtools.local_assistant.completions import MAX_BUFFERED_BYTES
from devtools.local_assistant.faults import Pace
from devtools.local_assistant.server import MAX_BODY_BYTES, start
from tests.devtools.local_assistant.asking import SHOP_INFORMATION, ask, fetch, listen

ASKING_NAME = ("Bonjour, je suis Jean", "Comment je m'appelle ?")


async def test_answer_is_a_completion(client):
    done = await ask(client, *ASKING_NAME)

    assert done.choices[0].message.content == "Vous vous appelez Jean."
    assert done.choices[0].finish_reason == "stop"
    assert done.choices[0].message.role == "assistant"
    assert done.model == "m"
    assert done.usage is not None
    assert done.usage.completion_tokens > 0
    assert done.usage.total_tokens == done.usage.prompt_tokens + done.usage.completion_tokens


async def test_stream_says_the_same_token_by_token(client):
    heard = await listen(client, *ASKING_NAME)

    assert heard.text == "Vous vous appelez Jean."
    assert heard.finish_reason == "stop"
    assert heard.chunks[0].choices[0].delta.role == "assistant"
    assert len(heard.chunks) >= 6
    assert {chunk.id for chunk in heard.chunks} == {heard.chunks[0].id}
    assert all(chunk.usage is None for chunk in heard.chunks)


async def test_usage_ends_the_stream_when_asked_for(client):
    heard = await listen(client, *ASKING_NAME, stream_options={"include_usage": True})

    assert heard.chunks[-1].choices == []
    assert heard.chunks[-1].usage is not None
    whole = await ask(client, *ASKING_NAME)
    assert heard.chunks[-1].usage == whole.usage


async def test_stream_on_the_wire_is_openais(server):
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Où ?"}]}
    response = await fetch(server, "POST", "/v1/chat/completions", json=body)
    events = response.text.split("\n\n")

    assert response.content_type == "text/event-stream"
    assert events[-2:] == ["data: [DONE]", ""]
    first = json.loads(events[0].removeprefix("data: "))
    assert first.pop("id").startswith("chatcmpl-")
    assert isinstance(first.pop("created"), int)
    assert first == {
        "object": "chat.completion.chunk",
        "model": "m",
        "service_tier": "default",
        "system_fingerprint": "fp_meubledefrance",
        "choices": [
            {
                "index": 0,
                "delta": {"role": "assistant", "content": "", "refusal": None},
                "logprobs": None,
                "finish_reason": None,
            }
        ],
    }
    last = json.loads(events[-3].removeprefix("data: "))
    assert last["choices"][0]["delta"] == {}
    assert last["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
async def test_answer_is_cut_at_the_token_limit(client, limit):
    options: dict[str, Any] = {limit: 3}

    heard = await listen(client, *ASKING_NAME, **options)
    whole = await ask(client, *ASKING_NAME, **options)

    assert heard.text == whole.choices[0].message.content == "Vous vous appelez"
    assert heard.finish_reason == whole.choices[0].finish_reason == "length"


@pytest.mark.parametrize("stream", [True, False])
async def test_tool_round_trip(client, stream):
    messages: list[Any] = [{"role": "user", "content": "Quels sont vos horaires ?"}]
    if stream:
        call_id, name, arguments, reason = await streamed_call(client, messages)
    else:
        choice = (
            await client.chat.completions.create(
                model="m", messages=messages, tools=[SHOP_INFORMATION]
            )
        ).choices[0]
        call = choice.message.tool_calls[0]
        call_id, name, arguments = call.id, call.function.name, call.function.arguments
        reason = choice.finish_reason

    assert (name, json.loads(arguments), reason) == (
        "shop_information",
        {"topic": "horaires"},
        "tool_calls",
    )
    function = {"name": name, "arguments": arguments}
    messages += [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": call_id, "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": call_id, "content": '{"horaires": {"lundi": "fermé"}}'},
    ]
    done = await client.chat.completions.create(
        model="m", messages=messages, tools=[SHOP_INFORMATION]
    )
    assert "- **Horaires** : lundi fermé" in done.choices[0].message.content


async def streamed_call(client: AsyncOpenAI, messages: list[Any]) -> tuple[Any, Any, str, Any]:
    call_id = name = reason = None
    fragments: list[str] = []
    stream: Any = await client.chat.completions.create(
        model="m", messages=messages, tools=[SHOP_INFORMATION], stream=True
    )
    async for chunk in stream:
        choice = chunk.choices[0]
        for call in choice.delta.tool_calls or ():
            call_id, name = call.id or call_id, call.function.name or name
            fragments.append(call.function.arguments)
        reason = choice.finish_reason or reason
    assert len(fragments) > 2
    return call_id, name, "".join(fragments), reason


async def test_models_are_listed_and_any_is_known(client):
    listed = [model.id async for model in client.models.list()]

    assert listed == ["assistant-local"]
    assert (await client.models.retrieve("gpt-4o-mini")).id == "gpt-4o-mini"


async def test_request_without_key_is_refused(server):
    response = await fetch(
        server, "POST", "/v1/chat/completions", json={}, headers={"Authorization": ""}
    )

    assert response.status == 401
    assert response.json["error"]["type"] == "invalid_request_error"


async def test_unknown_path_is_openais_404(client):
    with pytest.raises(openai.NotFoundError) as caught:
        await client.embeddings.create(model="m", input="x")

    assert caught.value.body["type"] == "invalid_request_error"


USER = {"role": "user", "content": "Bonjour"}
CALLING = {
    "role": "assistant",
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    ],
}


@pytest.mark.parametrize(
    "body",
    [
        {"messages": []},
        {"messages": "Bonjour"},
        {"messages": ["Bonjour"]},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": 3}]},
        {"messages": [{"role": "user", "content": [3]}]},
        {"messages": [USER, {"role": "tool", "tool_call_id": "call_1", "content": "{}"}]},
        {"messages": [USER, {"role": "tool", "content": "{}"}]},
        {"messages": [USER, CALLING]},
        {"messages": [USER, CALLING, USER]},
        {"messages": [USER, {**CALLING, "tool_calls": [{"id": "call_1"}]}]},
        {"messages": [USER], "stream_options": {"include_usage": True}},
        {"messages": [USER], "max_tokens": 0},
        {"messages": [USER], "tools": []},
        {"messages": [USER], "tools": [{"type": "function", "function": {"name": "à b"}}]},
        {"messages": [USER], "tool_choice": "required"},
    ],
)
async def test_what_openai_refuses_is_refused(client, body):
    with pytest.raises(openai.BadRequestError):
        await client.post("/chat/completions", cast_to=object, body={"model": "m", **body})


@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff", b"[" * 100_000, b'{"messages": [1]}'])
async def test_body_that_makes_no_sense_is_refused(server, raw):
    response = await fetch(server, "POST", "/v1/chat/completions", data=raw)

    assert response.status == 400
    assert "error" in response.json


async def test_body_beyond_a_megabyte_is_refused(server):
    body = io.BytesIO(b" " * (MAX_BODY_BYTES + 1))

    response = await fetch(server, "POST", "/v1/chat/completions", data=body)

    assert response.status == 413
    assert "error" in response.json


async def test_requests_are_counted_and_the_last_ones_kept():
    server = await start(pace=Pace(0, 0, 0), keep_requests=2)
    async with AsyncOpenAI(api_key="x", base_url=server.url, max_retries=0) as client:
        for number in range(3):
            await ask(client, f"Message {number}")
    listed = (await fetch(server, "GET", "/requests")).json
    assert (await fetch(server, "DELETE", "/requests")).status == 204
    await server.close()

    assert (listed["count"], listed["kept"]) == (3, 2)
    assert [body["messages"][0]["content"] for body in listed["requests"]] == [
        "Message 1",
        "Message 2",
    ]
    assert (server.requests.count, list(server.requests.bodies)) == (0, [])


async def test_nothing_that_was_written_is_kept_unless_asked():
    server = await start(pace=Pace(0, 0, 0))
    async with AsyncOpenAI(api_key="x", base_url=server.url, max_retries=0) as client:
        await ask(client, "Bonjour")
    await server.close()

    assert (server.requests.count, list(server.requests.bodies)) == (1, [])


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.org", ""])  # noqa: S104
async def test_other_machines_are_not_listened_to(host):
    with pytest.raises(ValueError, match=r"address|loopback"):
        await start(host)


@pytest.mark.parametrize("path", ["/requests", "/v1/models"])
async def test_page_that_calls_us_by_its_own_name_is_refused(server, path):
    response = await fetch(server, "GET", path, headers={"Host": "evil.example"})

    assert response.status == 403


async def test_pace_is_kept(server):
    server.faults.add("slow", first_token_ms=50, tokens_per_s=100)
    loop = asyncio.get_running_loop()
    async with AsyncOpenAI(api_key="x", base_url=server.url, max_retries=0) as client:
        began = loop.time()
        heard = await listen(client, *ASKING_NAME)

    tokens = len(heard.chunks) - 2
    assert loop.time() - began >= 0.05 + tokens / 100


async def test_client_that_does_not_read_is_not_written_for(server):
    """What waits for a client stays bounded, however long the answer."""
    server.faults.add("endless")
    body = {"model": "m", "stream": True, "messages": [USER]}
    async with (
        aiohttp.ClientSession(headers={"Authorization": "Bearer x"}) as session,
        session.post(f"{server.url}/chat/completions", json=body),
    ):
        (transport,) = server.assistant.busy
        async with asyncio.timeout(5):
            while transport.get_write_buffer_size() <= MAX_BUFFERED_BYTES:
                await asyncio.sleep(0)
        for _ in range(100):
            await asyncio.sleep(0)
        assert transport.get_write_buffer_size() < 2 * MAX_BUFFERED_BYTES


async def test_close_cuts_answers_under_way(server):
    server.faults.add("hang")
    async with AsyncOpenAI(api_key="x", base_url=server.url, max_retries=0) as client:
        asked = asyncio.create_task(ask(client, "Bonjour"))
        async with asyncio.timeout(5):
            while not server.assistant.busy:
                await asyncio.sleep(0)
            await server.close()
            with pytest.raises(openai.APIConnectionError):
                await asked

    assert server.assistant.busy == set()


async def test_client_that_leaves_frees_its_stream(server):
    server.faults.add("hang_midstream")
    async with AsyncOpenAI(api_key="x", base_url=server.url, max_retries=0) as client:
        stream: Any = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Bonjour"}], stream=True
        )
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        assert len(server.assistant.busy) == 1
        await stream.close()
        async with asyncio.timeout(5):
            while server.assistant.busy:
                await asyncio.sleep(0)


@given(said=st.text(max_size=300), data=st.data())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_streamed_and_whole_answers_are_equal(said, data):
    limit = data.draw(st.none() | st.integers(1, 60))
    options: dict[str, Any] = {} if limit is None else {"max_tokens": limit}

    async def both() -> tuple[Any, Any]:
        server = await start(pace=Pace(0, 0, 0))
        async with AsyncOpenAI(api_key="x", base_url=server.url, max_retries=0) as client:
            heard, whole = await listen(client, said, **options), await ask(client, said, **options)
        await server.close()
        return (heard.text, heard.finish_reason), (
            whole.choices[0].message.content,
            whole.choices[0].finish_reason,
        )

    streamed, whole = asyncio.run(both())
    assert streamed == whole
