"""What only Redis shows of the desk: keys, costs, texts cut anywhere."""

from __future__ import annotations

import asyncio
import json

import pytest

from chat.conversations.store.adviser_store import (
    ConversationState,
    Listing,
    SortOrder,
    StaffNote,
    StaffNoteKind,
)
from chat.conversations.store.protocol import ANY_OWNER
from chat.conversations.store.redis.store import RedisStore
from chat.core.errors import SessionNotFound
from chat.core.ids import ref_of
from tests.builders import JEAN, answer, ask, leased
from tests.conversations.store.cast import announced, hand_back, spoken, take_over

#: Conversations of which only the list knows, as many as are asked for.
_FILL = """
local now = redis.call('TIME')[1] * 1000
for i = ARGV[1], ARGV[2] do
  local id = string.format('filled-%06d', i)
  redis.call('SET', 'session:' .. id, '{"messages":[]}', 'PX', 86400000)
  redis.call('HSET', 'chat:state:' .. id, 'epoch', 'e', 'owner', 'web', 'n', 1, 'began', now - i,
    'state', 'idle', 'language', 'fr')
  redis.call('ZADD', 'chat:index', now + 43200000 - i, id)
  redis.call('ZADD', 'chat:began', now - i, id)
end
"""


@pytest.fixture
def backend() -> str:
    return "redis"


def words_in(client) -> str:
    """All that can be read in Redis, as one text."""
    readers = {
        "string": client.get,
        "hash": client.hgetall,
        "list": lambda key: client.lrange(key, 0, -1),
        "zset": lambda key: client.zrange(key, 0, -1),
    }
    keys = client.keys("*")
    return "\n".join(f"{key} {readers[client.type(key)](key)}" for key in keys)


async def full_life(store: RedisStore) -> None:
    await ask(store, "Bonjour")
    await store.write(await leased(store), 0, "brouillon")
    await take_over(store)
    await store.say(JEAN, "7", spoken("parole"))
    await store.add_staff_note(
        JEAN, StaffNote(kind=StaffNoteKind.NOTE, text="note", author="Claire")
    )
    await hand_back(store, instruction="consigne")
    await store.ask_for_adviser(JEAN, "api", announced("asked"))
    await ask(store, "Encore", "q2")


async def test_erased_leaves_nothing_to_read(store, client):
    await full_life(store)
    before = words_in(client)

    await store.erase(JEAN, ANY_OWNER)

    after = words_in(client)
    words = ["Bonjour", "brouillon", "parole", "note", "Claire", "consigne"]
    assert [word for word in words if word not in before] == []
    assert [word for word in words if word in after] == []
    named = {f"chat:state:{JEAN}", f"chat:erased:{JEAN}"}  # for late writers; no word in them
    assert {key for key in client.keys("*") if JEAN in key} == named
    assert client.hgetall(f"chat:state:{JEAN}") == {"gone": "erased", "owner": "api"}
    kept = {"chat:erasing", "chat:erasing:since", "chat:aof:erased_at"}
    assert set(client.keys("*")) == {*named, *kept}
    assert client.zrange("chat:erasing", 0, -1) == [ref_of(JEAN)]  # until SQL and disk are clean


async def test_ended_is_in_no_list_but_can_be_read(store, client):
    await full_life(store)
    await store.end(JEAN, ANY_OWNER)

    assert [key for key in client.keys("*") if client.type(key) == "zset"] == ["chat:speakers"]
    assert 0 < client.ttl("chat:speakers") <= 3600
    assert "consigne" not in words_in(client)
    assert {key for key in client.keys("*") if client.ttl(key) < 0} == set()
    assert await store.find(ref_of(JEAN)) == JEAN
    assert [staff_note.text for staff_note in await store.staff_notes(JEAN)] == ["note"]


@pytest.mark.ttl_s(1)
async def test_expired_is_taken_out_of_every_list_and_counted(store, client):
    await full_life(store)
    async with asyncio.timeout(10):
        while client.exists(f"session:{JEAN}"):
            await asyncio.sleep(0.02)

    assert (await store.page(Listing())).total == 0
    with pytest.raises(SessionNotFound):
        await store.find(ref_of(JEAN))

    assert set(client.keys("*")) == {f"chat:state:{JEAN}", "chat:expired", "chat:speakers"}
    assert client.ttl("chat:expired") > 13 * 86_400
    assert "consigne" not in words_in(client)
    assert "Claire" not in words_in(client)


async def test_no_key_of_a_held_conversation_lives_for_ever(store, client):
    await full_life(store)
    await take_over(store, id_="again")

    for_ever = {key for key in client.keys("*") if client.ttl(key) < 0}

    assert for_ever == {"chat:index", "chat:began", "chat:held"}
    ends = {client.pexpiretime(key) for key in (f"chat:asides:{JEAN}", f"session:{JEAN}")}
    assert max(ends) - min(ends) <= 1


async def test_staff_note_lives_no_longer_than_what_is_left(store, client):
    await ask(store)
    client.expire(f"session:{JEAN}", 50)

    await store.add_staff_note(JEAN, StaffNote(kind=StaffNoteKind.NOTE, text="note"))

    assert 0 < client.ttl(f"chat:asides:{JEAN}") <= 50


async def test_staff_notes_and_reference_live_on_with_the_conversation(store, client):
    await full_life(store)
    for key in (f"chat:asides:{JEAN}", f"chat:ref:{ref_of(JEAN)}"):
        client.expire(key, 5)

    await ask(store, "Toujours là ?", "q3")

    assert client.ttl(f"chat:asides:{JEAN}") > 86_000
    assert client.ttl(f"chat:ref:{ref_of(JEAN)}") > 86_000


@pytest.mark.parametrize(
    ("kept", "whole"),
    [
        ("Été 🪑 €/fin".encode(), "Été 🪑 €/fin"),
        ("Été 🪑".encode()[:-1], "Été "),
        ("Été 🪑".encode()[:-3], "Été "),
        ("20 €".encode()[:-1], "20 "),
        ("Ét".encode()[:2], "É"),
        (b"a\xa9b\xc3", "ab"),
        (b"\xed\xa0\x80x\xc0\x80\xf5\x80\x80\x80", "x"),
        ("\x00\x1f\x7f\u2028".encode(), "\x00\x1f\x7f\u2028"),
    ],
)
async def test_cut_answer_is_text_wherever_it_was_cut(store, client, kept, whole):
    await ask(store)
    await store.write(await leased(store), 0, "x")
    client.set(f"chat:draft:{JEAN}", kept)

    draft = (await store.load(JEAN, ANY_OWNER)).draft
    await take_over(store)

    raw = client.get(f"session:{JEAN}")
    assert draft is None or draft.text.startswith(whole[:2])
    assert json.loads(raw)["messages"][1]["text"] == whole
    assert "\\u00c9" not in raw
    assert "\\/" not in raw
    assert list(json.loads(raw)["messages"][1]) == [
        "id",
        "author",
        "text",
        "sent_at",
        "interrupted",
        "reply_to",
    ]


async def test_document_restored_by_hand_keeps_its_place(store, client):
    await full_life(store)
    began = client.zscore("chat:began", JEAN)
    client.delete(f"chat:state:{JEAN}", "chat:began", "chat:asked")

    await store.load(JEAN, ANY_OWNER)
    assert not await store.say(JEAN, "7", spoken("parole"))
    await store.add_staff_note(JEAN, (await store.staff_notes(JEAN))[0])

    assert client.zscore("chat:began", JEAN) == began
    assert len(await store.staff_notes(JEAN)) == 1
    (row,) = (await store.page(Listing())).rows
    assert row.state is ConversationState.INTERRUPTED  # q2 is to be asked again
    assert [row.id for row in (await store.page(Listing(state=row.state))).rows] == [JEAN]


LISTINGS = [
    *(Listing(order=order) for order in SortOrder),
    *(Listing(order=order, offset=50) for order in SortOrder),
    Listing(quiet_s=(60, float("inf"))),
    Listing(quiet_s=(60, float("inf")), order=SortOrder.OLDEST),
    Listing(speaker="assistant"),
    Listing(speaker="assistant", order=SortOrder.BEGAN),
    Listing(speaker="adviser"),
    *(Listing(state=state) for state in ConversationState),
]


async def test_cost_of_a_page_does_not_grow_with_the_conversations(store, client):
    async def calls(operation) -> int:
        client.config_resetstat()
        await operation
        stats = client.info("commandstats")
        return sum(stat["calls"] for name, stat in stats.items() if "config" not in name)

    async def costs() -> list[int]:
        found = [await calls(store.page(listing)) for listing in LISTINGS]
        return [*found, await calls(store.counts()), await calls(store.count())]

    for n in range(10):
        await ask(store, session_id=f"s{n}")
        if n % 2:
            await take_over(store, f"s{n}")
    client.eval(_FILL, 0, 1, 100)
    few = await costs()
    for start in range(101, 100_000, 2_500):
        client.eval(_FILL, 0, start, min(start + 2_499, 100_000))
    many = await costs()

    assert (await store.page(Listing())).total == 100_010
    assert (await store.page(Listing(speaker="assistant"))).total == 100_005
    assert many == few
    assert max(many) < 3 * 50 + 40


async def test_cost_of_an_exchange_stays_small(store, client):
    async def calls() -> int:
        stats = client.info("commandstats")
        return sum(stat["calls"] for stat in stats.values())

    await ask(store)
    await answer(store)
    client.config_resetstat()
    await ask(store, "Encore", "q2")
    accepted = await calls()
    await answer(store, "q2")

    assert accepted < 40
    assert await calls() - accepted < 80


async def test_search_looks_into_many_long_conversations_without_holding_the_loop(store, client):
    long = json.dumps({"messages": [{"text": "Été " * 40_000}]})
    for n in range(20):
        client.set(f"session:s{n}", long)
        client.zadd("chat:index", {f"s{n}": 9e12 + n})
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(count_turns())
    found = await store.search(["ete"])
    other.cancel()

    assert len(found) == 20
    assert turns >= 10
