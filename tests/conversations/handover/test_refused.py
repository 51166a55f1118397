"""A worker falls silent while an adviser takes over: nothing is left half done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from chat.conversations.handover import advisers
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.protocol import STORE
from chat.core.errors import DeskUnavailable
from tests.builders import leased, question
from tests.conversations.handover.cast import CAMILLE, CLAIRE, events
from tests.conversations.store.workers import Worker
from tests.fakes import Listener

pytestmark = pytest.mark.parametrize("backend", ["redis"], indirect=True)


@pytest.fixture
async def other(store, flushed_redis) -> AsyncIterator[Worker]:
    """A worker that Camille's page is at. It beats when it is told."""
    worker = Worker(flushed_redis)
    await worker.store.accept(CAMILLE, "web", question(), create="always")
    await worker.store.beat()
    await store.beat()
    yield worker
    worker.close()


async def stored(worker: Worker, adviser: str) -> None:
    """Wait until Redis has it that this one answers."""
    async with asyncio.timeout(5):
        while (await worker.redis.load(CAMILLE, "web")).adviser != adviser:
            await asyncio.sleep(0.005)


async def test_takeover_that_is_refused_is_undone(store, other):
    await other.store.write(await leased(other.store, session_id=CAMILLE), 0, "Il était")
    viewer = Listener()
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        with pytest.raises(DeskUnavailable):
            await advisers.take_over(CAMILLE, CLAIRE)

    session = await store.load(CAMILLE, "web")
    told = events(viewer)
    assert (session.adviser, session.messages[1].text) == ("", "Il était")
    assert session.messages[-1].text == (
        "Claire n'est plus disponible. L'assistant (IA) reprend la conversation."
    )
    assert [e["type"] for e in told][-3:] == ["session.state", "speaker.changed", "message.done"]
    assert told[-2]["speaker"] == "assistant"
    assert [staff_note.text for staff_note in await store.staff_notes(CAMILLE)] == [
        "Claire n'a pas pu prendre la main : un serveur ne répond pas."
    ]
    assert (await store.counts()).held == 0


async def test_takeover_succeeds_once_the_worker_is_back(store, other):
    with pytest.raises(DeskUnavailable):
        await advisers.take_over(CAMILLE, CLAIRE)
    for _ in range(2):
        await other.store.beat()

    taking = asyncio.create_task(advisers.take_over(CAMILLE, CLAIRE))
    await stored(other, "Claire")
    for _ in range(2):  # it reads, then says that it has read
        await other.store.beat()

    assert (await taking).adviser == "Claire"
    assert (await store.load(CAMILLE, "web")).adviser == "Claire"


async def test_what_an_adviser_holds_is_not_given_up_when_asked_again(store, other):
    first = asyncio.create_task(advisers.take_over(CAMILLE, CLAIRE))
    await stored(other, "Claire")
    for _ in range(2):
        await other.store.beat()
    await first

    with pytest.raises(DeskUnavailable):
        await advisers.take_over(CAMILLE, CLAIRE)  # in another tab; the worker beats no more

    assert (await store.load(CAMILLE, "web")).adviser == "Claire"


async def test_second_request_is_not_confirmed_when_the_first_was_undone(store, other):
    first = asyncio.create_task(advisers.take_over(CAMILLE, CLAIRE))
    await stored(other, "Claire")
    await asyncio.sleep(0.5)  # the second waits longer than the first
    second = asyncio.create_task(advisers.take_over(CAMILLE, CLAIRE))
    with pytest.raises(DeskUnavailable):
        await first
    for _ in range(3):
        await other.store.beat()

    with pytest.raises(DeskUnavailable):
        await second
    assert (await STORE.get().load(CAMILLE, "web")).adviser == ""
