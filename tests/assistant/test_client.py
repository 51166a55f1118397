"""What a model's server is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chat.assistant.stream import Client, HttpClient


@dataclass
class Heard:
    """The requests that came: what each said."""

    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    host: str = ""


@pytest.fixture
async def heard() -> AsyncIterator[Heard]:
    heard = Heard()

    async def answer(request: web.Request) -> web.Response:
        heard.headers.append({name.lower(): value for name, value in request.headers.items()})
        heard.queries.append(request.query_string)
        heard.bodies.append(await request.read())
        response = web.json_response({"object": "list", "data": []})
        response.set_cookie(f"conversation-{len(heard.bodies)}", "camille", path="/")
        response.enable_compression(web.ContentCoding.gzip)
        return response

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(application)
    await server.start_server()
    heard.host = f"localhost:{server.port}"  # neither library keeps cookies of a bare IP address
    yield heard
    await server.close()


@pytest.fixture
async def client(heard: Heard) -> AsyncIterator[Client]:
    async with Client(
        api_key="secret",
        organization="shop",
        base_url=f"http://{heard.host}/v1",
        max_retries=0,
        timeout=httpx2.Timeout(5),
        http_client=HttpClient(),
    ) as client:
        yield client


async def test_request_says_what_a_server_needs_and_nothing_of_our_machine(
    client: Client, heard: Heard, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(httpx2.AsyncClient, "build_request", None, raising=False)
    bodies = [b'{"model":"x"}', b'{"model":"longer"}']
    for body in bodies:
        answer: Any = await client.post("/chat/completions", cast_to=object, content=body)
        assert answer["data"] == []

    assert heard.bodies == bodies
    for headers, body in zip(heard.headers, bodies, strict=True):
        assert headers["authorization"] == "Bearer secret"
        assert headers["openai-organization"] == "shop"
        assert headers["content-type"] == headers["accept"] == "application/json"
        assert headers["accept-encoding"] == "identity"
        assert headers["host"] == heard.host
        assert headers["content-length"] == str(len(body))
        assert not {"x-stainless-os", "x-stainless-arch", "x-stainless-runtime"} & set(headers)
        assert headers["user-agent"].startswith("AsyncOpenAI/Python ")
        assert "openai-project" not in headers


async def test_other_requests_go_the_way_of_the_sdk(client: Client, heard: Heard):
    assert [model async for model in client.models.list(extra_query={"after": "é"})] == []
    await client.post("/echo", cast_to=object, body={"a": 1}, options={"params": {"b": "2"}})

    assert heard.queries == ["after=é", "b=2"]
    assert heard.bodies[1] == b'{"a":1}'
    assert heard.headers[1]["authorization"] == "Bearer secret"


@pytest.mark.parametrize("way", ["direct", "proxy"])
async def test_cookies_of_one_answer_travel_with_no_other_request(heard: Heard, way: str):
    to, proxy = (heard.host, None) if way == "direct" else ("model.test", f"http://{heard.host}")
    async with Client(
        api_key="secret",
        base_url=f"http://{to}/v1",
        max_retries=0,
        http_client=HttpClient(proxy=proxy),
    ) as client:
        for _ in range(2):
            await client.post("/chat/completions", cast_to=object, content=b"{}")
            await client.post("/echo", cast_to=object, body={"a": 1})

    assert [headers["host"] for headers in heard.headers] == [to] * 4
    assert [headers.get("cookie") for headers in heard.headers] == [None] * 4
