"""The private parts of libraries that ``chat/assistant/compat.py`` uses, and what replaces them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib.metadata import version
from types import SimpleNamespace

import httpx2
import pytest
from aiohttp import DummyCookieJar, StreamReader, web
from aiohttp.test_utils import TestServer

from chat.assistant.compat import WRITTEN_FOR, body_of, unread, without_cookies
from chat.assistant.stream import HttpClient

MOVED = ", ".join(
    f"{name} {version(name)} (compat.py was written for {known})"
    for name, known in WRITTEN_FOR.items()
)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=b"Bonjour")

    application = web.Application()
    application.router.add_route("*", "/", answer)
    server = TestServer(application)
    await server.start_server()
    yield str(server.make_url("/"))
    await server.close()


async def test_libraries_have_what_compat_uses(url):
    client = HttpClient(proxy=httpx2.Proxy("http://proxy.test"))
    made = (client._transport, *client._mounts.values())
    assert len(made) == 2, f"one transport for each way: {MOVED}"
    for transport in made:
        assert hasattr(transport, "get_client"), f"AiohttpTransport: {MOVED}"
        session = transport.get_client()
        assert isinstance(session.cookie_jar, DummyCookieJar), f"AiohttpTransport.client: {MOVED}"
        await session.close()
    await client.aclose()

    async with HttpClient() as client, client.stream("GET", url) as response:
        body, ended = body_of(response), asyncio.Event()
        assert isinstance(body, StreamReader), f"AiohttpResponseStream._aiohttp_response: {MOVED}"
        body.on_eof(ended.set)
        await ended.wait()
        assert unread(body) == b"Bonjour", f"StreamReader._buffer: {MOVED}"
        body.read_nowait(3)
        assert unread(body) == b"jour", f"StreamReader._buffer_offset: {MOVED}"


async def test_libraries_without_these_parts_still_serve():
    assert body_of(httpx2.Response(200, content=b"Bonjour")) is None
    assert unread(None) == b""
    moved = SimpleNamespace()
    options = {"limits": httpx2.Limits(max_connections=3), "http2": False, "verify": True}
    async with without_cookies(moved, options) as transport:
        assert isinstance(transport, httpx2.AsyncHTTPTransport)
