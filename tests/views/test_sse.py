from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from chat import live
from chat.assistant.turn import stop_turn, take_turn
from chat.protocol import Envelope
from chat.sessions.store import default_store
from chat.views import sse
from chat.views.sse import Ear
from tests.fakes import FakeLLM
from tests.program import Program, events_in


def types(events):
    return [event["type"] for _number, event in events]


def listeners():
    return [hear for ear in live._ears.values() for hear in ear.listeners.values()]


@pytest.mark.usefixtures("backend")
async def test_an_answer_comes_as_it_is_written(model):
    model(FakeLLM([f"mot{n} é🪑 " for n in range(30)]))

    response = await Program().ask_in_events(session_id="s", message_id="m")
    events = await events_in(response)

    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Accel-Buffering"] == "no"
    assert [number for number, _event in events] == list(range(1, len(events) + 1))
    assert events[0][1] == {"type": "message.accepted", "id": "m"}
    assert set(types(events)[1:-1]) == {"message.delta"}
    text = ""
    for _number, delta in events[1:-1]:
        assert delta["offset"] == len(text)
        text += delta["text"]
    done = events[-1][1]
    assert (done["type"], done["message"]["text"]) == ("message.done", text)
    assert done["message"]["reply_to"] == "m"
    assert listeners() == []


@pytest.mark.usefixtures("backend")
async def test_a_repeated_question_gets_its_answer_at_once(model):
    llm = model(FakeLLM(["Un."]))
    program = Program()
    first = await events_in(await program.ask_in_events(session_id="s", message_id="m"))

    again = await events_in(await program.ask_in_events(session_id="s", message_id="m"))

    assert types(again) == ["message.accepted", "message.done"]
    assert again[-1][1] == first[-1][1]
    assert len(llm.asked) == 1


async def test_what_is_refused_is_a_plain_problem(model):
    model(FakeLLM())
    program = Program()
    await program.ask(session_id="s", message_id="m")

    conflict = await program.ask_in_events("Autre chose", session_id="s", message_id="m")
    blank = await program.ask_in_events(" ")

    assert (conflict.status_code, conflict.json()["code"]) == (409, "id_conflict")
    assert (blank.status_code, blank.json()["code"]) == (422, "invalid_message")
    assert listeners() == []


async def test_a_failure_after_the_question_was_kept_is_the_last_event(model, settings):
    settings.ENV = replace(settings.ENV, chat_timeout_s=0.2)
    model(FakeLLM([], hangs=True))

    events = await events_in(await Program().ask_in_events(session_id="s", message_id="m"))

    assert types(events) == ["message.accepted", "error"]
    assert (events[-1][1]["code"], events[-1][1]["id"]) == ("assistant_timeout", "m")


async def test_silence_is_filled_with_comments(model, settings, monkeypatch):
    monkeypatch.setattr(sse, "HEARTBEAT_S", 0.03)
    settings.ENV = replace(settings.ENV, chat_timeout_s=0.3)
    model(FakeLLM([], hangs=True))

    response = await Program().ask_in_events()
    parts = [part async for part in response]

    assert parts.count(sse.HEARTBEAT) >= 3


@pytest.mark.parametrize("is_waiting", [True, False])
async def test_a_reader_who_leaves_frees_the_stream_and_the_turn_goes_on(model, is_waiting):
    llm = model(FakeLLM(["Bonjour"], hangs=True))
    response = await Program().ask_in_events(session_id="s", message_id="m")
    stream = aiter(response)

    while b"message.delta" not in await anext(stream):
        assert any(listeners())
    if is_waiting:
        reading = asyncio.create_task(anext(stream))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait({reading})
    else:
        await stream.aclose()

    assert listeners() == []
    assert llm.closed == 0
    assert (await default_store().load("s", "api")).waiting == ("m",)
    await Program().call("DELETE", "/api/chat/s")


async def test_an_erasure_ends_the_stream(model):
    llm = model(FakeLLM(["Bonjour"], hangs=True))
    program = Program()
    response = await program.ask_in_events(session_id="s", message_id="m")

    reading = asyncio.create_task(events_in(response))
    async with asyncio.timeout(5):
        await llm.spoke.wait()
        await program.call("DELETE", "/api/chat/s")
        events = await reading

    assert types(events)[-1] == "error"
    assert events[-1][1]["code"] == "session_not_found"


async def test_the_answers_of_earlier_questions_are_not_mixed_in(model):
    llm = model(FakeLLM(["Bonjour"], hangs=True))
    program = Program()
    first = await take_turn("s", owner="api", message_id="m1", text="Un")
    async with asyncio.timeout(5):
        await llm.spoke.wait()

    response = await program.ask_in_events("Deux", session_id="s", message_id="m2")
    reading = asyncio.create_task(events_in(response))
    while not any(listeners()):
        await asyncio.sleep(0)
    llm.hangs = False
    await stop(first)
    async with asyncio.timeout(5):
        events = await reading

    assert types(events)[0] == "message.accepted"
    assert {event["id"] for _n, event in events if event["type"] == "message.delta"} == {
        events[-1][1]["message"]["id"]
    }
    assert events[-1][1]["message"]["reply_to"] == "m2"


async def stop(turn):
    await stop_turn("s", "api")
    await turn.ended()


def delta(id_: str, text: str = "x") -> Envelope:
    return Envelope("message.delta", "", json.dumps({"id": id_, "text": text}))


def done(about: str) -> Envelope:
    return Envelope("message.done", about, "{}")


async def test_ear_drops_what_it_heard_of_an_answer_that_just_ended():
    ear = Ear("m2")
    for envelope in (delta("a1"), done("m1"), delta("a2")):
        await ear.hear(envelope)

    ear.put_behind(())

    assert ear.take() == [delta("a2").text]


async def test_ear_waits_for_all_that_are_ahead():
    ear = Ear("m3")
    await ear.hear(done("m1"))
    ear.put_behind(("m1", "m2"))

    for envelope in (delta("a2"), done("m2"), delta("a3"), done("m3")):
        await ear.hear(envelope)

    assert ear.take() == [delta("a3").text]


async def test_ear_is_bounded():
    ear = Ear("m")
    for _ in range(10_000):
        await ear.hear(delta("a", "x" * 1_000))

    assert sum(map(len, ear.take())) < 2 * sse.MAX_KEPT_CHARS
    await ear.hear(delta("a"))
    assert ear.take() == [delta("a").text]
