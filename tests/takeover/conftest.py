from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from chat import limits
from chat.assistant import attempt
from chat.assistant.llm import LLM
from chat.sessions import store as stores
from chat.sessions.store import Store
from chat.takeover import asides
from tests.backends import use_redis

T = TypeVar("T")


@pytest.fixture(params=["memory", "redis"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def store(
    backend: str, settings: Any, request: pytest.FixtureRequest
) -> AsyncIterator[Store]:
    """The store and the channel layer of a process just started, as ``REDIS_URL`` has them."""
    memory = "memory://"
    use_redis(settings, memory if backend == "memory" else request.getfixturevalue("flushed_redis"))
    forget = (stores.default_store, limits.default_counter)
    for cached in forget:
        cached.cache_clear()
    yield stores.default_store()
    await asides.settle()
    for cached in forget:
        cached.cache_clear()


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Callable[[LLM], LLM]:
    """Have this model answer."""

    def use(llm: LLM) -> LLM:
        monkeypatch.setattr(attempt, "default_llm", lambda: llm)
        return llm

    return use


class Worker:
    """A second process, as far as Redis and the channel layer can tell: a loop of its own has
    its own lanes, its own listeners and its own end of the layer.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    async def do(self, doing: Awaitable[T]) -> T:
        """Run it there; return what it returns."""
        there: Any = doing
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(there, self._loop))

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def worker(store: Store) -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.stop()
