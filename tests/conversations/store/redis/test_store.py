"""What only Redis shows: readable keys, lives, connections, errors."""

from __future__ import annotations

import asyncio
import json

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat.conversations.store.redis.scripts import PipelineExecutor, scripts
from chat.conversations.store.redis.store import RedisStore
from chat.conversations.types import End, Outcome
from chat.core.errors import StoreUnavailable
from chat.core.ids import ref_of
from tests.builders import JEAN, answer, ask, done, leased

#: Sorted sets of session ids; each id is taken out when its conversation is over.
SHARED = {
    "chat:index",
    "chat:began",
    "chat:turns",
    "chat:asked",
    "chat:held",
    "chat:answering",
    "chat:interrupted",
}


@pytest.fixture
def backend() -> str:
    return "redis"


async def test_keys_and_document_are_readable(store, client):
    await ask(store, "Un canapé d'été ?")
    await answer(store)

    assert client.keys("session:*") == [f"session:{JEAN}"]
    raw = client.get(f"session:{JEAN}")
    document = json.loads(raw)
    assert "Un canapé d'été ?" in raw
    assert document["id"] == JEAN
    assert [m["author"] for m in document["messages"]] == ["customer", "assistant"]
    assert 86_390 < client.ttl(f"session:{JEAN}") <= 86_400


async def test_every_other_key_has_a_life_or_is_bounded(store, client):
    await ask(store)
    await store.write(await leased(store), 0, "Je comm")

    others = {key for key in client.keys("*") if not key.startswith("session:")}

    assert {key for key in others if client.ttl(key) < 0} == {
        "chat:index",
        "chat:began",
        "chat:turns",
        "chat:answering",
    }
    await store.erase(JEAN, "api")
    assert [key for key in SHARED if client.exists(key)] == []


async def test_index_forgets_expired_sessions(store, client):
    client.zadd("chat:index", {"long-gone": 1000})

    assert await store.count() == 0
    await store.orphans()

    assert client.zcard("chat:index") == 0


async def test_scripts_come_back_after_redis_forgot_them(store, client):
    await ask(store)
    client.script_flush()

    assert (await store.load(JEAN, "api")).waiting == ("q1",)


async def test_document_restored_by_hand_is_understood(store, client):
    await ask(store, "Été ?", "q1")
    await answer(store)
    await ask(store, "Sans réponse", "q2")
    client.delete(f"chat:state:{JEAN}")

    session = await store.load(JEAN, "api")
    known = await store.outcome(JEAN, "q1")

    assert [m.id for m in session.messages] == ["q1", "answer-to-q1", "q2"]
    assert known == Outcome(end=End.DONE, answer_id="answer-to-q1")
    assert session.failed == {"q2": "assistant_unavailable"}
    await ask(store, "Sans réponse", "q2")
    lease = await leased(store, "q2")
    await store.finish(lease, done(lease), None)


async def test_bytes_sent_do_not_grow_with_the_conversation(store, client):
    async def sent_by(id_: str) -> int:
        before = client.info("stats")["total_net_input_bytes"]
        await ask(store, "Toujours la même question", id_)
        await answer(store, id_)
        return int(client.info("stats")["total_net_input_bytes"] - before)

    await sent_by("warm")
    first = await sent_by("q000")
    for n in range(1, 100):
        await ask(store, "Toujours la même question", f"q{n:03}")
        await answer(store, f"q{n:03}")
    last = await sent_by("q100")

    assert last < 2 * first


async def test_hundred_coroutines_share_one_connection(store, client):
    before = client.info("clients")["connected_clients"]

    await asyncio.gather(*(ask(store, session_id=f"s{n}") for n in range(100)))

    assert client.info("clients")["connected_clients"] - before <= 1
    assert await store.count() == 100


async def test_error_is_never_read_as_absence(unused_tcp_port):
    client = redis.Redis(port=unused_tcp_port, retry=Retry(NoBackoff(), 0))
    link = PipelineExecutor(lambda: client, scripts())
    store = RedisStore(link, 60)

    for operation in (store.load(JEAN, "api"), store.count(), store.ping()):
        with pytest.raises(StoreUnavailable):
            await operation

    link.close()


@pytest.mark.parametrize("setting", ["maxmemory", "min-replicas-to-write"])
async def test_redis_that_takes_no_writes_is_away_and_keeps_what_it_has(store, client, setting):
    await ask(store)
    client.config_set(setting, 1)
    try:
        with pytest.raises(StoreUnavailable):
            await ask(store, "Encore", "q2")
        with pytest.raises(StoreUnavailable):
            await store.ping()
    finally:
        client.config_set(setting, 0)

    assert [m.id for m in (await store.load(JEAN, "api")).messages] == ["q1"]


async def test_full_redis_still_erases_and_finds_what_is_due(store, client):
    await ask(store)
    client.zadd("chat:erasing", {"due": 1})
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(StoreUnavailable):
            await ask(store, "Encore", "q2")
        assert await store.erase(JEAN, "api")
        assert not await store.erase("photos-before-the-first-word", "web")
        assert (await store.erasure_backlog()).count == 3
        client.delete("chat:since")
        await store.orphans()
        assert await store.take_erasures() == ["due"]
        await store.erasure_done(ref_of(JEAN))
    finally:
        client.config_set("maxmemory", "0")
