from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from chat.assistant.stream import Chunk
from chat.conversations.realtime.events import EncodedEvent
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.protocol import STORE
from chat.core.json import JSON
from chat.turns.turn import take_turn
from chat.web.api.request_parsing import Question
from chat.web.api.sse import HEARTBEAT, MAX_KEPT_CHARS, EventBuffer, answer_in_events
from tests.fakes import FakeLLM
from tests.program import Program, events_in


def types(events):
    return [event["type"] for _number, event in events]


def listeners():
    return PUBSUB.get().local_topics()


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
async def test_the_model_is_asked_before_anything_is_said(model):
    llm = model(FakeLLM(["Un."]))

    await answer_in_events(
        Question(session_id="s", message_id="m", text="Bonjour", create="always"), "api"
    )

    assert len(llm.asked) == 1


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


async def test_silence_is_filled_with_comments(model, settings):
    settings.ENV = replace(settings.ENV, chat_timeout_s=0.3)
    model(FakeLLM([], hangs=True))

    question = Question(session_id="s", message_id="m", text="Bonjour", create="always")
    stream = await answer_in_events(question, "api", heartbeat_s=0.03)
    parts = [part async for part in stream]

    assert parts.count(HEARTBEAT) >= 3


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
    assert (await STORE.get().load("s", "api")).waiting == ("m",)
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


@dataclass
class TwoAnswers:
    """Its first answer stops half-way until ``go_on``; its second comes at once."""

    spoke: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def stream(
        self, messages: Sequence[JSON], tools: Sequence[JSON], *, deadline: float
    ) -> AsyncGenerator[Chunk, None]:
        if self.spoke.is_set():
            yield "Deux."
            return
        yield "Un"
        self.spoke.set()
        await self.go_on.wait()
        for n in range(100):
            yield f" et encore {n}"


async def test_the_answers_of_earlier_questions_are_not_mixed_in(model):
    llm = model(TwoAnswers())
    first = await take_turn("s", owner="api", message_id="m1", text="Un")
    async with asyncio.timeout(5):
        await llm.spoke.wait()

        response = await Program().ask_in_events("Deux", session_id="s", message_id="m2")
        stream = aiter(response)
        parts = [await anext(stream)]
        reading = asyncio.create_task(anext(stream))
        while (await STORE.get().load("s", "api")).waiting != ("m1", "m2"):
            await asyncio.sleep(0)
        llm.go_on.set()
        parts += [await reading] + [part async for part in stream]
        await first.ended()

    text = b"".join(parts).decode()
    assert "et encore" not in text
    assert '"text":"Deux."' in text
    assert text.count('"type":"message.done"') == 1


def delta(id_: str, text: str = "x") -> EncodedEvent:
    return EncodedEvent("message.delta", "", "", "", json.dumps({"id": id_, "text": text}))


def done(question_id: str) -> EncodedEvent:
    return EncodedEvent("message.done", question_id, "", f"{question_id}.1", "{}")


async def test_buffer_drops_what_it_heard_of_an_answer_that_just_ended():
    buffer = EventBuffer("m2")
    for event in (delta("a1"), done("m1"), delta("a2")):
        await buffer.add(event)

    buffer.put_behind(())

    assert buffer.take() == [delta("a2").json]


async def test_buffer_waits_for_all_that_are_ahead():
    buffer = EventBuffer("m3")
    await buffer.add(done("m1"))
    buffer.put_behind(("m1", "m2"))

    for event in (delta("a2"), done("m2"), delta("a3"), done("m3")):
        await buffer.add(event)

    assert buffer.take() == [delta("a3").json]


async def test_buffer_is_bounded():
    buffer = EventBuffer("m")
    for _ in range(10_000):
        await buffer.add(delta("a", "x" * 1_000))

    assert sum(map(len, buffer.take())) < 2 * MAX_KEPT_CHARS
    await buffer.add(delta("a"))
    assert buffer.take() == [delta("a").json]
