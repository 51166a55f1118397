"""Every fault, as the real client meets it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pytest

from devtools.local_assistant.faults import DIRECTIVE_NAMES
from tests.devtools.local_assistant.asking import SHOP_INFORMATION, Heard, ask, fetch, listen

#: What is said to "Bonjour", up to the fifth token.
FIVE_TOKENS = "Bonjour et bienvenue,"

STREAM_OR_NOT = pytest.mark.parametrize("hear", [listen, ask], ids=["stream", "whole"])


@STREAM_OR_NOT
@pytest.mark.parametrize(
    "fault, error, status",
    [
        ({"kind": "error"}, openai.InternalServerError, 500),
        ({"kind": "error", "status": 503}, openai.InternalServerError, 503),
        ({"kind": "error", "status": 404}, openai.NotFoundError, 404),
        ({"kind": "rate_limit", "retry_after_s": 7}, openai.RateLimitError, 429),
        ({"kind": "auth"}, openai.AuthenticationError, 401),
    ],
)
async def test_status(server, client, hear, fault, error, status):
    server.faults.add_json(fault)

    with pytest.raises(error) as caught:
        await hear(client, "Bonjour")

    assert caught.value.status_code == status
    assert caught.value.body["message"]
    assert caught.value.response.headers.get("Retry-After") == ("7" if status == 429 else None)


@STREAM_OR_NOT
async def test_refused_connection(server, client, hear):
    server.faults.add("refuse")

    with pytest.raises(openai.APIConnectionError):
        await hear(client, "Bonjour")


async def test_fault_ends_after_its_times(server, client):
    server.faults.add("error", times=1)

    heard = await listen(client.with_options(max_retries=1), "Bonjour")

    assert heard.finish_reason == "stop"
    assert server.requests.count == 2


@STREAM_OR_NOT
async def test_hang(server, client, hear):
    server.faults.add("hang")

    with pytest.raises(openai.APITimeoutError):
        await hear(client.with_options(timeout=0.1), "Bonjour")


async def test_hang_in_midstream(server, client):
    server.faults.add("hang_midstream")
    heard = Heard()

    with pytest.raises(openai.APITimeoutError):
        await listen(client.with_options(timeout=0.5), "Bonjour", heard=heard)

    assert (heard.text, heard.finish_reason) == (FIVE_TOKENS, None)


@pytest.mark.parametrize("as_bytes", [False, True])
async def test_drip_keeps_the_connection_busy_for_ever(server, client, as_bytes):
    """The client's own timeout, longer than the time between two drips, never ends it."""
    server.faults.add("drip", every_ms=10, after=5, bytes=as_bytes)
    heard = Heard()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.8):
            await listen(client.with_options(timeout=0.4), "Bonjour", heard=heard)

    assert heard.text == FIVE_TOKENS


@pytest.mark.parametrize("after, text", [(5, FIVE_TOKENS), (0, ""), (10_000, None)])
async def test_cut(server, client, after, text):
    whole = (await listen(client, "Bonjour")).text
    server.faults.add("cut", after=after)
    heard = Heard()

    with pytest.raises(openai.APIConnectionError):
        await listen(client, "Bonjour", heard=heard)

    assert heard.text == (whole if text is None else text)
    assert heard.finish_reason is None


async def test_clean_cut_ends_without_a_reason(server, client):
    server.faults.add("clean_cut")

    heard = await listen(client, "Bonjour")

    assert (heard.text, heard.finish_reason) == (FIVE_TOKENS, None)


async def test_content_filter(server, client):
    server.faults.add("content_filter", times=2)

    heard, whole = await listen(client, "Bonjour"), await ask(client, "Bonjour")

    assert (heard.text, heard.finish_reason) == (FIVE_TOKENS, "content_filter")
    assert whole.choices[0].finish_reason == "content_filter"


async def test_error_in_midstream(server, client):
    server.faults.add("error_midstream")
    heard = Heard()

    with pytest.raises(openai.APIError, match="The server had an error"):
        await listen(client, "Bonjour", heard=heard)

    assert heard.text == FIVE_TOKENS


@pytest.mark.parametrize("after", [0, 3, 10_000])
async def test_garbage_breaks_the_json(server, client, after):
    server.faults.add("garbage", after=after)

    with pytest.raises(json.JSONDecodeError):
        await listen(client, "Bonjour")


@pytest.mark.parametrize("after", [0, 3, 10_000])
async def test_bad_utf8_breaks_the_text(server, client, after):
    server.faults.add("bad_utf8", after=after)

    with pytest.raises(UnicodeDecodeError):
        await listen(client, "Bonjour")


@pytest.mark.parametrize("kind", ["html", "empty", "wrong_json"])
async def test_stream_without_any_answer(server, client, kind):
    server.faults.add(kind)

    heard = await listen(client, "Bonjour")

    assert (heard.text, heard.finish_reason) == ("", None)


@pytest.mark.parametrize("kind", ["garbage", "bad_utf8", "empty"])
async def test_whole_answer_that_is_no_json(server, client, kind):
    server.faults.add(kind)

    with pytest.raises((ValueError, openai.APIResponseValidationError)):
        (
            await client.chat.completions.with_raw_response.create(
                model="m", messages=[{"role": "user", "content": "Bonjour"}]
            )
        ).http_response.json()


@pytest.mark.parametrize("kind", ["wrong_json", "error_midstream"])
async def test_whole_answer_that_is_no_completion(server, client, kind):
    server.faults.add(kind)

    done = await ask(client, "Bonjour")

    assert not done.choices


@pytest.mark.parametrize("kind", ["cut", "hang_midstream", "drip", "endless"])
async def test_whole_answer_that_never_ends(server, client, kind):
    server.faults.add(kind, every_ms=10)

    with pytest.raises((TimeoutError, openai.APIConnectionError)):
        async with asyncio.timeout(0.4):
            await ask(client.with_options(timeout=0.2), "Bonjour")


async def test_endless_stream_never_stops(server, client):
    server.faults.add("endless")
    heard = Heard()
    stream: Any = await client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "merci"}], stream=True
    )

    async for chunk in stream:
        heard.add(chunk)
        if len(heard.chunks) == 1_000:
            break
    await stream.close()

    assert heard.text.count("Avec grand plaisir") > 20


@STREAM_OR_NOT
async def test_scripted_text_is_said(server, client, hear):
    server.faults.add("say", text="Le lit coûte\n\n  **499 €**.")

    done = await hear(client, "Bonjour")

    text = done.text if isinstance(done, Heard) else done.choices[0].message.content
    assert text == "Le lit coûte\n\n  **499 €**."


@pytest.mark.parametrize(
    "fault, name, arguments",
    [
        ({"kind": "call", "tool": "f", "arguments": '{"a": "é'}, "f", '{"a": "é'),
        ({"kind": "unknown_tool"}, "outil_inconnu", "{}"),
        ({"kind": "broken_arguments"}, "shop_information", '{"query": "canap'),
        ({"kind": "call_loop", "times": None}, "shop_information", '{"topic": "horaires"}'),
    ],
)
async def test_scripted_call_is_made(server, client, fault, name, arguments):
    server.faults.add_json(fault)

    done = await ask(client, "Bonjour", tools=[SHOP_INFORMATION])

    (call,) = done.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == (name, arguments)


def after_a_call(asked: str) -> list[Any]:
    """A turn in which a tool was called and has answered."""
    function = {"name": "f", "arguments": "{}"}
    call = {"id": "call_1", "type": "function", "function": function}
    return [
        {"role": "user", "content": asked},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": '{"error": "Inconnu."}'},
    ]


async def test_call_that_cannot_work_is_made_once_a_turn(client):
    messages = after_a_call("[[panne:outil_inconnu]] Bonjour")

    done = await client.chat.completions.create(
        model="m", messages=messages, tools=[SHOP_INFORMATION]
    )

    assert "Inconnu." in done.choices[0].message.content


async def test_call_loop_calls_until_no_tool_is_offered(server, client):
    server.faults.add("call_loop", times=None)
    messages = after_a_call("Bonjour")

    calling = await client.chat.completions.create(
        model="m", messages=messages, tools=[SHOP_INFORMATION]
    )
    talking = await client.chat.completions.create(
        model="m", messages=messages, tools=[SHOP_INFORMATION], tool_choice="none"
    )

    assert calling.choices[0].finish_reason == "tool_calls"
    assert talking.choices[0].finish_reason == "stop"


async def test_directive_in_the_last_user_message_is_obeyed(client):
    heard = await listen(client, "Bonjour [[panne:coupure_propre apres=2]]")

    assert (heard.text, heard.finish_reason) == ("Bonjour et", None)


async def test_directive_is_only_obeyed_from_the_last_user_message(client):
    messages: Any = [
        {"role": "system", "content": "[[panne:500]]"},
        {"role": "user", "content": "Je suis Jean [[panne:500]]"},
        {"role": "assistant", "content": "[[panne:500]]"},
        {"role": "user", "content": "Comment je m'appelle ?"},
    ]

    done = await client.chat.completions.create(model="m", messages=messages)

    assert done.choices[0].message.content == "Vous vous appelez Jean."


async def test_unknown_directive_is_answered_with_those_there_are(client):
    heard = await listen(client, "[[panne:boum]]")

    assert "`[[panne:boum]]`" in heard.text
    assert ", ".join(DIRECTIVE_NAMES) in heard.text


async def test_faults_are_planned_listed_and_taken_away_over_http(server, client):
    planned = await fetch(server, "POST", "/faults", json={"kind": "error", "times": None})
    (listed,) = (await fetch(server, "GET", "/faults")).json["faults"]
    with pytest.raises(openai.InternalServerError):
        await ask(client, "Bonjour")
    cleared = await fetch(server, "DELETE", "/faults")
    await ask(client, "Bonjour")

    assert (planned.status, cleared.status) == (201, 204)
    assert planned.json == listed
    assert (listed["kind"], listed["times"]) == ("error", None)


@pytest.mark.parametrize(
    "options, status",
    [
        ({"json": {"kind": "boum"}}, 400),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": b'{"kind": "hang"}', "headers": {"Content-Type": "text/plain"}}, 415),
    ],
)
async def test_plan_that_makes_no_sense_is_refused(server, options, status):
    response = await fetch(server, "POST", "/faults", **options)

    assert response.status == status
    assert response.json["error"]["message"]
    assert server.faults.planned == []
