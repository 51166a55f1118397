"""Private parts of aiohttp and of the OpenAI SDK's transport. No other module of ``chat`` uses any.

Each function says what it returns once the library has no such part any more; then the assistant
still answers. ``tests/assistant/test_compat.py`` fails first, with the version in its message.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from ssl import SSLContext
from typing import Any

import httpx2
from aiohttp import ClientSession, DummyCookieJar, StreamReader, TCPConnector
from openai import DefaultAioHttpClient

#: The versions that were read when this was written.
WRITTEN_FOR = {"aiohttp": "3.14", "openai": "3.57", "httpx2": "2.16"}


def body_of(response: httpx2.Response) -> StreamReader | None:
    """Return what aiohttp receives of a response: ``on_eof`` tells of its end.

    Written for openai 3.57 (``AiohttpResponseStream``) and httpx2 2.16 (``BoundAsyncStream``).
    None otherwise: the end is known once it was read.
    """
    stream: Any = getattr(response.stream, "_stream", None)
    body: StreamReader | None = getattr(getattr(stream, "_aiohttp_response", None), "content", None)
    return body


def unread(body: StreamReader | None) -> bytes:
    """Return what came before the connection broke and was not read: reading raises from then on.

    Written for aiohttp 3.14. b"" otherwise: the last characters of a cut answer are lost.
    """
    left = b"".join(getattr(body, "_buffer", ()))
    return left[getattr(body, "_buffer_offset", 0) :]


class CookielessHttpClient(DefaultAioHttpClient):
    """The SDK's client on aiohttp, without the cookies of answers.

    All conversations share this client, and a cookie of one would travel with the requests of the
    others. The client cannot be given a whole transport: it would then no longer read
    ``HTTPS_PROXY``.

    Written for openai 3.57 (``AiohttpTransport.client``) and httpx2 2.16 (``_init_transport``).
    Otherwise httpx2's own transport is used, which keeps no cookies and takes more CPU.
    """

    def _init_transport(self, *args: Any, **options: Any) -> httpx2.AsyncBaseTransport:
        return without_cookies(super()._init_transport(*args, **options), options)

    def _init_proxy_transport(
        self, proxy: httpx2.Proxy, *args: Any, **options: Any
    ) -> httpx2.AsyncBaseTransport:
        made = super()._init_proxy_transport(proxy, *args, **options)
        return without_cookies(made, {**options, "proxy": proxy})


def without_cookies(transport: Any, options: Mapping[str, Any]) -> httpx2.AsyncBaseTransport:
    """Have a transport of the SDK use an aiohttp session that keeps no cookies.

    The transport makes its session at the first request, on the event loop that serves it, and
    takes a function in its place.
    """
    if not {"client", "limits", "ssl_context"} <= vars(transport).keys():
        known = ("limits", "proxy", "trust_env", "verify")
        return httpx2.AsyncHTTPTransport(**{k: v for k, v in options.items() if k in known})
    transport.client = partial(_session_without_cookies, transport.limits, transport.ssl_context)
    made: httpx2.AsyncBaseTransport = transport
    return made


def _session_without_cookies(limits: httpx2.Limits, ssl_context: SSLContext) -> ClientSession:
    connector = TCPConnector(
        limit=limits.max_connections or 0,  # 0 is aiohttp's "any number"
        keepalive_timeout=limits.keepalive_expiry,
        ssl=ssl_context,
    )
    return ClientSession(connector=connector, cookie_jar=DummyCookieJar())
