"""Which way a request takes through Django, and what is refused before."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from typing import Any, NamedTuple

import pytest
from asgiref.testing import ApplicationCommunicator
from django.http import HttpResponse, StreamingHttpResponse
from django.middleware.security import SecurityMiddleware

from chat.core.client_address import ADMITTED
from chat.core.errors import Forbidden
from meuble_project import asgi
from meuble_project.minimal_handler import (
    MinimalASGIHandler,
    check_host,
    set_length,
    sync_middleware,
)
from server.body_limit import BodyLimit
from server.limits import MAX_BODY_BYTES
from tests.communicator import Communicator


@pytest.mark.parametrize(
    "path, is_lean",
    [
        ("/api", True),
        ("/api/chat", True),
        ("/healthz", True),
        ("/healthz/", True),
        ("/readyz", True),
        ("/metrics", True),
        ("/static/chat/css/chat.css", True),
        ("/apiary", False),
        ("/metricsandmore", False),
        ("/admin/", False),
        ("/messages/", False),
    ],
)
def test_programs_probes_and_files_take_the_short_way(path, is_lean):
    assert bool(asgi.LEAN_PATHS.match(path)) is is_lean


@pytest.mark.django_db(transaction=True)
async def test_both_ways_protect_what_they_answer():
    short = await _ask(asgi.connections, "/healthz")
    long = await _ask(asgi.connections, "/nope")
    assert (short.status, long.status) == (200, 404)
    protecting = {
        b"X-Frame-Options",
        b"X-Content-Type-Options",
        b"Referrer-Policy",
        b"Cross-Origin-Opener-Policy",
        b"Cross-Origin-Resource-Policy",
        b"Permissions-Policy",
    }
    assert {name: short.headers[name] for name in protecting} == {
        name: long.headers[name] for name in protecting
    }
    assert b"Content-Security-Policy" in short.headers


@pytest.mark.django_db(transaction=True)
async def test_page_is_the_same_both_ways():
    asked = {"headers": [(b"host", b"localhost"), (b"accept-encoding", b"gzip")]}
    short, long = [await _ask(way, "/", **asked) for way in (asgi.connections, asgi.pages)]
    assert (short.status, long.status) == (200, 200)
    assert short.cookies == long.cookies == {b"csrftoken", b"chat_session"}
    changing = {b"Set-Cookie", b"Content-Length"}
    told, as_told = [
        {name: value for name, value in answer.headers.items() if name not in changing}
        for answer in (short, long)
    ]
    assert told[b"Content-Encoding"] == b"gzip"
    assert told == as_told
    assert _without_tokens(short.body) == _without_tokens(long.body)


def _without_tokens(body: bytes) -> bytes:
    return re.sub(rb'value="[A-Za-z0-9_-]{20,}"', b"", gzip.decompress(body))


async def test_page_answers_to_its_own_name_only():
    answer = await _ask(asgi.connections, "/", headers=[(b"host", b"elsewhere.example")])
    assert answer.status == 400


async def test_static_files_are_served():
    answer = await _ask(asgi.connections, "/static/chat/js/backoff.js")
    assert answer.status == 200
    assert answer.headers[b"Content-Type"].startswith(b"text/javascript")


async def test_unknown_socket_is_told_so():
    socket: Any = Communicator(asgi.connections, "/ws/elsewhere/")
    assert (await socket.connect())[0]
    assert await socket.receive_output() == {"type": "websocket.close", "code": 4404}


# Long bodies


async def test_body_declared_too_long_is_refused_unread():
    length = str(MAX_BODY_BYTES + 1).encode()
    answer = await _ask(asgi.connections, "/api/chat", headers=[(b"content-length", length)])
    assert answer.status == 413
    assert json.loads(answer.body)["code"] == "payload_too_large"


async def test_body_that_turns_out_too_long_is_refused():
    received = 0

    async def swallow(scope: Any, receive: Any, send: Any) -> None:
        nonlocal received
        while (await receive())["more_body"]:
            received += 1

    scope = {"method": "POST", "path": "/api/chat", "headers": []}
    client: Any = ApplicationCommunicator(BodyLimit(swallow, refuse), scope)
    for _ in range(3):
        piece = {"type": "http.request", "body": bytes(MAX_BODY_BYTES // 2), "more_body": True}
        await client.send_input(piece)
    assert (await client.receive_output())["status"] == 413
    assert json.loads((await client.receive_output())["body"])["code"] == "payload_too_large"
    assert received == 2


async def refuse(scope):
    raise Forbidden


@pytest.mark.parametrize("path", ["/photos/", "/admin/chat/product/add/"])
async def test_long_body_is_judged_by_its_head_before_any_of_it_is_read(path):
    async def swallow(scope, receive, send):
        raise AssertionError("the application was asked")

    scope = {"method": "POST", "path": path, "headers": []}
    client: Any = ApplicationCommunicator(BodyLimit(swallow, refuse), scope)
    assert (await client.receive_output())["status"] == 403


async def test_browser_whose_short_form_is_refused_gets_a_page():
    headers = [(b"accept", b"text/html,*/*"), (b"content-length", b"500")]
    scope = {"method": "POST", "path": "/photos/", "headers": headers}
    client: Any = ApplicationCommunicator(BodyLimit(None, refuse), scope)
    start = await client.receive_output()
    assert (start["status"], dict(start["headers"])[b"content-type"]) == (
        403,
        b"text/html; charset=utf-8",
    )


async def test_head_that_the_server_judged_is_not_judged_again():
    async def answer(scope, receive, send):
        assert scope[ADMITTED]
        await send({"type": "http.response.start", "status": 204, "headers": []})

    scope = {"method": "POST", "path": "/photos/", "headers": [], ADMITTED: True}
    client: Any = ApplicationCommunicator(BodyLimit(answer, refuse), scope)
    assert (await client.receive_output())["status"] == 204


# The short way


async def test_lean_handler_calls_its_middleware_from_the_outside_in():
    called = []

    def noting(name: str) -> Any:
        def middleware(get_response: Any) -> Any:
            async def respond(request: Any) -> Any:
                called.append(name)
                return await get_response(request)

            return respond

        return middleware

    handler = MinimalASGIHandler([noting("outer"), noting("inner"), lambda _: _hello])
    answer = await _ask(handler, "/")
    assert answer.body == b"hello"
    assert called == ["outer", "inner"]


async def test_middleware_on_the_loop_does_what_it_does_elsewhere(settings):
    settings.SECURE_SSL_REDIRECT = True
    handler = MinimalASGIHandler([sync_middleware(SecurityMiddleware), lambda _: _hello])
    answer = await _ask(handler, "/")
    assert answer.status == 301
    assert answer.headers[b"X-Content-Type-Options"] == b"nosniff"


@pytest.mark.parametrize(
    "path, status", [("/api/chat", 400), ("/api", 400), ("/healthz", 200), ("/metrics", 200)]
)
async def test_api_answers_to_its_own_name_only(path, status):
    handler = MinimalASGIHandler([check_host, lambda _: _hello])
    answer = await _ask(handler, path, headers=[(b"host", b"zoe.test")])
    assert answer.status == status


async def test_length_is_said_of_whole_answers_only():
    async def stream(request: Any) -> Any:
        return StreamingHttpResponse(_words())

    whole = await _ask(MinimalASGIHandler([set_length, lambda _: _hello]), "/")
    streamed = await _ask(MinimalASGIHandler([set_length, lambda _: stream]), "/")
    assert whole.headers[b"Content-Length"] == b"5"
    assert b"Content-Length" not in streamed.headers
    assert streamed.body == b"one two"


async def test_bug_in_a_view_is_an_answer():
    async def fail(request: Any) -> Any:
        raise RuntimeError("a bug")

    assert (await _ask(MinimalASGIHandler([lambda _: fail]), "/")).status == 500


@pytest.mark.parametrize("by", ["client", "server"])
async def test_view_is_cancelled_when_nobody_waits_for_it(by):
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait(request: Any) -> Any:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    requests: asyncio.Queue[Any] = asyncio.Queue()
    requests.put_nowait({"type": "http.request", "body": b""})
    handler = MinimalASGIHandler([lambda _: wait])
    task = asyncio.create_task(handler(_scope("/"), requests.get, _unheard))
    await begun.wait()
    if by == "client":
        requests.put_nowait({"type": "http.disconnect"})
    else:
        task.cancel()
    await asyncio.wait([task])
    assert ended.is_set()


async def _hello(request: Any) -> HttpResponse:
    return HttpResponse(b"hello")


async def _words() -> Any:
    yield b"one "
    yield b"two"


async def _unheard(event: Any) -> None:
    raise AssertionError(event)


async def _ask(application: Any, path: str, **more: Any) -> Answer:
    """GET the path from an ASGI application."""
    communicator: Any = ApplicationCommunicator
    client = communicator(application, _scope(path) | more)
    await client.send_input({"type": "http.request", "body": b""})
    start = await client.receive_output()
    parts = [await client.receive_output()]
    while parts[-1].get("more_body", False):
        parts.append(await client.receive_output())
    await client.wait()
    body = b"".join(part.get("body", b"") for part in parts)
    cookies = {value.split(b"=")[0] for name, value in start["headers"] if name == b"Set-Cookie"}
    return Answer(start["status"], dict(start["headers"]), body, cookies)


def _scope(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }


class Answer(NamedTuple):
    status: int
    headers: dict[bytes, bytes]
    body: bytes
    cookies: set[bytes]
