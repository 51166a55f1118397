"""How often one visitor or one program may ask: counted in Redis by all workers together.

While Redis is away everybody passes: better an abuser than a closed shop. What is written has a
time to live, and names nobody: addresses and keys go through a keyed hash.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

from django.conf import settings
from django_redis import get_redis_connection
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from chat import metrics
from chat.addresses import neighbourhood
from chat.errors import RateLimited

logger = logging.getLogger(__name__)

KEY_PREFIX = "chat:rate"
#: A count that comes later is not waited for.
LONGEST_WAIT_S = 0.5
#: After a failure nothing is counted for this long, so that nobody pays the wait again.
AWAY_S = 5.0
WARN_EVERY_S = 60.0


async def check_api(key: str) -> None:
    """Count one request of a program. ``key``: who it is, e.g. "key:3" or an address.

    Raises:
        RateLimited: with the seconds until the next one may come.
    """
    await _check("api", settings.ENV.api_rate_per_minute, key)


async def check_visitor(key: str) -> None:
    """Count one message of a visitor.

    Raises:
        RateLimited: with the seconds until the next one may come.
    """
    await _check("visitor", settings.ENV.chat_rate_per_minute, key)


async def check_address(address: str) -> None:
    """Count one message of whoever writes from there; "" (not known) is nobody.

    Raises:
        RateLimited: with the seconds until the next one may come.
    """
    if address:
        per_minute = settings.ENV.chat_rate_per_address_per_minute
        await _check("address", per_minute, neighbourhood(address))


async def check_photo(key: str, address: str) -> None:
    """Count one photo of a visitor and of where it comes from, "" if not known.

    Raises:
        RateLimited: with the seconds until the next one may come.
    """
    await _check("photo", settings.ENV.photo_rate_per_minute, key)
    if address:
        per_minute = settings.ENV.chat_rate_per_address_per_minute
        await _check("photo_address", per_minute, neighbourhood(address))


async def _check(door: str, per_minute: int, key: str) -> None:
    if per_minute == 0:
        return
    item = RateLimitItemPerMinute(per_minute, namespace=door)
    retry_after_s = await default_counter().retry_after_s(item, hashed(key))
    if retry_after_s > 0:
        metrics.rate_limited.labels(door=door).inc()
        raise RateLimited(retry_after_s=retry_after_s)


def hashed(key: str) -> str:
    """24 hex digits that say nothing of ``key`` to a reader of Redis, the same in all workers."""
    secret = hashlib.sha256(settings.SECRET_KEY.encode()).digest()
    return hashlib.blake2s(key.encode(), key=secret, digest_size=12).hexdigest()


class MemoryCounter:
    """Counts in this process: it costs microseconds, no thread is needed."""

    def __init__(self) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())

    async def retry_after_s(self, item: RateLimitItem, key: str, *, count: bool = True) -> int:
        return _wait_s(self._window, item, key, count=count)


class RedisCounter:
    """Counts in Redis, on threads of its own: a Redis that hangs holds up nothing else."""

    def __init__(
        self, connect: Callable[[], RedisStorage], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._window: MovingWindowRateLimiter | None = None
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="limits")
        self._away_until = -math.inf
        self._warned_at = -math.inf

    async def retry_after_s(self, item: RateLimitItem, key: str, *, count: bool = True) -> int:
        """Count one; return 0 when it may pass, else the seconds to wait. Never raises.

        ``count``: False only to know whether one would pass.
        """
        if self._is_away():
            return 0
        ask = partial(self._ask, item, key, count=count)
        call = asyncio.get_running_loop().run_in_executor(self._threads, ask)
        done, _ = await asyncio.wait({call}, timeout=LONGEST_WAIT_S)
        if not done:
            self._note_away("no answer")
            return 0
        return call.result()

    def close(self) -> None:
        """End the threads, once what they do is done."""
        self._threads.shutdown()

    def _ask(self, item: RateLimitItem, key: str, *, count: bool) -> int:
        if self._is_away():  # the calls that had queued up before the first one failed
            return 0
        try:
            if self._window is None:
                self._window = MovingWindowRateLimiter(self._connect())
            return _wait_s(self._window, item, key, count=count)
        except Exception as error:  # noqa: BLE001 - no failure of counting may close the shop
            self._note_away(type(error).__name__)
            return 0

    def _is_away(self) -> bool:
        if self._clock() >= self._away_until:
            return False
        metrics.limits_away.inc()
        return True

    def _note_away(self, why: str) -> None:
        metrics.limits_away.inc()
        now = self._clock()
        self._away_until = now + AWAY_S
        if now - self._warned_at >= WARN_EVERY_S:
            self._warned_at = now
            logger.warning("rates are not limited: Redis is away (%s)", why)


def _wait_s(window: MovingWindowRateLimiter, item: RateLimitItem, key: str, *, count: bool) -> int:
    if window.hit(item, key) if count else window.test(item, key):
        return 0
    reset_at = window.get_window_stats(item, key).reset_time
    return max(1, math.ceil(reset_at - time.time()))


@cache
def default_counter() -> MemoryCounter | RedisCounter:
    """The counter of this process, as ``REDIS_URL`` says."""
    if settings.ENV.redis_url.startswith("memory://"):
        return MemoryCounter()
    return RedisCounter(_storage_of_django)


def _storage_of_django() -> RedisStorage:
    """On the connections of django-redis's default cache, with their short timeouts."""
    pool = get_redis_connection("default").connection_pool
    return RedisStorage("redis://", connection_pool=pool, key_prefix=KEY_PREFIX)
