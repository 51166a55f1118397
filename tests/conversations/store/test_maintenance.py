"""What a store tells and repairs of itself."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from chat.conversations.store.adviser_store import StaffNote, StaffNoteKind
from chat.conversations.store.maintenance import Orphan
from chat.conversations.store.protocol import ANY_OWNER
from chat.conversations.store.redis.store import RedisStore
from chat.core.clock import now
from chat.core.ids import ref_of
from tests.builders import answer, ask, leased
from tests.conversations.store.cast import announced, take_over


async def live_a_little(store) -> None:
    """Conversations in every state, with all that may stand beside one."""
    for n in range(3):
        await ask(store, "Bonjour" * (n + 1), session_id=f"s{n}")
    await answer(store, session_id="s0")
    await store.write(await leased(store, session_id="s1"), 0, "Je comm")
    await take_over(store, "s2")
    await ask(store, session_id="asked")
    await store.ask_for_adviser("asked", "api", announced("asked"))
    for id_ in ("s0", "s1"):
        await store.add_staff_note(id_, StaffNote(kind=StaffNoteKind.NOTE, text="note"))
    await ask(store, session_id="ended")
    await store.add_staff_note("ended", StaffNote(kind=StaffNoteKind.NOTE, text="note"))
    await store.end("ended", ANY_OWNER)
    await ask(store, session_id="erased")
    await store.erase("erased", ANY_OWNER)


async def test_survey_tells_what_is_kept(store):
    await live_a_little(store)
    seen: list[tuple[int, int]] = []

    scan = await store.scan(lambda looked, of: seen.append((looked, of)))

    assert (scan.active, scan.ended) == (4, 1)
    assert scan.oldest is not None
    assert scan.oldest.id == "s0"
    sizes = [row.bytes for row in scan.biggest]
    assert sizes == sorted(sizes, reverse=True)
    assert {row.id for row in scan.biggest} == {"s0", "s1", "s2", "asked"}
    assert scan.bytes > sum(sizes)
    assert scan.orphans == dict.fromkeys(Orphan, ())
    assert all(looked <= of for looked, of in seen)
    assert seen


async def test_nothing_that_lives_is_mended(store):
    await live_a_little(store)
    scan = await store.scan()
    before = [(await store.load(f"s{n}", ANY_OWNER)).messages for n in range(3)]

    assert await store.repair(scan) == dict.fromkeys(Orphan, 0)
    assert [(await store.load(f"s{n}", ANY_OWNER)).messages for n in range(3)] == before


@pytest.mark.ttl_s(1)
async def test_expired_are_counted_by_the_hour(store):
    await ask(store)
    await ask(store, session_id="ended")
    await store.end("ended", ANY_OWNER)
    hour_ago = now() - timedelta(hours=1)
    alive = await store.expired_since(hour_ago)
    while await store.count():
        pass

    assert alive == 0
    assert await store.expired_since(hour_ago) == 1
    assert await store.expired_since(now() + timedelta(hours=1)) == 0


@pytest.mark.parametrize("backend", ["redis"])
class TestOrphans:
    @pytest.fixture
    async def left(self, store, client):
        """Living conversations, and all that a lost one may leave behind."""
        await live_a_little(store)
        for id_ in ("lost", "lost-asked", "lost-held"):
            await ask(store, session_id=id_)
            await store.add_staff_note(id_, StaffNote(kind=StaffNoteKind.NOTE, text="note"))
        await store.write(await leased(store, session_id="lost"), 0, "Je comm")
        await store.ask_for_adviser("lost-asked", "api", announced("asked"))
        await take_over(store, "lost-held")
        for id_ in ("lost", "lost-asked", "lost-held"):
            client.delete(f"session:{id_}")
            client.persist(f"chat:state:{id_}")
        client.set("chat:draft:s0", "of no turn")
        client.set("chat:ref:0000000000000000", "never")

    async def test_are_told_by_kind(self, store, left):
        scan = await store.scan()
        refs = {"0000000000000000", *map(ref_of, ("lost", "lost-asked", "lost-held"))}

        assert {kind: set(ids) for kind, ids in scan.orphans.items()} == {
            Orphan.INDEX: {"lost", "lost-asked", "lost-held"},
            Orphan.DRAFTS: {"lost", "s0"},
            Orphan.STATES: {"lost", "lost-asked", "lost-held"},
            Orphan.LEASES: {"lost", "lost-asked"},
            Orphan.STAFF_NOTES: {"lost", "lost-asked", "lost-held"},
            Orphan.REFS: refs,
            **{kind: set() for kind in (Orphan.CONTACTS, Orphan.PHOTOS, Orphan.FILES)},  # in SQL
        }

    async def test_are_removed_once(self, store, client, left):
        scan = await store.scan()
        expected = {kind: len(ids) for kind, ids in scan.orphans.items()}
        keys = set(client.keys("*"))
        seen: list[tuple[int, int]] = []

        removed = await store.repair(scan, lambda looked, of: seen.append((looked, of)))

        assert removed == expected
        assert await store.repair(scan) == dict.fromkeys(Orphan, 0)
        assert (await store.scan()).orphans == dict.fromkeys(Orphan, ())
        gone = keys - set(client.keys("*"))
        assert [key for key in gone if "lost" not in key and "ref" not in key] == ["chat:draft:s0"]
        assert [key for key in client.keys("*") if "lost" in key] == []
        assert (await store.scan()).active == 4
        assert seen[-1][0] == seen[-1][1]

    async def test_that_live_again_are_left_alone(self, store, left):
        scan = await store.scan()
        for id_ in ("lost", "lost-asked", "lost-held"):
            await ask(store, session_id=id_)
        await ask(store, session_id="s0", id_="q2")
        await store.write(await leased(store, "q2", "s0"), 0, "Je comm")

        removed = await store.repair(scan)

        assert removed == {**dict.fromkeys(Orphan, 0), Orphan.REFS: 1}
        assert (await store.load("s0", ANY_OWNER)).draft is not None
        assert (await store.counts()).active == 7

    async def test_survey_takes_small_steps(self, store, client):
        store = RedisStore(store._link, 86_400, step=10)
        for n in range(200):
            await ask(store, session_id=f"s{n}")
            client.delete(f"session:s{n}") if n % 2 else None
        seen: list[int] = []

        scan = await store.scan(lambda looked, of: seen.append(looked))

        assert scan.active == len(scan.orphans[Orphan.INDEX]) == 100
        assert max(after - before for before, after in pairwise(seen)) < 50
        assert len(seen) > 50


@pytest.mark.parametrize("backend", ["redis"])
async def test_expired_long_ago_is_forgotten(store, client):
    client.zadd("chat:index", {"gone": 1000})
    hour = int(now().timestamp() // 3600)
    client.hset("chat:expired", mapping={str(hour - 400): 9, str(hour - 300): 2})

    assert await store.expired_since(now() - timedelta(days=14)) == 3
    assert await store.expired_since(now() - timedelta(days=20)) == 3
