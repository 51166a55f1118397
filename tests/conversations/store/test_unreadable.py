"""One record that cannot be read is set aside, and stops nobody else."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from chat.conversations.store.adviser_store import (
    ConversationState,
    Listing,
    StaffNote,
    StaffNoteKind,
)
from chat.conversations.store.protocol import ANY_OWNER, LeaseLost
from chat.core.errors import SessionGone, SessionUnreadable
from chat.core.ids import ref_of
from tests.builders import JEAN, answer, answer_to, ask, done, leased, question
from tests.conversations.store.cast import leave_without_a_word, take_over
from tests.conversations.store.workers import back

OTHER = "readable"


@pytest.fixture
def backend():
    return "redis"


def edited(client: Any, change: Callable[[Any], Any], session_id: str = JEAN) -> None:
    """Write the document anew, as another hand than ours would have."""
    document = json.loads(client.get(f"session:{session_id}"))
    changed = change(document)
    text = changed if isinstance(changed, str) else json.dumps(document, ensure_ascii=False)
    client.set(f"session:{session_id}", text, keepttl=True)


def _without(name: str) -> Callable[[Any], Any]:
    return lambda document: document["messages"][0].pop(name)


def _with(name: str, value: Any) -> Callable[[Any], Any]:
    return lambda document: document["messages"][0].update({name: value})


DOCUMENTS: dict[str, Callable[[Any], Any]] = {
    "broken JSON": lambda document: json.dumps(document)[:-9] + "]}",
    "no JSON": lambda document: "…",
    "a list": lambda document: "[1]",
    "no messages": lambda document: document.pop("messages"),
    "messages are no list": lambda document: document.update(messages=7),
    "a message is no object": lambda document: document["messages"].append(7),
    "no text": _without("text"),
    "no id": _without("id"),
    "no moment": _without("sent_at"),
    "text is no text": _with("text", {"parts": []}),
    "author is no text": _with("author", ["customer"]),
    "moment is no moment": _with("sent_at", "hier"),
    "moment has no zone": _with("sent_at", "2026-03-09T12:00:00"),
    "sources are no objects": _with("sources", [1]),
    "another's id": lambda document: document.update(id="another"),
    "owner is no text": lambda document: document.update(owner=1),
    "beginning is no moment": lambda document: document.update(created_at="hier"),
    "too deep": lambda document: (
        json.dumps(document)[:-1] + ',"x":' + "[" * 100_000 + "]" * 100_000 + "}"
    ),
}


def _set(client: Any, name: str, value: Any) -> None:
    client.hset(f"chat:state:{JEAN}", name, value)


def _retyped(client: Any, key: str) -> None:
    client.delete(key)
    client.rpush(key, "a", "b")


def _without_hash_and_text(client: Any) -> None:
    edited(client, _without("text"))
    client.delete(f"chat:state:{JEAN}")


HASHES: dict[str, Callable[[Any], Any]] = {
    "form": lambda client: _set(client, "form", "{"),
    "form version": lambda client: _set(client, "form_version", "x"),
    "failed": lambda client: _set(client, "failed", "q1"),
    "no UTF-8": lambda client: client.hset(f"chat:state:{JEAN}", "instruction", b"\xff\xfe"),
    "state is a list": lambda client: _retyped(client, f"chat:state:{JEAN}"),
    "document is a list": lambda client: _retyped(client, f"session:{JEAN}"),
    "no hash, no JSON": lambda client: (
        client.delete(f"chat:state:{JEAN}"),
        client.set(f"session:{JEAN}", "{", keepttl=True),
    ),
    "no hash, no text": _without_hash_and_text,
}
RECORDS = HASHES | {name: partial(edited, change=change) for name, change in DOCUMENTS.items()}


@pytest.fixture(params=RECORDS)
async def spoilt(request, store, client, caplog):
    """A conversation that cannot be read, and one that can."""
    caplog.set_level(logging.WARNING)
    for session_id in (JEAN, OTHER):
        await ask(store, "Je cherche un bahut", session_id=session_id)
        await answer(store, session_id=session_id)
    RECORDS[request.param](client)
    return request.param


async def test_its_reader_is_told_so_and_nothing_begins_over_it(store, client, spoilt, caplog):
    for _ in range(2):
        with pytest.raises(SessionUnreadable) as caught:
            await store.load(JEAN, "api")
    for create in ("always", "new"):
        with pytest.raises(SessionUnreadable):
            await store.accept(JEAN, "api", question("Encore", "q2"), create=create)

    assert isinstance(caught.value, SessionGone)
    assert (caught.value.code, caught.value.reason) == ("session_unreadable", "unreadable")
    assert client.exists(f"session:{JEAN}", f"chat:state:{JEAN}") == 0
    assert client.exists(f"chat:unreadable:{JEAN}") == 1
    assert 0 < client.ttl(f"chat:unreadable:{JEAN}") <= 7 * 86_400
    told = [r.getMessage() for r in caplog.records if "cannot be read" in r.getMessage()]
    assert len(told) == 1
    assert ref_of(JEAN) in told[0]
    assert not any(word in caplog.text for word in (JEAN, "bahut"))


async def test_all_others_go_on(store, client, spoilt):
    with pytest.raises(SessionUnreadable):
        await store.load(JEAN, ANY_OWNER)

    assert [row.id for row in (await store.page(Listing())).rows] == [OTHER]
    assert [row.id for row in await store.search(["bahut"])] == [OTHER]
    assert (await store.counts()).active == await store.count() == 1
    scan = await store.scan()
    assert (scan.active, scan.unreadable) == (1, (JEAN,))
    assert not any(scan.orphans.values())
    assert len((await store.load(OTHER, "api")).messages) == 2


async def test_search_list_and_count_go_on_though_nobody_opened_it(store, spoilt):
    assert OTHER in [row.id for row in await store.search(["bahut"])]
    assert OTHER in [row.id for row in (await store.page(Listing())).rows]
    assert await store.count() >= 1
    assert await store.orphans() == {}
    assert await store.expired_assignments() == []
    assert (await store.scan()).active >= 1


async def test_it_can_be_erased(store, client, spoilt):
    assert await store.erase(JEAN, ANY_OWNER)

    left = [f"chat:erased:{JEAN}", f"chat:state:{JEAN}"]
    assert sorted(client.keys(f"*{JEAN}*")) == left
    assert client.zscore("chat:unreadable", JEAN) is None
    with pytest.raises(SessionGone) as caught:
        await store.load(JEAN, ANY_OWNER)
    assert caught.value.reason == "erased"


async def test_it_can_be_erased_after_it_was_set_aside(store, client):
    await ask(store)
    edited(client, _without("text"))
    with pytest.raises(SessionUnreadable):
        await store.load(JEAN, "api")

    assert not await store.erase(JEAN, "key:7")
    assert await store.erase(JEAN, "api")
    assert client.keys("chat:unreadable*") == []


async def test_stranger_does_not_hear_of_it(store, client):
    await ask(store)
    edited(client, _without("text"))
    with pytest.raises(SessionUnreadable):
        await store.load(JEAN, "api")

    with pytest.raises(Exception, match="session_not_found"):
        await store.load(JEAN, "key:7")
    with pytest.raises(Exception, match="session_not_found"):
        await store.accept(JEAN, "key:7", question(), create="always")


async def test_later_release_restores_it_whole(store, client):
    await ask(store)
    await answer(store)
    await store.add_staff_note(JEAN, StaffNote(kind=StaffNoteKind.NOTE, text="Note"))
    await ask(store, "Et la livraison ?", "q2")
    whole = client.get(f"session:{JEAN}")
    edited(client, _without("text"))
    with pytest.raises(SessionUnreadable):
        await store.load(JEAN, "api")
    assert not await store.restore("never")
    with pytest.raises(SessionUnreadable):  # by a release that cannot read it either
        await store.restore(JEAN)
    client.set(f"chat:unreadable:{JEAN}", whole)

    assert await store.restore(JEAN)

    session = await store.load(JEAN, "api")
    assert [m.id for m in session.messages] == ["q1", "answer-to-q1", "q2"]
    assert session.waiting == ("q2",)
    assert [staff_note.text for staff_note in await store.staff_notes(JEAN)] == ["Note"]
    assert [row.state for row in (await store.page(Listing())).rows] == [
        ConversationState.ANSWERING
    ]
    assert client.keys("chat:unreadable*") == []
    assert 0 < client.ttl(f"session:{JEAN}") <= 86_400
    assert (await leased(store, "q2")).question_id == "q2"


async def test_what_is_beside_it_may_be_read_anew_from_the_document(store, client):
    await ask(store)
    await answer(store)
    _set(client, "form", "{")
    with pytest.raises(SessionUnreadable):
        await store.load(JEAN, "api")

    assert await store.restore(JEAN, afresh=True)

    session = await store.load(JEAN, "api")
    assert ([m.id for m in session.messages], session.form) == (["q1", "answer-to-q1"], None)
    assert not (await store.accept(JEAN, "api", question(), create="always")).fresh


async def test_nothing_is_restored_over_a_conversation_that_goes_on(store, client):
    await ask(store)
    client.set(f"chat:unreadable:{JEAN}", "{}")

    assert not await store.restore(JEAN)

    assert len((await store.load(JEAN, "api")).messages) == 1


@pytest.mark.parametrize("pending", [" ", "\t \n", "\u00a0", "\x0b", "nobody", "  nobody \x00"])
async def test_what_is_no_question_in_the_queue_is_in_nobodys_way(store, client, pending):
    await ask(store)
    await answer(store)
    _set(client, "pending", pending)

    state = (await store.counts()).answering, (await store.load(JEAN, "api")).waiting
    assert (await store.peek(JEAN)).record.pending == []
    accepted = await store.accept(
        JEAN, "api", question("Encore", "q2"), create="always", answer_id="a2"
    )
    assert accepted.lease is not None
    await store.finish(accepted.lease, done(accepted.lease), answer_to(accepted.lease))

    assert state == (0, ())
    assert accepted.ahead == ()
    assert (await store.outcome(JEAN, "q2")).answer_id == "a2"
    assert (await store.load(JEAN, "api")).waiting == ()
    assert (await store.orphans(), (await store.counts()).answering) == ({}, 0)
    assert client.zscore("chat:turns", JEAN) is None


@pytest.mark.parametrize("before", [" ", "\u00a0 ", "nobody "])
async def test_question_behind_what_is_none_gets_its_end(store, client, before):
    await ask(store)
    _set(client, "pending", f"{before}q1")

    lease = (await store.claim(JEAN, ["q1"], "a1")).lease
    await store.finish(lease, done(lease), answer_to(lease))

    session = await store.load(JEAN, "api")
    assert ([m.id for m in session.messages], session.waiting) == (["q1", "a1"], ())
    assert (await store.counts()).answering == 0


async def test_sweep_forgets_a_queue_without_a_question(store, client):
    await ask(store)
    _set(client, "pending", " ")
    client.zadd("chat:turns", {JEAN: 1})

    assert await store.orphans() == {JEAN: 0}
    assert (await store.claim(JEAN, [], "a1")).lease is None

    assert (await store.orphans(), (await store.counts()).answering) == ({}, 0)


@pytest.mark.parametrize(
    "name", ["lease_until", "head_at", "hold_until", "n", "began", "d:q1", "asked_at"]
)
async def test_number_that_is_none_in_the_hash_does_no_harm(store, client, name):
    await ask(store)
    lease = await leased(store)
    _set(client, name, "hier")

    claim = await store.claim(JEAN, ["q1"], "b")
    for held in (lease, claim.lease):
        if held is not None:
            try:
                await store.finish(held, done(held), answer_to(held))
            except LeaseLost:
                continue
    assert [m.id for m in (await store.load(JEAN, "api")).messages] == ["q1", "answer-to-q1"]
    assert [row.id for row in (await store.page(Listing())).rows] == [JEAN]
    await take_over(store)
    assert (await store.load(JEAN, "api")).has_adviser


async def test_question_in_an_unreadable_conversation_leaves_the_sweep(store, client):
    for session_id in (JEAN, OTHER):
        await ask(store, session_id=session_id)
        client.zadd("chat:turns", {session_id: 1})
        client.hset(f"chat:state:{session_id}", "head_at", 1)
    edited(client, _without("text"))

    assert set(await store.orphans()) == {JEAN, OTHER}
    with pytest.raises(SessionUnreadable):
        await store.claim(JEAN, [], "a")

    assert list(await store.orphans()) == [OTHER]
    assert (await store.claim(OTHER, [], "a")).lease is not None


async def test_adviser_of_an_unreadable_conversation_leaves_the_sweep(store, client):
    for session_id in (JEAN, OTHER):
        await ask(store, session_id=session_id)
        await take_over(store, session_id)
        await leave_without_a_word(store, session_id)
    edited(client, _without("text"))

    with pytest.raises(SessionUnreadable):
        await store.load(JEAN, ANY_OWNER)

    assert await store.expired_assignments() == [OTHER]


@pytest.mark.parametrize("text", ["{", "7", '{"id": 7}', '{"id": "x", "kind": "note"}', "[]"])
async def test_unreadable_staff_note_hides_no_other(store, client, text):
    await ask(store)
    await store.add_staff_note(JEAN, StaffNote(kind=StaffNoteKind.NOTE, text="Un"))
    client.rpush(f"chat:asides:{JEAN}", text)
    await store.add_staff_note(JEAN, StaffNote(kind=StaffNoteKind.NOTE, text="Deux"))

    assert [staff_note.text for staff_note in await store.staff_notes(JEAN)] == ["Un", "Deux"]
    client.delete(f"chat:state:{JEAN}")  # and is no bar to writing the hash anew
    assert len((await store.load(JEAN, "api")).messages) == 1
    for number in range(302):
        await store.add_staff_note(JEAN, StaffNote(kind=StaffNoteKind.NOTE, text=str(number)))
    assert len(await store.staff_notes(JEAN)) == 300


async def test_rows_of_the_wrong_type_stop_neither_list_nor_sweep(store, client):
    await ask(store, session_id=OTHER)
    client.rpush("session:bad", "x")
    client.rpush("chat:state:bad", "x")
    for name in ("chat:index", "chat:began"):
        client.zadd(name, {"bad": 9e12, "old": 1})
    client.rpush("chat:state:old", "x")

    assert [row.id for row in (await store.page(Listing())).rows] == [OTHER]
    assert await store.orphans() == {}
    assert client.zscore("chat:index", "old") is None
    assert (await store.scan()).active == 1


async def test_one_unreadable_record_stops_no_other_on_its_way_back_to_redis(server, workers):
    store = workers().store
    names = ["first", "second", "third"]
    for session_id in names:
        await ask(store, session_id=session_id)
        await answer(store, session_id=session_id)
    await store._redis._link.run("SET", "session:first", '{"messages":[{}]}', "KEEPTTL")
    await store._redis._link.run("SET", "session:second", "{", "KEEPTTL")
    server.kill()
    for session_id in names:
        await ask(store, "Encore", "q2", session_id)
        await answer(store, "q2", session_id)
    server.start()
    await back(store)

    for session_id in names:  # this worker had all of it
        said = [m.id for m in (await store.load(session_id, "api")).messages]
        assert said == ["q1", "answer-to-q1", "q2", "answer-to-q2"]
    assert await store._redis._link.run("GET", "chat:unreadable:second") == b"{"


async def test_record_that_cannot_be_given_back_stays_in_memory_and_stops_no_other(server, workers):
    store = workers().store
    await ask(store)
    server.kill()
    for session_id in ("first", "second"):
        await store.accept(session_id, "api", question(), create="fresh")
    store._memory.record("first").language = "\ud800"  # which no encoder takes
    server.start()
    async with asyncio.timeout(10):
        while store._memory.record("second") is not None or store.backend == "memory":
            await asyncio.sleep(0.01)

    assert store.backend == "redis"
    assert [record.id for record in store._memory.records()] == ["first"]
    for session_id in ("first", "second"):
        assert len((await store.load(session_id, "api")).messages) == 1


async def test_what_is_remembered_of_an_erased_conversation_tells_nothing_and_goes_by_itself(
    store, client
):
    await ask(store, "Bonjour", "camille-1")
    await store.erase(JEAN, "api")

    (key,) = client.keys("chat:erased:*")
    assert 0 < client.ttl(key) <= 48 * 3600
    assert "camille" not in json.dumps(client.hgetall(key))
    assert len(client.hgetall(key)) == 2


async def test_unreadable_conversation_that_was_erased_is_remembered_too(store, client):
    await ask(store)
    client.set(f"session:{JEAN}", "{", keepttl=True)
    assert await store.erase(JEAN, "api")

    with pytest.raises(SessionGone):
        await store.accept(JEAN, "api", question(), create="always")


async def test_lone_surrogate_is_read_as_a_replacement(store, client):
    await ask(store)
    await answer(store)
    odd = '"a\\ud800b"'
    document = client.get(f"session:{JEAN}")
    message = (
        f'{{"id":"s1","author":"robot","text":{odd},"name":{odd},"sources":[{{"label":{odd}}}],'
    )
    message += f'"sent_at":"2026-11-30T10:00:00.000Z","x":[{odd}]}}'
    client.set(f"session:{JEAN}", document[:-2] + "," + message + "]}", keepttl=True)
    client.rpush(f"chat:asides:{JEAN}", f'{{"id":"n","kind":"note","text":{odd}}}')
    _set(client, "form", f'{{"id":{odd}}}')

    session = await store.load(JEAN, "api")
    peeked = await store.peek(JEAN)

    assert session.messages[-1].text == "a\ufffdb"
    assert session.form == {"id": "a\ufffdb"}
    json.dumps([m.to_json() for m in session.messages], ensure_ascii=False).encode()
    assert await store.replace(peeked.record, peeked.version)
    assert (await store.load(JEAN, "api")).messages[-1].text == "a\ufffdb"
    await store.staff_notes(JEAN)
    await take_over(store)


@pytest.mark.parametrize("text", ["12", "[]", '"x"', "true"])
async def test_form_that_is_no_object_is_none(store, client, text):
    await ask(store)
    _set(client, "form", text)

    assert (await store.load(JEAN, "api")).form is None
    assert (await leased(store)).session.form is None
    assert (await store.peek(JEAN)).record.form is None


ODD_NUMBERS = ["99999999999999999999", "nan", "inf", "-inf", "-1e300", "1e400", "9" * 400, "hier"]


@pytest.mark.parametrize("name", ["asked_at", "hold_until", "adviser_at", "head_at", "began"])
@pytest.mark.parametrize("number", ODD_NUMBERS)
async def test_number_that_is_no_moment_does_no_harm(store, client, name, number):
    await ask(store)
    await answer(store)
    _set(client, name, number)

    assert len((await store.load(JEAN, "api")).messages) == 2
    peeked = await store.peek(JEAN)
    assert await store.replace(peeked.record, peeked.version)
    _set(client, name, number)
    await ask(store, "Encore", "q2")
    lease = await leased(store, "q2")
    await store.finish(lease, done(lease), answer_to(lease))
    await take_over(store)
    assert [row.id for row in (await store.page(Listing())).rows] == [JEAN]
    assert client.keys("chat:unreadable*") == []


@pytest.mark.parametrize("number", ODD_NUMBERS)
async def test_lease_that_ends_at_no_moment_is_none(store, client, number):
    await ask(store)
    await leased(store)
    _set(client, "lease_until", number)

    peeked = await store.peek(JEAN)
    assert (await store.claim(JEAN, ["q1"], "b")).lease is not None
    assert peeked.record is not None
