"""Is it alive, is it ready, how does it do: for whoever operates it."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from chat import metrics
from chat.addresses import request_address
from chat.assistant.llm import model_state
from chat.errors import ChatError, Forbidden, StoreUnavailable
from chat.sessions.store import default_store
from chat.views.door import ApiView

logger = logging.getLogger(__name__)

#: What has not answered by then is failing.
LONGEST_CHECK_S = 1.0

#: Loopback, private and link-local networks. ``is_private`` of Python means more than that.
INSIDE = [
    ipaddress.ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
]

T = TypeVar("T")


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


#: One thread, so that a database that hangs collects no more than one.
_ask_database_async = database_sync_to_async(
    _ask_database,
    thread_sensitive=False,
    executor=ThreadPoolExecutor(1, thread_name_prefix="readyz"),
)


class Health(ApiView):
    """``/healthz``: the process lives. Asks nobody."""

    public = True

    async def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse({"status": "ok"})


class Readiness(ApiView):
    """``/readyz``: whether it can serve, and what is failing. The model is not called: it costs."""

    public = True

    async def get(self, request: HttpRequest) -> HttpResponse:
        redis, database = await asyncio.gather(_redis_state(), _database_state())
        parts = {"redis": redis, "database": database, "model": model_state()}
        status = _status_of(parts, is_degraded=_is_degraded())
        return JsonResponse({"status": status, **parts}, status=503 if status == "failing" else 200)


class Metrics(ApiView):
    """``/metrics``, for the machine and its private network only.

    Without trusted proxies, a request that came through one is refused: its address says nothing.
    """

    public = True

    async def get(self, request: HttpRequest) -> HttpResponse:
        if not _is_from_inside(request):
            raise Forbidden
        try:
            active = await _within(default_store().count())
        except (ChatError, TimeoutError):
            active = None
        return HttpResponse(metrics.exposition(active), content_type=metrics.CONTENT_TYPE)


def _status_of(parts: dict[str, str], *, is_degraded: bool) -> str:
    if "failing" in parts.values():
        return "failing"
    return "degraded" if is_degraded else "ok"


def _is_degraded() -> bool:
    """Whether memory serves where Redis should."""
    return default_store().backend == "memory" and not settings.ENV.redis_url.startswith("memory:")


async def _redis_state() -> str:
    store = default_store()
    try:
        await _within(store.ping())
    except (StoreUnavailable, TimeoutError):
        return "memory" if store.backend == "memory" else "failing"
    return "ok" if store.backend == "redis" else "memory"


async def _database_state() -> str:
    try:
        await _within(_ask_database_async())
    except Exception as error:  # noqa: BLE001 - whatever it is, the database does not answer
        logger.warning("the database does not answer: %s", type(error).__name__)
        return "failing"
    return "ok"


async def _within(awaitable: Coroutine[Any, Any, T]) -> T:
    """Wait for it, no longer than ``LONGEST_CHECK_S`` even when it hangs in a thread.

    Raises:
        TimeoutError:
    """
    check = asyncio.ensure_future(awaitable)
    check.add_done_callback(_consume)
    done, _ = await asyncio.wait({check}, timeout=LONGEST_CHECK_S)
    if not done:
        raise TimeoutError
    return check.result()


def _consume(check: asyncio.Future[Any]) -> None:
    """Read the error of a check that nobody waits for any more."""
    if not check.cancelled():
        check.exception()


def _is_from_inside(request: HttpRequest) -> bool:
    if "X-Forwarded-For" in request.headers and not settings.ENV.trusted_proxies:
        return False
    try:
        address = ipaddress.ip_address(request_address(request))
    except ValueError:
        return False
    return any(address in network for network in INSIDE)
