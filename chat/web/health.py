"""Is it alive, is it ready, how does it do: for whoever operates it."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
from collections.abc import Coroutine
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from chat.assistant.llm import model_state
from chat.conversations.store.failover.store import FailoverStore
from chat.conversations.store.protocol import STORE
from chat.core import metrics
from chat.core.client_address import request_address
from chat.core.errors import ChatError, Forbidden, StoreUnavailable
from chat.core.runtime import Part
from chat.core.supervisor import DRAIN
from chat.core.threads import THREADS
from chat.shop.photos.processor import PHOTO_PROCESSOR
from chat.shop.photos.quota import Space
from chat.tasks import SUPERVISOR
from chat.web.api.api_view import ApiView

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


class HealthChecks:
    """Checks, none of which is waited for longer than ``longest_s`` even when it hangs."""

    def __init__(self, *, longest_s: float = LONGEST_CHECK_S) -> None:
        self._longest_s = longest_s

    async def within(self, awaitable: Coroutine[Any, Any, T]) -> T:
        """Wait for it, but no longer than that.

        Raises:
            TimeoutError:
        """
        check = asyncio.ensure_future(awaitable)
        check.add_done_callback(_consume)
        done, _ = await asyncio.wait({check}, timeout=self._longest_s)
        if not done:
            raise TimeoutError
        return check.result()

    async def database_state(self) -> str:
        thread = THREADS.get().pool("readyz")
        ask = database_sync_to_async(_ask_database, thread_sensitive=False, executor=thread)
        try:
            await self.within(ask())
        except Exception as error:  # noqa: BLE001 - whatever it is, the database does not answer
            logger.warning("the database does not answer: %s", type(error).__name__)
            return "failing"
        return "ok"


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _consume(check: asyncio.Future[Any]) -> None:
    """Read the error of a check that nobody waits for any more."""
    if not check.cancelled():
        check.exception()


HEALTH_CHECKS: Part[HealthChecks] = Part("health checks", HealthChecks)


class Health(ApiView):
    """``/healthz``: the process lives. Asks nobody."""

    public = True

    async def get(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse({"status": "ok"})


class Readiness(ApiView):
    """``/readyz``: whether this worker can take messages, and what is away.

    The model is not called: a call costs.
    """

    public = True

    async def get(self, request: HttpRequest) -> HttpResponse:
        checks = HEALTH_CHECKS.get()
        redis, database = await asyncio.gather(_redis_state(checks), checks.database_state())
        failing = SUPERVISOR.get().failing()
        parts = {
            "redis": redis,
            "database": database,
            "model": model_state(),
            "background": "failing" if failing else "ok",
        }
        status = _status_of(parts, is_degraded=_is_degraded(), is_stopping=DRAIN.get().is_begun)
        return JsonResponse(
            {"status": status, **parts, "failing_tasks": failing},
            status=503 if status == "failing" else 200,
        )


class Metrics(ApiView):
    """``/metrics``, for the machine and its private network only.

    Without trusted proxies, a request that came through one is refused: its address says nothing.
    """

    public = True

    async def get(self, request: HttpRequest) -> HttpResponse:
        if not _is_from_inside(request):
            raise Forbidden
        checks = HEALTH_CHECKS.get()
        try:
            active = await checks.within(STORE.get().count())
        except (ChatError, TimeoutError):
            active = None
        await _measure_space(checks)
        return HttpResponse(metrics.exposition(active), content_type=metrics.CONTENT_TYPE)


def _space() -> Space:
    return PHOTO_PROCESSOR.get().quota.space()


_aspace = database_sync_to_async(_space, thread_sensitive=False)


async def _measure_space(checks: HealthChecks) -> None:
    try:
        space = await checks.within(_aspace())
    except Exception as error:  # noqa: BLE001 - whatever it is, the other figures are known
        logger.warning("the space of photos is not known: %s", type(error).__name__)
        metrics.set_space(math.nan, math.nan, math.nan)
    else:
        metrics.set_space(space.used_bytes, space.max_bytes, space.free_bytes)


def _status_of(parts: dict[str, str], *, is_degraded: bool, is_stopping: bool) -> str:
    """Return "failing" only when this worker takes no message at all, or keeps none for long: a
    Redis Cluster is a mistake in the configuration, which does not pass.

    Conversations go on in memory without Redis, and much of the chat works without the database,
    the model or a background task: a balancer must not take such a worker out.
    """
    if is_stopping or parts["redis"] == "cluster":
        return "failing"
    return "degraded" if is_degraded or "failing" in parts.values() else "ok"


def _is_degraded() -> bool:
    """Whether memory serves where Redis should."""
    return STORE.get().backend == "memory" and not settings.ENV.redis_url.startswith("memory:")


async def _redis_state(checks: HealthChecks) -> str:
    store = STORE.get()
    try:
        await checks.within(store.ping())
    except (StoreUnavailable, TimeoutError):
        if isinstance(store, FailoverStore) and store.is_cluster:
            return "cluster"
        return "memory" if store.backend == "memory" else "failing"
    return "ok" if store.backend == "redis" else "memory"


def _is_from_inside(request: HttpRequest) -> bool:
    if "X-Forwarded-For" in request.headers and not settings.ENV.trusted_proxies:
        return False
    try:
        address = ipaddress.ip_address(request_address(request))
    except ValueError:
        return False
    return any(address in network for network in INSIDE)
