"""The requester's five tests, on real workers, with a server that really restarts."""

from __future__ import annotations

import asyncio
import json

import pytest
import redis

from devtools.local_assistant.faults import Pace
from tests.faults.cluster import Cluster
from tests.faults.options import Options

JSON_TYPE = {"Content-Type": "application/json"}


@pytest.fixture
async def cluster(database):
    async with Cluster(database, Options()) as cluster:
        yield cluster


async def post(cluster, message, session_id, worker=0):
    body = json.dumps({"message": message, "session_id": session_id})
    url = f"http://{cluster.addresses[worker]}/api/chat"
    async with cluster.web.post(url, data=body, headers=JSON_TYPE) as response:
        return response.status, await response.json()


async def test_ten_questions_at_once_are_answered_at_once(cluster):
    cluster.assistant.faults.add("slow", delay_ms=1000, tokens_per_s=0, times=None)

    async with asyncio.timeout(5):  # one after the other would take ten seconds
        answers = await asyncio.gather(*(post(cluster, "Bonjour", f"test-{n}") for n in range(10)))

    assert [status for status, _ in answers] == [200] * 10


async def test_conversation_outlives_a_restart_of_every_worker(cluster):
    await post(cluster, "Bonjour, je suis Jean", "persist-test")
    for worker in list(cluster.workers):
        worker.send_signal(15)
        assert await worker.ended() == 0
    await cluster.start_worker()
    await cluster.start_worker()

    status, answer = await post(cluster, "Comment je m'appelle?", "persist-test", worker=1)

    assert status == 200
    assert "Vous vous appelez Jean" in answer["response"]


async def test_timeout_holds(database):
    options = Options(workers=1, environ=(("CHAT_TIMEOUT_S", "0.5"),))
    async with Cluster(database, options) as cluster:
        cluster.assistant.faults.add("hang", times=None)

        async with asyncio.timeout(5):  # the model never answers
            status, problem = await post(cluster, "Test timeout", "timeout-test")

    assert (status, problem["code"]) == (504, "assistant_timeout")


async def test_sessions_are_counted_and_live_a_day_in_readable_keys(cluster):
    for n in range(5):
        await post(cluster, "Été comme hiver", f"count-test-{n}", worker=n % 2)

    async with cluster.web.get(f"http://{cluster.addresses[1]}/api/chat/sessions/count") as reply:
        counted = await reply.json()
    with redis.Redis.from_url(cluster.redis.url, decode_responses=True) as client:
        keys = client.keys("session:*")
        ttl_s = client.ttl("session:count-test-0")
        document = client.get("session:count-test-0")

    assert counted == {"active_sessions": 5, "storage_backend": "redis"}
    assert sorted(keys) == [f"session:count-test-{n}" for n in range(5)]
    assert 86_000 < ttl_s <= 86_400
    assert "Été comme hiver" in document
    assert json.loads(document)["id"] == "count-test-0"


async def test_hundred_requests_ten_at_a_time_on_one_session(cluster):
    cluster.assistant.assistant.pace = Pace(first_token_ms=0, tokens_per_s=0)
    places = asyncio.Semaphore(10)

    async def one(n):
        async with places:
            return await post(cluster, f"Question {n}", "ab-test", worker=n % 2)

    answers = await asyncio.gather(*(one(n) for n in range(100)))
    async with cluster.web.get(f"http://{cluster.addresses[0]}/api/chat/ab-test") as reply:
        messages = (await reply.json())["messages"]

    assert [status for status, _ in answers] == [200] * 100
    assert len(messages) == 200
    places_of = {message["id"]: n for n, message in enumerate(messages)}
    questions = [m["id"] for m in messages if m["author"] == "customer"]
    replies = [m["reply_to"] for m in messages if m["author"] == "assistant"]
    assert replies == questions
    assert all(places_of[m["reply_to"]] < n for n, m in enumerate(messages) if m["reply_to"])
