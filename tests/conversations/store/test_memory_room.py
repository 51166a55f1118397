"""How much the memory of one worker takes."""

from __future__ import annotations

import tracemalloc

import pytest

from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import ANY_OWNER
from chat.core.errors import SessionNotFound, StoreFull
from tests.builders import JEAN, answer, ask, question


async def test_new_conversations_are_refused_and_none_is_dropped():
    store = MemoryStore(86_400, max_sessions=2)
    for n in range(2):
        await ask(store, session_id=f"s{n}")

    with pytest.raises(StoreFull) as refused:
        await ask(store, session_id="s2")
    await ask(store, "Encore", "q2", session_id="s0")

    assert refused.value.retry_after_s == 30
    assert await store.count() == 2
    with pytest.raises(SessionNotFound):
        await store.load("s2", ANY_OWNER)


async def test_room_comes_back_with_an_erasure():
    store = MemoryStore(86_400, max_sessions=1)
    await ask(store, session_id="s0")
    await store.erase("s0", "api")

    await ask(store, session_id="s1")

    assert await store.count() == 1


async def test_new_words_are_refused_and_their_answers_are_not():
    store = MemoryStore(86_400, max_bytes=10_000)
    await ask(store, "a" * 6_000)

    with pytest.raises(StoreFull):
        await ask(store, "Encore", "q2")
    await answer(store)
    again = await store.accept(JEAN, "api", question("a" * 6_000), create="always")

    assert [m.id for m in (await store.load(JEAN, "api")).messages] == ["q1", "answer-to-q1"]
    assert not again.fresh


async def test_what_is_counted_is_what_python_takes():
    store = MemoryStore(86_400)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for n in range(300):
            for k in range(5):
                await ask(store, f"Bonjour {n} {k}", f"q{k}", session_id=f"s{n}")
                await answer(store, f"q{k}", session_id=f"s{n}")
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 0.5 < store._total_bytes / (after - before) < 3
