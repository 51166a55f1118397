from __future__ import annotations

from collections.abc import Callable

import pytest

from chat.assistant import attempt, turn
from chat.assistant.llm import LLM
from chat.sessions.memory_store import MemoryStore
from chat.sessions.store import Store
from chat.takeover import asides, desk


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store that turns use in this test."""
    store = MemoryStore(86_400)
    for module in (turn, desk, asides):
        monkeypatch.setattr(module, "default_store", lambda: store)
    return store


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Callable[[LLM], LLM]:
    """Have this model answer."""

    def use(llm: LLM) -> LLM:
        monkeypatch.setattr(attempt, "default_llm", lambda: llm)
        return llm

    return use
