from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from chat import limits
from chat.access import gate
from chat.assistant import attempt
from chat.assistant.llm import LLM
from chat.sessions import store as stores
from tests.backends import use_redis


@pytest.fixture(autouse=True)
def _fresh_process() -> Iterator[None]:
    """Each test has the store, the counters and the gate of a process just started."""
    forget = (stores.default_store, limits.default_counter, gate.default_gate)
    for cached in forget:
        cached.cache_clear()
    yield
    for cached in forget:
        cached.cache_clear()


@pytest.fixture(params=["memory", "redis"])
def backend(request: pytest.FixtureRequest, settings: Any) -> str:
    """Run the test on a store of each kind, as ``REDIS_URL`` would choose it."""
    if request.param == "memory":
        use_redis(settings, "memory://")
    else:
        use_redis(settings, request.getfixturevalue("flushed_redis"))
    return str(request.param)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Callable[[LLM], LLM]:
    """Have this model answer."""

    def use(llm: LLM) -> LLM:
        monkeypatch.setattr(attempt, "default_llm", lambda: llm)
        return llm

    return use


@pytest.fixture
def locked_api(settings: Any) -> None:
    """As with ``DEBUG=0``: a key is needed."""
    settings.ENV = replace(settings.ENV, debug=False)
