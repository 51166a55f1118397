from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from openai import AsyncOpenAI, DefaultAioHttpClient

from devtools.local_assistant.server import INSTANT, RunningServer, start


@pytest.fixture
async def server() -> AsyncIterator[RunningServer]:
    """A local assistant that says everything at once and remembers what it was asked."""
    running = await start(pace=INSTANT, keep_requests=100)
    yield running
    await running.close()


@pytest.fixture
async def client(server: RunningServer) -> AsyncIterator[AsyncOpenAI]:
    """The real client, without retries; who waits longer than 5 s has found a bug."""
    http = DefaultAioHttpClient(timeout=5)
    async with AsyncOpenAI(
        api_key="local", base_url=server.url, max_retries=0, http_client=http
    ) as openai:
        yield openai
