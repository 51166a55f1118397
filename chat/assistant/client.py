"""``AsyncOpenAI`` over aiohttp, that puts a request together in 0.15 ms of CPU instead of 0.25.

What never changes from one request to the next is made once.
"""

from __future__ import annotations

from contextlib import aclosing
from functools import cached_property, lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx2
from openai import AsyncOpenAI, __version__

from chat.assistant.compat import CookielessHttpClient

#: What is read of an answer that says an error: the SDK would read all of it.
MAX_ERROR_BYTES = 64 * 1024

_OF_THE_BODY = {"content-length", "content-encoding", "transfer-encoding"}
_address = lru_cache(16)(httpx2.URL)


class Client(AsyncOpenAI):
    """Tells nobody which system and which Python it runs on (``X-Stainless-*``)."""

    @cached_property
    def _headers(self) -> dict[str, Any]:
        headers = super().default_headers
        kept = {name: headers[name] for name in headers if not name.startswith("X-Stainless-")}
        return kept | {
            "Accept-Encoding": "identity",  # what is small may become anything
            "User-Agent": f"AsyncOpenAI/Python {__version__}",  # not our class's name
        }

    @property
    def default_headers(self) -> dict[str, Any]:
        return self._headers


class HttpClient(CookielessHttpClient):
    """Has no headers, cookies or parameters of its own for requests with a body of bytes.

    Of an answer that says an error, no more than ``MAX_ERROR_BYTES`` is read. A redirect is one:
    following it would read all of it, and send what customers say to whom nobody named. Cookies of
    an answer are dropped: all conversations share this client, and a cookie of one would travel
    with the requests of the others.
    """

    def __init__(self, **options: Any) -> None:
        refused = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        super().__init__(follow_redirects=False, cookies=refused, **options)

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        response = await super().send(request, **options)
        if response.is_success or response.is_closed:
            return response
        content = b""
        async with aclosing(response.aiter_raw()) as reads:
            async for read in reads:
                content += read
                if len(content) > MAX_ERROR_BYTES:
                    break
        await response.aclose()
        headers = [item for item in response.headers.multi_items() if item[0] not in _OF_THE_BODY]
        return httpx2.Response(
            response.status_code, headers=headers, content=content, request=request
        )

    def build_request(
        self,
        method: str,
        url: Any,
        *,
        content: Any = None,
        headers: Any = None,
        timeout: Any = httpx2.USE_CLIENT_DEFAULT,
        **others: Any,
    ) -> httpx2.Request:
        is_plain = isinstance(content, bytes) and isinstance(timeout, httpx2.Timeout)
        if any(others.values()) or not is_plain:
            return super().build_request(
                method, url, content=content, headers=headers, timeout=timeout, **others
            )
        return httpx2.Request(
            method,
            _address(url),
            headers=headers,
            content=content,
            extensions={"timeout": timeout.as_dict()},
        )
