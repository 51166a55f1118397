from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chat.assistant.llm import LLM, LLM_CLIENT
from tests.backends import use_redis


@pytest.fixture(params=["memory", "redis"])
def backend(request: pytest.FixtureRequest, settings: Any) -> str:
    """Run the test on a store of each kind, as ``REDIS_URL`` would choose it."""
    if request.param == "memory":
        use_redis(settings, "memory://")
    else:
        use_redis(settings, request.getfixturevalue("flushed_redis"))
    return str(request.param)


@pytest.fixture
def model(replace_parts: Callable[..., None]) -> Callable[[LLM], LLM]:
    """Have this model answer."""

    def use(llm: LLM) -> LLM:
        replace_parts(LLM_CLIENT.to(llm))
        return llm

    return use


@pytest.fixture
def locked_api(settings: Any) -> None:
    """As with ``DEBUG=0``: a key is needed."""
    settings.ENV = replace(settings.ENV, debug=False)
