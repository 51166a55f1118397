"""The requester's five tests (curl, sessions, deadline, count, TTL) and their load test.

The restart of test 2 is a worker's: it forgets everything it holds. Killed processes and Redis
are in ``tests/faults``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
import redis

from chat.assistant.stream import Chunk
from chat.core.json import JSON
from tests.backends import use_redis
from tests.fakes import FakeLLM
from tests.program import Program

DAY_S = 86_400


@dataclass
class MeetingLLM:
    """Answers as soon as ``needed`` questions are asked at once, and never before."""

    needed: int
    at_once: int = 0
    met: asyncio.Event = field(default_factory=asyncio.Event)

    async def stream(
        self, messages: Sequence[JSON], tools: Sequence[JSON], *, deadline: float
    ) -> AsyncGenerator[Chunk, None]:
        self.at_once += 1
        if self.at_once >= self.needed:
            self.met.set()
        await self.met.wait()
        yield "Bonjour !"


@dataclass
class RememberingLLM:
    """Answers from what the conversation says, and only from that."""

    async def stream(
        self, messages: Sequence[JSON], tools: Sequence[JSON], *, deadline: float
    ) -> AsyncGenerator[Chunk, None]:
        said = " ".join(m["content"] for m in messages if m["role"] == "user")
        if "je suis Jean" in said and "m'appelle" in said:
            yield "Vous vous appelez Jean."
        else:
            yield "Bonjour !"


@pytest.fixture
def on_redis(flushed_redis, settings) -> Iterator[redis.Redis]:
    use_redis(settings, flushed_redis)
    with redis.Redis.from_url(flushed_redis, decode_responses=True) as client:
        yield client


@pytest.mark.usefixtures("backend")
async def test_1_ten_requests_are_answered_at_once(model):
    llm = MeetingLLM(10)
    model(llm)
    program = Program()

    responses = await asyncio.gather(*(program.ask(session_id=f"test-{n}") for n in range(1, 11)))

    assert [response.status_code for response in responses] == [200] * 10
    assert llm.at_once == 10


async def test_2_a_conversation_goes_on_after_a_restart(model, on_redis, restart_worker):
    model(RememberingLLM())
    program = Program()
    await program.ask("Bonjour, je suis Jean", session_id="persist-test")

    restart_worker()
    response = await program.ask("Comment je m'appelle?", session_id="persist-test")

    assert response.json()["response"] == "Vous vous appelez Jean."


@pytest.mark.usefixtures("backend")
async def test_3_the_deadline_is_respected(model, settings):
    settings.ENV = replace(settings.ENV, chat_timeout_s=0.3)
    model(FakeLLM([], hangs=True))
    started = time.monotonic()

    async with asyncio.timeout(10):  # of the 30 s that a question has by default
        response = await Program().ask("Test timeout", session_id="timeout-test")

    assert response.json()["code"] == "assistant_timeout"
    assert time.monotonic() - started >= 0.3


async def test_4_sessions_are_counted(model, backend):
    model(FakeLLM())
    program = Program()
    for n in range(1, 6):
        await program.ask("Test", session_id=f"count-test-{n}")

    counted = await program.get("/api/chat/sessions/count")

    assert counted.json() == {"active_sessions": 5, "storage_backend": backend}


async def test_5_sessions_stand_in_redis_with_a_time_to_live(model, on_redis):
    model(FakeLLM())
    program = Program()
    await program.ask("Bonjour, je suis Jean", session_id="persist-test")
    await program.ask("Voilà", session_id="other")

    assert sorted(on_redis.keys("session:*")) == ["session:other", "session:persist-test"]
    assert DAY_S - 60 <= on_redis.ttl("session:persist-test") <= DAY_S
    assert "je suis Jean" in on_redis.get("session:persist-test")
    assert "Voilà" in on_redis.get("session:other")


@pytest.mark.usefixtures("backend")
async def test_100_requests_10_at_a_time_in_one_session_keep_every_message(model):
    model(RememberingLLM())
    program = Program()
    at_once = asyncio.Semaphore(10)

    async def ask(n: int) -> int:
        async with at_once:
            response = await program.ask(f"Message {n}", session_id="s", message_id=f"m{n}")
            return int(response.status_code)

    statuses = await asyncio.gather(*(ask(n) for n in range(100)))
    messages = (await program.get("/api/chat/s")).json()["messages"]

    assert statuses == [200] * 100
    assert len(messages) == 200
    questions = [m["id"] for m in messages if m["author"] == "customer"]
    answered = [m["reply_to"] for m in messages if m["author"] == "assistant"]
    assert sorted(questions) == sorted(f"m{n}" for n in range(100))
    assert answered == questions
