"""What another program, or another release, may publish on the channels of the workers."""

from __future__ import annotations

import asyncio
import logging

import msgpack
import pytest
import redis.asyncio
from channels.layers import get_channel_layer
from prometheus_client import REGISTRY

from chat.conversations.realtime.events import MessageDone, StaffNoteAdded, encode_event
from chat.conversations.realtime.pubsub import ERASED, Command, PubSub
from chat.conversations.store.adviser_store import StaffNote, StaffNoteKind
from chat.conversations.store.redis.document import watch_channel, watch_group
from tests.backends import use_redis
from tests.builders import JEAN, question
from tests.fakes import Listener

EVERYBODY = "chat__group__workers"
GROUP = watch_group(JEAN)
EVENT = encode_event(MessageDone(question()))
HUGE = "x" * 9_000_000


def event(**changes: object) -> dict[str, object]:
    told: dict[str, object] = {"type": "event", "from": "another", "group": GROUP}
    return {**told, "event": EVENT.type, "about": "", "text": EVENT.json, **changes}


UNREADABLE: list[bytes] = [
    b"",
    b"\xc1",
    b"hello",
    b"\xff" * 40,
    b"\x91" * 5_000,
    b"\xdf\xff\xff\xff\xff",
    b"{}",
]
WRONG: list[object] = [
    *(None, 0, True, "beat", [], ["beat"], {}, {"from": "another"}, {1: 2}),
    *({"type": None}, {"type": 1}, {"type": []}, {"type": {}}, {"type": "beat"}),
    {"type": "beat", "from": "another", "number": "1"},
    {"type": "beat", "from": "another", "number": True},
    {"type": "beat", "from": "another", "number": -1},
    {"type": "beat", "from": ["another"], "number": 1},
    {"type": "beat", "from": "x" * 10_000, "number": 1},
    {"type": "forget", "from": "another"},
    {"type": "forget", "session": JEAN},
    {"type": "forget", "from": "another", "session": None},
    {"type": "forget", "from": "another", "session": [JEAN]},
    {"type": "forget", "from": "another", "session": "no id / at all"},
    {"type": "order", "from": "another", "group": GROUP},
    {"type": "order", "from": "another", "group": [], "order": "stop"},
    {"type": "order", "from": "another", "group": GROUP, "order": ["stop"]},
    {"type": "order", "from": "another", "group": GROUP, "order": "sing"},
    event(event=3),
    event(event="message.sung", text='{"type":"message.sung"}'),
    event(about=None),
    event(text=b"\x00\x01"),
    event(text="not JSON"),
    event(text="[1]"),
    event(text='{"type":"pong"}'),
    event(text='{"type":"message.done","message":{"text":"' + HUGE + '"}}'),
    {"type": "telepathy", "from": "another", "group": GROUP, "words": ["of a newer release"]},
]
BAD = [*UNREADABLE, *(msgpack.packb(wrong) for wrong in WRONG)]


@pytest.fixture
def layer(settings, flushed_redis):
    use_redis(settings, flushed_redis)
    return get_channel_layer()


@pytest.fixture
async def client(flushed_redis):
    async with redis.asyncio.Redis.from_url(flushed_redis) as client:
        yield client


@pytest.fixture
def viewer():
    return Listener()


@pytest.fixture
async def pubsub(layer, viewer):
    """One worker in which somebody is subscribed to Jean."""
    pubsub = PubSub(layer)
    async with pubsub.subscribe(JEAN, viewer):
        await pubsub.heartbeat()
        yield pubsub
    await pubsub.close()
    await layer.flush()


def ignored() -> float:
    samples = [s for m in REGISTRY.collect() for s in m.samples]
    return sum(s.value for s in samples if s.name == "chat_channel_messages_ignored_total")


@pytest.mark.parametrize("channel", [EVERYBODY, watch_channel(JEAN)], ids=["workers", "session"])
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: repr(bad[:60]))
async def test_bad_message_is_ignored_and_counted_and_what_follows_is_heard(
    pubsub, client, viewer, channel, bad
):
    before = ignored()

    assert await client.publish(channel, bad) == 1
    await client.publish(watch_channel(JEAN), msgpack.packb(event()))

    await viewer.until(EVENT.type)
    assert [heard.json for heard in viewer.heard] == [EVENT.json]
    assert ignored() == before + 1


async def test_erasure_is_heard_behind_every_bad_message(pubsub, client, viewer):
    forgotten = []
    pubsub.on_erased(forgotten.append)
    for bad in BAD:
        await client.publish(EVERYBODY, bad)

    erasure = {"type": "forget", "from": "another", "session": JEAN}
    await client.publish(EVERYBODY, msgpack.packb(erasure))

    await viewer.until("session.ended")
    assert viewer.heard == [ERASED]
    assert forgotten == [JEAN]


async def test_each_kind_is_logged_once_without_its_content(pubsub, client, viewer, caplog):
    caplog.set_level(logging.INFO, logger="chat")
    for n in range(3):
        for bad in BAD:
            await client.publish(EVERYBODY, bad)
        await client.publish(EVERYBODY, msgpack.packb({"type": f"secret-{n}"}))
    await client.publish(watch_channel(JEAN), msgpack.packb(event()))

    await viewer.until(EVENT.type)
    lines = [
        record.getMessage()
        for record in caplog.records
        if record.name == "chat.conversations.realtime.pubsub"
    ]
    assert sorted(lines) == sorted(set(lines))
    assert 2 <= len(lines) <= 6
    assert not [line for line in lines if "secret" in line or "sing" in line or JEAN in line]


async def test_subscriber_or_command_that_fails_ends_nothing(pubsub, client, viewer):
    async def fail(_):
        raise RuntimeError

    commands, erased = [], []

    def obey(command):
        commands.append(command)
        raise RuntimeError

    def forget(session_id):
        erased.append(session_id)
        raise RuntimeError

    pubsub.on_erased(forget)
    async with pubsub.subscribe(JEAN, fail):
        with pubsub.handle_commands(JEAN, obey):
            order = {"type": "order", "from": "another", "group": GROUP, "order": "stop"}
            await client.publish(watch_channel(JEAN), msgpack.packb(order))
            erasure = {"type": "forget", "from": "another", "session": JEAN}
            await client.publish(EVERYBODY, msgpack.packb(erasure))

            await viewer.until("session.ended")
    assert (commands, erased) == ([Command.STOP], [JEAN])


async def test_flood_of_garbage_leaves_time_for_others(pubsub, client, viewer):
    async with client.pipeline(transaction=False) as pipe:
        for _ in range(500):
            pipe.publish(EVERYBODY, b"\xc1")
        await pipe.execute()
    await client.publish(watch_channel(JEAN), msgpack.packb(event()))

    await viewer.until(EVENT.type)
    async with asyncio.timeout(5):
        assert await pubsub.heartbeat() in (True, False)


async def test_staff_notes_never_reach_the_pages_of_a_customer(pubsub, client, viewer):
    note = encode_event(StaffNoteAdded(StaffNote(kind=StaffNoteKind.NOTE, text="Client difficile")))
    told = event(event=note.type, text=note.json)
    await client.publish(watch_channel(JEAN), msgpack.packb(told))
    await client.publish(watch_channel(JEAN), msgpack.packb(event()))

    await viewer.until(EVENT.type)
    assert viewer.types() == [EVENT.type]
