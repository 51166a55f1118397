from __future__ import annotations

import asyncio

import pytest

from chat.conversations.store.memory.store import MemoryStore
from chat.core.errors import StoreUnavailable
from tests.builders import question
from tests.stores import FaultyStore


@pytest.fixture
def inner() -> MemoryStore:
    return MemoryStore(86_400)


async def test_what_has_no_fault_is_the_real_store_s(inner):
    store = FaultyStore.of(inner, finish=StoreUnavailable())
    await store.accept("camille", "web", question("Bonjour"), create="always")
    assert (await inner.load("camille", "web")).messages[0].text == "Bonjour"
    assert store.backend == "memory"


@pytest.mark.parametrize("fault", [StoreUnavailable(), StoreUnavailable])
async def test_exception_is_raised_by_every_call(inner, fault):
    store = FaultyStore(inner, count=fault)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await store.count()
    assert store.calls == {"count": 3}


async def test_list_is_of_the_first_calls(inner):
    store = FaultyStore(inner, count=[StoreUnavailable(), None, StoreUnavailable()])
    results = [await asyncio.gather(store.count(), return_exceptions=True) for _ in range(4)]
    assert [type(result) for [result] in results] == [StoreUnavailable, int, StoreUnavailable, int]


async def test_cancelling_is_a_fault_too(inner):
    store = FaultyStore(inner, count=asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await store.count()


async def test_function_gets_the_method_and_what_it_was_called_with(inner):
    seen = []

    async def twice(accept, *arguments, **options):
        seen.append((arguments, options))
        first = await accept(*arguments, **options)
        again = await accept(*arguments, **options)
        return first.fresh, again.fresh

    store = FaultyStore(inner, accept=twice)
    asked = question()
    assert await store.accept("camille", "web", asked, create="always") == (True, False)
    assert seen == [(("camille", "web", asked), {"create": "always"})]


def test_method_that_no_store_has_is_refused(inner):
    with pytest.raises(TypeError, match="finnish"):
        FaultyStore(inner, finnish=StoreUnavailable())
