from __future__ import annotations

from collections.abc import Iterator

import pytest

from chat import limits
from chat.orders import tries


@pytest.fixture(autouse=True)
def _no_tries_yet() -> Iterator[None]:
    """Each test counts from nothing."""
    for forget in (limits.default_counter.cache_clear, tries.own_counter.cache_clear):
        forget()
    yield
    for forget in (limits.default_counter.cache_clear, tries.own_counter.cache_clear):
        forget()
