from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from meuble_project.compression import PageGZipMiddleware

PAGE = b"<p>Bonjour</p>" * 200


async def events() -> AsyncIterator[bytes]:
    yield b'data: {"type":"pong"}\n\n'


async def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE)


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(events(), content_type="text/event-stream")


async def test_page_is_compressed():
    request = RequestFactory(headers={"Accept-Encoding": "gzip"}).get("/")
    response = await PageGZipMiddleware(page)(request)

    assert gzip.decompress(response.content) == PAGE
    assert len(response.content) < len(PAGE) / 2


async def test_stream_is_left_alone():
    request = RequestFactory(headers={"Accept-Encoding": "gzip"}).get("/")
    response = await PageGZipMiddleware(stream)(request)

    assert "Content-Encoding" not in response.headers
    assert [chunk async for chunk in response] == [b'data: {"type":"pong"}\n\n']
