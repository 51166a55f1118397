"""Garbage in what all conversations share stops none of them, and hides none."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from chat.conversations.store.adviser_store import Listing
from chat.core.ids import ref_of
from chat.ops.doctor.redis_state import ask as ask_redis
from chat.ops.doctor.redis_state import evaluate
from tests.builders import JEAN, answer, answer_to, ask, done, leased
from tests.conversations.store.cast import announced, hand_back, leave_without_a_word, take_over

#: Members that no release of ours wrote, with scores that are no moments.
ODD: dict[bytes | str, float] = {
    b"\xff\xfe": 1,
    b"\xff\xfe\x00": 1e15,
    "": 1,
    "no such": 1,
    "x" * 5000: float("inf"),
    "\u00e9": -1e300,
}
SETS = [
    "index",
    "began",
    "turns",
    "asked",
    "held",
    "answering",
    "interrupted",
    "workers",
    "speakers",
]
SETS += ["erasing", "erasing:since", "unreadable"]


@pytest.fixture
def backend():
    return "redis"


@pytest.fixture
def raw(flushed_redis):
    client = redis.Redis.from_url(flushed_redis)
    yield client
    client.close()


async def _use_all(store: Any) -> None:
    """What workers, customers and the staff ask of what is shared."""
    await store.beat(0)
    await store.heard(JEAN)
    await store.orphans()
    await store.expired_assignments()
    await store.take_erasures()
    await store.erasure_backlog()
    assert [row.id for row in (await store.page(Listing())).rows] == [JEAN]
    assert [row.id for row in await store.search(["bahut"])] == [JEAN]
    assert await store.counts() is not None
    await store.unreadable()
    await store.repair(await store.scan())
    await take_over(store)
    assert len((await store.load(JEAN, "api")).messages) == 3


@pytest.mark.parametrize("name", SETS)
async def test_member_that_is_no_id_stops_nobody(store, raw, name):
    await ask(store, "Je cherche un bahut")
    await answer(store)
    raw.zadd(f"chat:{name}", ODD)

    await _use_all(store)


@pytest.mark.parametrize("name", ["places", "expired"])
async def test_field_that_is_none_of_ours_stops_nobody(store, raw, name):
    await ask(store, "Je cherche un bahut")
    await answer(store)
    raw.hset(f"chat:{name}", mapping={b"\xff": b"\xff", "": "", "zz": "{", "1": "null"})
    raw.zadd("chat:index", {"long-gone": 1})

    await _use_all(store)
    assert await store.expired_since(datetime(2020, 1, 1, tzinfo=UTC)) >= 1


async def test_members_that_are_no_ids_leave_the_sweeps(store, raw):
    await ask(store)
    raw.zadd("chat:turns", {JEAN: 1} | {b"\xff%d" % n: 0 for n in range(120)})

    assert list(await store.orphans()) == [JEAN]
    assert raw.zrange("chat:turns", 0, -1) == [JEAN.encode()]


async def test_members_that_are_no_ids_hide_no_absent_adviser(store, raw):
    await ask(store)
    await take_over(store)
    await leave_without_a_word(store)
    raw.zadd("chat:held", {b"\xff%d" % n: 0 for n in range(120)})

    assert await store.expired_assignments() == [JEAN]
    assert raw.zrange("chat:held", 0, -1) == [JEAN.encode()]


async def test_worker_that_no_release_of_ours_has_is_forgotten(store, raw):
    in_a_year = time.time() * 1000 + 365 * 86_400_000
    raw.zadd("chat:workers", ODD | {"far": in_a_year, "endless": float("inf")})
    raw.hset("chat:places", mapping={"far": "?", b"\xff": "?"})

    beat = await store.beat(0)

    assert set(beat.workers.known_ms) == {store.worker_id}
    await store.beat(beat.now_ms)
    assert raw.zrange("chat:workers", 0, -1) == [store.worker_id.encode()]
    assert raw.hkeys("chat:places") == [store.worker_id.encode()]


async def test_moment_that_is_none_hides_no_orphan(store, raw):
    await ask(store)
    raw.zadd("chat:turns", {JEAN: float("inf")})

    assert list(await store.orphans()) == [JEAN]


async def test_moment_that_is_none_hides_no_erasure(store, raw):
    raw.zadd("chat:erasing", {"0123456789abcdef": float("inf")})
    raw.zadd("chat:erasing:since", {"0123456789abcdef": -1e300})

    assert (await store.erasure_backlog()).count == 1
    assert await store.take_erasures() == ["0123456789abcdef"]


@pytest.mark.parametrize("score", [1e15, 1e300, float("inf")])
async def test_expiry_that_is_no_moment_stops_no_list(store, raw, score):
    await ask(store, "Je cherche un bahut")
    raw.zadd("chat:index", {JEAN: score})

    assert [row.id for row in (await store.page(Listing())).rows] == [JEAN]
    assert (await store.scan()).active == 1


KEYS = [*SETS, "places", "expired", "since", "reindex"]


def _retype(raw: Any, name: str, kind: str) -> None:
    raw.delete(f"chat:{name}")
    if kind == "list":
        raw.rpush(f"chat:{name}", "a", "b")
    else:
        raw.sadd(f"chat:{name}", "a")


@pytest.mark.parametrize("kind", ["list", "set"])
@pytest.mark.parametrize("name", KEYS)
async def test_shared_key_of_another_type_hides_no_conversation(store, raw, caplog, name, kind):
    await ask(store, "Je cherche un bahut")
    await answer(store)
    for number in range(5):
        _retype(raw, name, kind)
        await ask(store, "Encore", f"next-{number}")
        _retype(raw, name, kind)
        await answer(store, f"next-{number}")
    _retype(raw, name, kind)

    assert len((await store.load(JEAN, "api")).messages) == 12
    _retype(raw, name, kind)
    await store.counts()
    assert raw.keys(f"chat:unreadable:{JEAN}*") == []
    assert raw.type(f"chat:unreadable:chat:{name}") == kind.encode()
    assert 0 < raw.ttl(f"chat:unreadable:chat:{name}") <= 7 * 86_400
    assert f"chat:{name}" in caplog.text
    assert JEAN not in caplog.text


@pytest.mark.parametrize("name", KEYS)
async def test_each_use_goes_on_with_a_shared_key_of_another_type(store, raw, name):
    await ask(store, "Je cherche un bahut")
    await answer(store)
    uses = [
        lambda: store.beat(0),
        lambda: store.heard(JEAN),
        store.orphans,
        store.expired_assignments,
        store.take_erasures,
        store.erasure_backlog,
        lambda: store.page(Listing()),
        lambda: store.search(["bahut"]),
        store.counts,
        store.count,
        store.unreadable,
        store.scan,
        lambda: store.expired_since(datetime(2020, 1, 1, tzinfo=UTC)),
        lambda: store.fates([ref_of(JEAN)]),
        lambda: take_over(store),
        lambda: hand_back(store),
        lambda: store.end(JEAN, "api"),
        lambda: store.erase(JEAN, "api"),
    ]
    for use in uses:
        _retype(raw, name, "list")
        await use()

    assert raw.keys(f"chat:unreadable:{JEAN}*") == []


async def test_words_of_an_answer_go_on_with_a_shared_key_of_another_type(store, raw):
    await ask(store)
    lease = await leased(store)
    _retype(raw, "turns", "list")

    await store.write(lease, 0, "Bonjour")
    await store.finish(lease, done(lease), answer_to(lease))

    assert len((await store.load(JEAN, "api")).messages) == 2


async def test_shared_keys_are_made_anew_from_the_conversations(store, raw):
    for session_id in ("idle", "held", "asked", "answering"):
        await ask(store, session_id=session_id)
        if session_id != "answering":
            await answer(store, session_id=session_id)
    await take_over(store, "held")
    await store.ask_for_adviser("asked", "api", announced("a1"))
    await ask(store, session_id="erased")
    await store.erase("erased", "api")
    names = ("index", "began", "turns", "asked", "held", "answering", "erasing")
    before = {name: set(raw.zrange(f"chat:{name}", 0, -1)) for name in names}
    expiry = raw.zscore("chat:index", "idle")
    for name in names:
        _retype(raw, name, "list")

    await store.orphans()

    assert {name: set(raw.zrange(f"chat:{name}", 0, -1)) for name in names} == before
    assert abs(raw.zscore("chat:index", "idle") - expiry) < 1000
    assert list(await store.orphans()) == ["answering"]
    assert (await store.counts()).active == 4
    assert not raw.exists("chat:reindex")


async def test_only_keys_of_its_own_set_a_conversation_aside(store, raw):
    await ask(store)
    raw.rpush(f"chat:erased:{JEAN}", "x")

    await ask(store, "Encore", "q2")

    assert len((await store.load(JEAN, "api")).messages) == 2


async def test_doctor_names_shared_keys_that_were_moved_aside(store, raw):
    _retype(raw, "index", "list")
    await store.counts()

    (finding,) = (f for f in evaluate(ask_redis(raw), 86_400) if f.name == "Clés partagées")

    assert "chat:index" in finding.what
