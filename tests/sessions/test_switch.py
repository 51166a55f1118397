"""Redis goes, memory stands in, Redis comes back and has everything. On a Redis of its own."""

from __future__ import annotations

import asyncio
import shutil

import pytest
import redis

from chat.errors import SessionGone, SessionNotFound, StoreUnavailable
from chat.sessions import cookie
from chat.sessions.store import ANY_OWNER
from chat.sessions.types import Draft
from tests.builders import JEAN, answer, answer_to, ask, done, leased, question
from tests.sessions.workers import back, made_meanwhile

pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed"
)


@pytest.fixture
def store(workers):
    return workers().store


async def ids(store, session_id=JEAN):
    return [m.id for m in (await store.load(session_id, ANY_OWNER)).messages]


@pytest.mark.parametrize("fault", ["kill", "freeze"])
async def test_conversation_goes_on_in_memory_and_returns_whole(server, store, fault):
    await ask(store)
    await answer(store)
    getattr(server, fault)()

    await ask(store, "Encore", "q2")
    meanwhile = store.backend
    await answer(store, "q2")
    in_memory = await ids(store)
    server.thaw() if fault == "freeze" else server.start()
    await back(store)

    assert meanwhile == "memory"
    assert in_memory == ["q1", "answer-to-q1", "q2", "answer-to-q2"]
    assert await ids(store) == in_memory
    session = await store.load(JEAN, ANY_OWNER)
    assert (session.waiting, session.failed, session.owner) == ((), {}, "api")
    with pytest.raises(SessionNotFound):
        await store.load(JEAN, "web")
    assert not (await store.accept(JEAN, "api", question("Encore", "q2"), create="always")).fresh


async def test_answer_begun_on_redis_ends_in_memory(server, store):
    await ask(store)
    lease = await leased(store)
    await store.write(lease, 0, "Je comm")
    server.kill()

    await store.write(lease, 7, "ence")
    await store.finish(lease, done(lease), answer_to(lease, "Je commence"))
    server.start()
    await back(store)

    assert await ids(store) == ["q1", "answer-to-q1"]
    assert await store.outcome(JEAN, "q1") == done(lease)


async def test_draft_is_never_shown_without_its_beginning(server, store):
    await ask(store)
    lease = await leased(store)
    await store.write(lease, 0, "Je comm")
    server.kill()
    await store.write(lease, 7, "ence")
    without = (await store.load(JEAN, ANY_OWNER)).draft
    server.start()
    await back(store)
    await store.write(lease, 40, "ce")
    on_redis = (await store.load(JEAN, ANY_OWNER)).draft
    await store.write(lease, 0, "Je commence")

    assert all(
        draft is None or "Je commence".startswith(draft.text) for draft in (without, on_redis)
    )
    assert (await store.load(JEAN, ANY_OWNER)).draft == Draft(id="answer-to-q1", text="Je commence")


async def test_answer_begun_in_memory_ends_on_redis(server, store):
    await ask(store)
    server.kill()
    await ask(store, "Encore", "q2")
    lease = await leased(store, "q1")
    await store.write(lease, 0, "Je comm")
    server.start()
    await back(store)

    draft = (await store.load(JEAN, ANY_OWNER)).draft
    await store.write(lease, 7, "ence")
    await store.finish(lease, done(lease), answer_to(lease, "Je commence"))

    assert draft == Draft(id="answer-to-q1", text="Je comm")
    assert await ids(store) == ["q1", "q2", "answer-to-q1"]
    assert (await store.load(JEAN, ANY_OWNER)).waiting == ("q2",)


async def test_session_that_cannot_be_read_is_never_begun_again_blank(server, workers):
    await ask(workers().store)
    store = workers().store
    server.kill()

    with pytest.raises(StoreUnavailable):
        await store.load(JEAN, "api")
    for create in ("always", "new"):
        with pytest.raises(StoreUnavailable):
            await store.accept(JEAN, "api", question(id_="q2"), create=create)
    with pytest.raises(StoreUnavailable):
        await store.claim(JEAN, ["q1"], "a")
    server.start()
    await back(store)

    assert await ids(store) == ["q1"]


async def test_new_conversations_begin_in_memory(server, store):
    server.kill()
    with pytest.raises(StoreUnavailable):
        await store.load("unknown", "web")
    made_now = made_meanwhile(store)

    with pytest.raises(SessionNotFound):
        await store.load(made_now, "web")
    await store.accept(made_now, "web", question(), create="new")
    await store.accept("by-a-program", "api", question(), create="fresh")
    counted = await store.count()
    server.start()
    await back(store)

    assert counted == 2
    assert await ids(store, made_now) == ["q1"]
    assert await ids(store, "by-a-program") == ["q1"]
    assert await store.count() == 2


async def test_page_opened_before_the_fault_begins_in_memory(server, store):
    visitor = cookie.new_session_id()
    with pytest.raises(SessionNotFound):
        await store.load(visitor, "web")
    server.kill()

    await store.accept(visitor, "web", question(), create="new")

    assert await ids(store, visitor) == ["q1"]


async def test_session_begun_elsewhere_since_it_was_read_is_not_begun_again_blank(server, workers):
    one, two = workers().store, workers().store
    visitor = cookie.new_session_id()
    with pytest.raises(SessionNotFound):
        await one.load(visitor, "web")
    await two.accept(visitor, "web", question(), create="new")
    one.forget_absence(visitor)
    server.kill()

    with pytest.raises(StoreUnavailable):
        await one.load(visitor, "web")
    with pytest.raises(StoreUnavailable):
        await one.accept(visitor, "web", question("Encore", "q2"), create="new")


async def test_two_workers_that_both_went_on_are_merged(server, workers):
    one, two = workers().store, workers().store
    await ask(one)
    await answer(one)
    await two.load(JEAN, "api")
    server.kill()

    await ask(one, "Par un", "q2")
    await ask(two, "Par deux", "q3")
    await ask(one, "Par un", "q4")
    server.start()
    await asyncio.gather(back(one), back(two))

    merged = await ids(one)
    assert merged == await ids(two)
    assert merged[:2] == ["q1", "answer-to-q1"]
    assert sorted(merged[2:]) == ["q2", "q3", "q4"]
    assert merged.index("q2") < merged.index("q4")
    assert set((await one.load(JEAN, "api")).waiting) == {"q2", "q3", "q4"}


async def test_erased_before_the_return_does_not_revive(server, workers):
    one, two = workers(), workers()
    await ask(one.store)
    server.freeze()
    await ask(one.store, "En mémoire", "q2")
    server.thaw()
    await two.store.erase(JEAN, "api")
    await back(one.store)

    with pytest.raises(SessionGone) as caught:
        await one.store.load(JEAN, "api")
    assert caught.value.reason == "erased"


async def test_erasure_is_refused_while_redis_may_still_have_it(server, store):
    await ask(store)
    server.kill()

    with pytest.raises(StoreUnavailable):
        await store.erase(JEAN, "api")
    await store.accept("new", "api", question(), create="fresh")
    assert await store.erase("new", "api")


async def test_erasure_is_refused_where_a_browser_may_have_begun_elsewhere_too(server, store):
    await ask(store)
    server.kill()
    await ask(store, "Encore", "q2")
    visitor = made_meanwhile(store)
    await store.accept(visitor, "web", question(), create="new")

    with pytest.raises(StoreUnavailable):
        await store.erase(visitor, "web")
    kept = await ids(store, visitor)
    server.start()
    await back(store)

    assert kept == ["q1"]
    assert await store.erase(visitor, "web")
    with pytest.raises(SessionGone):
        await store.load(visitor, "web")


async def test_full_redis_is_away_too(server, store):
    await ask(store)
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", 1)
        await ask(store, "Encore", "q2")
        meanwhile = store.backend
        client.config_set("maxmemory", 0)
    await back(store)

    assert meanwhile == "memory"
    assert await ids(store) == ["q1", "q2"]


async def test_flushed_redis_gets_back_what_workers_went_on_with(server, store):
    await ask(store)
    server.freeze()
    await ask(store, "Encore", "q2")
    server.thaw()
    server.flush()
    await back(store)

    assert await ids(store) == ["q1", "q2"]


async def test_viewers_are_told_of_both_moves(server, store):
    told = []

    async def moved(session_ids):
        told.append((session_ids, store.backend))

    store.moved = moved
    await ask(store)
    server.kill()
    await ask(store, "Encore", "q2")
    async with asyncio.timeout(5):
        while not told:
            await asyncio.sleep(0.01)
    server.start()
    async with asyncio.timeout(5):
        while len(told) < 3:
            await asyncio.sleep(0.01)

    assert told == [(None, "memory"), ([JEAN], "redis"), (None, "redis")]


async def test_redis_that_goes_again_on_its_return_comes_back_again(server, store):
    went_again = asyncio.Event()

    async def moved(session_ids):
        if session_ids and not went_again.is_set():  # told of the return: it goes in that moment
            server.kill()
            went_again.set()
            await store.load(JEAN, ANY_OWNER)

    store.moved = moved
    await ask(store)
    server.kill()
    await ask(store, "Encore", "q2")
    server.start()
    async with asyncio.timeout(5):
        await went_again.wait()
    await ask(store, "Toujours là", "q3")
    assert store.backend == "memory"
    server.start()
    await back(store)

    assert await ids(store) == ["q1", "q2", "q3"]


async def test_redis_is_not_asked_again_while_it_is_known_to_be_away(server, workers, monkeypatch):
    worker = workers()
    await ask(worker.store)
    server.freeze()
    await ask(worker.store, "Un", "q2")
    asked = []
    monkeypatch.setattr(worker.redis, "accept", lambda *args, **options: asked.append(args))

    for n in range(20):
        await ask(worker.store, "Deux", f"r{n}")

    assert asked == []
    server.thaw()
    await back(worker.store)
    assert len(await ids(worker.store)) == 22
