from __future__ import annotations

from collections.abc import Callable

import pytest

from chat.assistant.llm import LLM, LLM_CLIENT
from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import STORE, Store


@pytest.fixture
def store(replace_parts: Callable[..., None]) -> Store:
    """The store of this worker."""
    store = MemoryStore(86_400)
    replace_parts(STORE.to(store))
    return store


@pytest.fixture
def model(replace_parts: Callable[..., None]) -> Callable[[LLM], LLM]:
    """Have this model answer."""

    def use(llm: LLM) -> LLM:
        replace_parts(LLM_CLIENT.to(llm))
        return llm

    return use
