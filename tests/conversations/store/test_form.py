"""A ticket that is being made, and what the application announces: promised by both stores."""

from __future__ import annotations

import asyncio

import pytest

from chat.conversations.store.adviser_store import Listing
from chat.conversations.store.merge import merge
from chat.conversations.store.protocol import ANY_OWNER, Store
from chat.conversations.store.redis.store import RedisStore
from chat.conversations.types import Author, Message
from chat.core.errors import PayloadTooLarge, SessionGone, SessionNotFound
from chat.core.json import JSON
from tests.builders import JEAN, ask, leased
from tests.conversations.store.cast import take_over
from tests.conversations.store.test_merge import record, stored
from tests.conversations.store.workers import back


def form(version: int, words: str = "Été, « çà »") -> dict[str, object]:
    return {"id": "f1", "version": version, "words": words}


def told(id_: str = "ticket-f1") -> Message:
    return Message(author=Author.SYSTEM, id=id_, text="Demande SAV-2026-00042 enregistrée.")


async def put(store: Store, given: JSON | None, expected: int, owner: str = "api") -> bool:
    return await store.put_form(JEAN, owner, given, expected_version=expected)


async def kept(store) -> tuple[object, int]:
    session = await store.load(JEAN, ANY_OWNER)
    return session.form, session.form_version


async def test_a_form_is_kept_with_the_session_and_given_to_who_answers(store):
    await ask(store)
    before = await kept(store)

    assert await put(store, form(1), 0)
    assert await put(store, form(2, "autre"), 1)
    lease = await leased(store)

    assert before == (None, 0)
    assert await kept(store) == (form(2, "autre"), 2)
    assert (lease.session.form, lease.session.form_version) == (form(2, "autre"), 2)


async def test_who_saw_an_earlier_version_changes_nothing(store):
    await ask(store)
    await put(store, form(1), 0)
    await put(store, form(2), 1)

    late = [
        await put(store, form(3, "tard"), 1),
        await put(store, form(3, "tard"), 0),
        await put(store, form(2, "tard"), 2),
        await put(store, None, 1),
        await put(store, None, 0),
    ]

    assert late == [False] * 5
    assert await kept(store) == (form(2), 2)


async def test_of_many_at_once_one_is_kept(store):
    await ask(store)

    results = await asyncio.gather(*(put(store, form(1, str(n)), 0) for n in range(20)))

    assert results.count(True) == 1
    assert (await kept(store))[0] == form(1, str(results.index(True)))


async def test_the_same_again_is_true_again_without_effect(store):
    await ask(store)

    put_twice = [await put(store, form(1), 0), await put(store, form(1), 0)]
    removed_twice = [await put(store, None, 1), await put(store, None, 1)]

    assert put_twice + removed_twice == [True] * 4
    assert await kept(store) == (None, 2)
    assert await put(store, None, 0)  # there is none, as was thought
    assert await kept(store) == (None, 2)


async def test_a_new_form_has_a_version_above_all_that_were(store):
    await ask(store)
    await put(store, form(1), 0)
    await put(store, None, 1)

    assert not await put(store, form(2, "neuf"), 0)
    assert await put(store, form(3, "neuf"), 0)
    assert await kept(store) == (form(3, "neuf"), 3)


async def test_a_form_is_bounded_in_bytes(store):
    await ask(store)
    room = 16 * 1024 - len('{"id":"f1","version":1,"words":""}')

    with pytest.raises(PayloadTooLarge):
        await put(store, form(1, "x" * (room + 1)), 0)
    with pytest.raises(PayloadTooLarge):
        await put(store, form(1, "é" * room), 0)
    assert await kept(store) == (None, 0)
    assert await put(store, form(1, "x" * room), 0)


async def test_only_the_owner_of_a_living_conversation_keeps_one(store):
    with pytest.raises(SessionNotFound):
        await put(store, form(1), 0)
    await ask(store)
    with pytest.raises(SessionNotFound):
        await put(store, form(1), 0, owner="web")
    await put(store, form(1), 0)
    await store.end(JEAN, "api")
    with pytest.raises(SessionGone):
        await put(store, form(2), 1)
    assert (await kept(store))[0] is None


async def test_erasing_and_beginning_again_leave_no_form(store):
    await ask(store)
    await put(store, form(1), 0)
    await store.erase(JEAN, "api")
    with pytest.raises(SessionGone):
        await put(store, form(2), 1)

    await ask(store, id_="q2")  # the erased "q1" revives nothing

    assert await kept(store) == (None, 0)


async def test_a_form_goes_on_while_an_adviser_answers(store):
    await ask(store)
    await put(store, form(1), 0)

    assert await take_over(store)

    assert await put(store, form(2), 1)
    assert await kept(store) == (form(2), 2)


async def test_an_announcement_is_stored_once_whoever_answers(store):
    await ask(store)
    await take_over(store)

    results = await asyncio.gather(*(store.announce(JEAN, told()) for _ in range(5)))

    assert sorted(results) == [False] * 4 + [True]
    messages = (await store.load(JEAN, ANY_OWNER)).messages
    assert [m.id for m in messages] == ["q1", "taken", "ticket-f1"]
    assert messages[-1].to_json()["text"] == told().text
    assert (await store.load(JEAN, ANY_OWNER)).adviser == "Claire"


async def test_nothing_is_announced_where_nobody_reads(store):
    with pytest.raises(SessionNotFound):
        await store.announce(JEAN, told())
    await ask(store)
    await store.end(JEAN, "api")
    with pytest.raises(SessionGone):
        await store.announce(JEAN, told())


@pytest.mark.parametrize(
    ("memory", "redis", "expected"),
    [
        ((form(3), 3), (form(2), 2), (form(3), 3)),
        ((form(2), 2), (form(3), 3), (form(3), 3)),
        ((None, 4), (form(3), 3), (None, 4)),
        ((form(3), 3), (None, 4), (None, 4)),
        ((form(2, "ici"), 2), (form(2, "là"), 2), (form(2, "là"), 2)),
        ((None, 0), (None, 0), (None, 0)),
    ],
)
def test_of_two_copies_the_later_change_stands(memory, redis, expected):
    kept_, theirs = (record(form=given, form_version=version) for given, version in (memory, redis))

    both = merge(kept_, stored(theirs))

    assert both is not None
    assert (both.form, both.form_version) == expected


def test_what_ended_in_either_copy_has_no_form():
    both = merge(record(form=form(3), form_version=3), stored(record(gone="ended")))

    assert both is not None
    assert (both.gone, both.form) == ("ended", None)


async def test_a_form_goes_on_in_memory_and_comes_back_to_redis(server, workers):
    store = workers().store
    await ask(store)
    await put(store, form(1), 0)
    server.kill()

    assert await put(store, form(2, "en panne"), 1)
    assert await store.announce(JEAN, told())
    assert await kept(store) == (form(2, "en panne"), 2)
    server.start()
    await back(store)

    assert await kept(store) == (form(2, "en panne"), 2)
    assert await kept(workers().store) == (form(2, "en panne"), 2)
    session = await store.load(JEAN, ANY_OWNER)
    assert [m.id for m in session.messages] == ["q1", "ticket-f1"]
    assert not await put(store, form(2), 1)


async def test_a_form_removed_while_redis_is_away_does_not_come_back(server, workers):
    store = workers().store
    await ask(store)
    await put(store, form(1), 0)
    server.kill()

    assert await put(store, None, 1)
    server.start()
    await back(store)

    assert await kept(store) == (None, 2)


async def test_another_worker_goes_on_with_the_form(server, workers):
    first, second = workers().store, workers().store
    await ask(first)
    await put(first, form(1), 0)

    assert await put(second, form(2), 1)
    assert not await put(first, form(2, "autre"), 1)
    assert await kept(first) == (form(2), 2)


async def test_words_of_a_form_go_with_their_conversation(server, workers):
    """The hash outlives the document, to tell "expired" from "never existed"."""
    worker = workers()
    store = RedisStore(worker.link, 1)
    await ask(store)
    await put(store, form(1, "pied fendu"), 0)
    before = worker.client.hget(f"chat:state:{JEAN}", "form")
    async with asyncio.timeout(10):
        while worker.client.exists(f"session:{JEAN}"):
            await asyncio.sleep(0.02)

    await store.page(Listing())

    assert b"pied fendu" in before
    assert worker.client.hget(f"chat:state:{JEAN}", "form") is None
