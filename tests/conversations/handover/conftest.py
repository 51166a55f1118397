from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from typing import Any, TypeVar

import pytest

from chat.assistant.llm import LLM, LLM_CLIENT
from chat.conversations.realtime.pubsub import PUBSUB, Subscriber
from chat.conversations.store.protocol import STORE, Store
from chat.core import runtime
from chat.core.runtime import Replacement, Runtime
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
    yield STORE.get()
    await PUBSUB.get().settle()


@pytest.fixture
def model(replace_parts: Callable[..., None]) -> Callable[[LLM], LLM]:
    """Have this model answer in the worker of the test; a second one needs ``Worker.replace``."""

    def use(llm: LLM) -> LLM:
        replace_parts(LLM_CLIENT.to(llm))
        return llm

    return use


class Worker:
    """A second process, as far as Redis and the channel layer can tell: a runtime and a loop of
    its own have their own lanes, their own subscribers and their own end of the layer.

    ``given``: parts that it has instead of its own.
    """

    def __init__(self, *given: Replacement) -> None:
        self._runtime = Runtime(*given)
        self._replaced = ExitStack()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def replace(self, *parts: Replacement) -> None:
        """Replace parts of this worker until it stops."""
        with runtime.use(self._runtime):
            self._replaced.enter_context(runtime.override(*parts))

    async def do(self, doing: Awaitable[T]) -> T:
        """Run it there; return what it returns."""
        there: Any = doing
        with runtime.use(self._runtime):
            done = asyncio.run_coroutine_threadsafe(there, self._loop)
        return await asyncio.wrap_future(done)

    @asynccontextmanager
    async def subscribed(self, topic: str, subscriber: Subscriber) -> AsyncIterator[None]:
        """Have ``subscriber`` called there with each event of the topic while inside."""

        async def begin() -> AbstractAsyncContextManager[None]:
            subscription = PUBSUB.get().subscribe(topic, subscriber)
            await subscription.__aenter__()
            return subscription

        subscription = await self.do(begin())
        try:
            yield
        finally:
            await self.do(subscription.__aexit__(None, None, None))

    def stop(self) -> None:
        with runtime.use(self._runtime):
            done = asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        done.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._replaced.close()
        self._runtime.close()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._runtime.aclose()


@pytest.fixture
def worker(store: Store) -> Iterator[Worker]:
    worker = Worker(STORE.to(store))
    yield worker
    worker.stop()
