"""What was erased stays erased, however late its senders try again."""

from __future__ import annotations

import asyncio

import pytest

from chat.conversations.types import Author, Message
from chat.core.errors import SessionGone
from tests.builders import JEAN, answer, ask, question


async def refused(store, id_="q1", text="Bonjour", **more) -> str:
    with pytest.raises(SessionGone) as caught:
        await store.accept(JEAN, "api", question(text, id_), create="always", **more)
    return caught.value.reason


@pytest.fixture
async def erased(store):
    """A conversation of two questions, of which one was answered, and that was erased."""
    await ask(store)
    await answer(store)
    await ask(store, "Encore", "q2")
    assert await store.erase(JEAN, "api")
    return store


@pytest.mark.parametrize(("id_", "text"), [("q1", "Bonjour"), ("q2", "Encore"), ("q1", "Autre")])
async def test_message_of_an_erased_conversation_revives_nothing(erased, id_, text):
    assert await refused(erased, id_, text) == "erased"

    with pytest.raises(SessionGone):
        await erased.load(JEAN, "api")
    assert await erased.count() == 0


async def test_message_of_an_erased_conversation_is_not_put_into_the_one_that_was_begun_since(
    erased,
):
    await ask(erased, "Rebonjour", "q3")

    assert await refused(erased, "q1") == "erased"

    assert [m.id for m in (await erased.load(JEAN, "api")).messages] == ["q3"]


async def test_what_was_erased_twice_is_remembered_twice(erased):
    await ask(erased, "Rebonjour", "q3")
    assert await erased.erase(JEAN, "api")

    assert [await refused(erased, id_) for id_ in ("q1", "q3")] == ["erased", "erased"]
    assert (await erased.accept(JEAN, "api", question("Oui", "q4"), create="always")).fresh


async def test_request_that_was_under_way_at_the_erasure_begins_nothing(erased):
    before = asyncio.get_running_loop().time() - 5

    assert await refused(erased, "q9", "Sous presse", arrived_at=before) == "erased"
    await ask(erased, "Rebonjour", "q3")
    assert await refused(erased, "q9", "Sous presse", arrived_at=before) == "erased"

    now = asyncio.get_running_loop().time()
    accepted = await erased.accept(
        JEAN, "api", question("Après", "q10"), create="always", arrived_at=now
    )
    assert accepted.fresh


async def test_known_message_is_answered_whenever_it_arrived(store):
    await ask(store)
    before = asyncio.get_running_loop().time() - 5

    accepted = await store.accept(JEAN, "api", question(), create="always", arrived_at=before)

    assert not accepted.fresh


async def test_long_conversation_is_remembered_whole(store):
    for number in range(1200):
        said = Message(author=Author.CUSTOMER, id=f"q{number}", text="a")
        await store.accept(JEAN, "api", said, create="always")
    await store.erase(JEAN, "api")

    for id_ in ("q0", "q600", "q1199"):
        assert await refused(store, id_, "a") == "erased"
