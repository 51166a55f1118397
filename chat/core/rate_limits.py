"""Rate limits of visitors, addresses and programs, counted in Redis across all workers.

While Redis is unavailable, slow, full or read-only, each worker applies the same limits alone, in
bounded memory. Redis keys expire and identify nobody: addresses and API keys are stored as keyed
hashes.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial

from django.conf import settings
from django_redis import get_redis_connection
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from chat.core import metrics
from chat.core.client_address import network_prefix
from chat.core.errors import RateLimited
from chat.core.runtime import Part
from chat.core.threads import THREADS

logger = logging.getLogger(__name__)

KEY_PREFIX = "chat:rate"
#: Timeout of one call to Redis.
LONGEST_WAIT_S = 0.5
#: Pause after a failure in which Redis is not called, so that requests do not wait for it again.
AWAY_S = 5.0
WARN_EVERY_S = 60.0
#: Bounds of the counters in memory, about 20 MB. Eviction is by least recent use, so an active
#: visitor stays counted.
MAX_KEYS = 30_000
MAX_HITS = 300_000
#: Burst size and refill rate of the pages and states of one conversation, per worker.
PAGES_AT_ONCE = 20
PAGES_PER_S = 3

TOO_MANY_PAGES = "Trop de pages ont été demandées depuis votre réseau. Réessayez dans un instant."

TOO_MANY_BYTES = (
    "Beaucoup de photos ont déjà été envoyées aujourd'hui depuis votre connexion. Réessayez demain."
)


async def check_api(key: str) -> None:
    """Count one request to the API. ``key``: of the client, e.g. "key:3" or an address.

    Raises:
        RateLimited: with the seconds until the next one is allowed.
    """
    await _check("api", settings.ENV.api_rate_per_minute, key)


async def check_visitor(key: str) -> None:
    """Count one message of a visitor.

    Raises:
        RateLimited: with the seconds until the next one is allowed.
    """
    await _check("visitor", settings.ENV.chat_rate_per_minute, key)


async def check_address(address: str) -> None:
    """Count one message from an address; "" (unknown) is not limited.

    Raises:
        RateLimited: with the seconds until the next one is allowed.
    """
    if address:
        per_minute = settings.ENV.chat_rate_per_address_per_minute
        await _check("address", per_minute, network_prefix(address))


def check_page(session_id: str, address: str) -> None:
    """Count one page view of a conversation, or one request for its state or earlier messages.

    Counted per worker, since it limits this worker's processor time. ``session_id``, ``address``:
    "" (unknown) is not limited.

    Raises:
        RateLimited: with the seconds until the next one is allowed.
    """
    retry_after_s = PAGE_COUNTER.get().wait_s(session_id, address)
    if retry_after_s > 0:
        metrics.rate_limited.labels(door="page").inc()
        raise RateLimited(TOO_MANY_PAGES, retry_after_s=retry_after_s)


async def check_photo(key: str, address: str) -> None:
    """Count one photo of a visitor and of an address; an address of "" (unknown) is not limited.

    Raises:
        RateLimited: with the seconds until the next one is allowed.
    """
    await _check("photo", settings.ENV.photo_rate_per_minute, key)
    if address:
        per_minute = settings.ENV.chat_rate_per_address_per_minute
        await _check("photo_address", per_minute, network_prefix(address))


async def check_photo_bytes(address: str, size_bytes: int) -> None:
    """Count the size of one photo, in whole megabytes rounded up, per address and day.

    ``address``: "" (unknown) is not limited.

    Raises:
        RateLimited: over ``PHOTO_MB_PER_ADDRESS_PER_DAY``; the photo is not counted then.
    """
    most_mb = settings.ENV.photo_mb_per_address_per_day
    if address and most_mb:
        item = RateLimitItemPerDay(most_mb, namespace="photo_bytes")
        cost = max(1, math.ceil(size_bytes / 1_000_000))
        wait_s = await COUNTER.get().retry_after_s(item, hashed(network_prefix(address)), cost=cost)
        if wait_s > 0:
            metrics.rate_limited.labels(door="photo_bytes").inc()
            raise RateLimited(TOO_MANY_BYTES, retry_after_s=wait_s)


async def _check(door: str, per_minute: int, key: str) -> None:
    if per_minute == 0:
        return
    item = RateLimitItemPerMinute(per_minute, namespace=door)
    retry_after_s = await COUNTER.get().retry_after_s(item, hashed(key))
    if retry_after_s > 0:
        metrics.rate_limited.labels(door=door).inc()
        raise RateLimited(retry_after_s=retry_after_s)


def hashed(key: str) -> str:
    """Return a keyed hash of 24 hex digits, the same in all workers, for use in Redis keys."""
    secret = hashlib.sha256(settings.SECRET_KEY.encode()).digest()
    return hashlib.blake2s(key.encode(), key=secret, digest_size=12).hexdigest()


class MemoryCounter:
    """Moving-window counters in this process; beyond either bound the least recent key is evicted.

    A call takes microseconds and needs no thread.
    """

    def __init__(
        self,
        max_keys: int = MAX_KEYS,
        max_hits: int = MAX_HITS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_keys = max_keys
        self._max_hits = max_hits
        self._clock = clock
        self._hits: OrderedDict[str, list[float]] = OrderedDict()
        self._total_hits = 0

    async def retry_after_s(
        self, item: RateLimitItem, key: str, *, count: bool = True, cost: int = 1
    ) -> int:
        """Count one request; return 0 if it is allowed, else the seconds to wait.

        ``count``: False to check without counting. ``cost``: weight of the request.
        """
        return self.wait_s(item, key, count=count, cost=cost)

    def wait_s(self, item: RateLimitItem, key: str, *, count: bool, cost: int) -> int:
        """Synchronous form of ``retry_after_s``."""
        name = item.key_for(key)
        now, window_s = self._clock(), item.get_expiry()
        hits = self._hits.setdefault(name, [])
        self._hits.move_to_end(name)
        past = bisect_right(hits, now - window_s)
        del hits[:past]
        self._total_hits -= past
        too_many = len(hits) + cost - item.amount
        if too_many > 0:
            free_after = hits[too_many - 1] if too_many <= len(hits) else now
            return max(1, math.ceil(free_after + window_s - now))
        if count:
            hits.extend([now] * cost)
            self._total_hits += cost
        while len(self._hits) > self._max_keys or self._total_hits > self._max_hits:
            _, forgotten = self._hits.popitem(last=False)
            self._total_hits -= len(forgotten)
        return 0


class PageCounter:
    """Limits the page views of this worker: a token bucket per session (``PAGES_AT_ONCE``,
    ``PAGES_PER_S``) and ``PAGE_RATE_PER_ADDRESS_PER_MINUTE`` per address.

    Beyond ``max_keys`` the least recent session is evicted.
    """

    def __init__(
        self, max_keys: int = MAX_KEYS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_keys = max_keys
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._addresses = MemoryCounter(clock=clock)

    def wait_s(self, session_id: str, address: str) -> int:
        """Count one page view; return 0, or the seconds to wait. "" (unknown) is not limited."""
        wait_s = self._wait_of_session(session_id) if session_id else 0
        per_minute = settings.ENV.page_rate_per_address_per_minute
        if wait_s or not address or per_minute == 0:
            return wait_s
        item = RateLimitItemPerMinute(per_minute, namespace="page")
        return self._addresses.wait_s(item, network_prefix(address), count=True, cost=1)

    def _wait_of_session(self, session_id: str) -> int:
        now = self._clock()
        left, at = self._left.pop(session_id, (PAGES_AT_ONCE, now))
        left = min(PAGES_AT_ONCE, left + (now - at) * PAGES_PER_S)
        is_left = left >= 1
        self._left[session_id] = (left - 1 if is_left else left, now)
        if len(self._left) > self._max_keys:
            self._left.popitem(last=False)
        return 0 if is_left else math.ceil((1 - left) / PAGES_PER_S)


class RedisCounter:
    """Counts in Redis, on the thread pool "limits", so that a hung Redis blocks nothing else.

    A request that Redis does not count within ``longest_wait_s`` is counted in this worker's
    memory, and so are all requests of the next ``away_s``. ``threads``: replaces the worker's pool.
    """

    def __init__(
        self,
        connect: Callable[[], RedisStorage],
        clock: Callable[[], float] = time.monotonic,
        longest_wait_s: float = LONGEST_WAIT_S,
        *,
        away_s: float = AWAY_S,
        threads: Executor | None = None,
    ) -> None:
        self._connect = connect
        self._clock = clock
        self._longest_wait_s = longest_wait_s
        self._window: MovingWindowRateLimiter | None = None
        self._alone = MemoryCounter()
        self._away_s = away_s
        self._threads = threads
        self._away_until = -math.inf
        self._warned_at = -math.inf

    async def retry_after_s(
        self, item: RateLimitItem, key: str, *, count: bool = True, cost: int = 1
    ) -> int:
        """Count one request; return 0 if it is allowed, else the seconds to wait. Never raises.

        ``count``: False to check without counting. ``cost``: weight of the request.
        """
        if self._is_away():
            return self._count_alone(item, key, count=count, cost=cost)
        ask = partial(self._ask, item, key, count=count, cost=cost)
        threads = self._threads or THREADS.get().pool("limits")
        call = asyncio.get_running_loop().run_in_executor(threads, ask)
        done, _ = await asyncio.wait({call}, timeout=self._longest_wait_s)
        if not done:
            self._note_away("no answer")
        waited_s = call.result() if done else None
        if waited_s is None:
            return self._count_alone(item, key, count=count, cost=cost)
        return waited_s

    def _count_alone(self, item: RateLimitItem, key: str, *, count: bool, cost: int) -> int:
        metrics.limits_away.inc()
        return self._alone.wait_s(item, key, count=count, cost=cost)

    def _ask(self, item: RateLimitItem, key: str, *, count: bool, cost: int) -> int | None:
        """Return the seconds to wait, None when Redis failed."""
        if self._is_away():  # calls that were queued before the first one failed
            return None
        try:
            if self._window is None:
                self._window = MovingWindowRateLimiter(self._connect())
            return _wait_s(self._window, item, key, count=count, cost=cost)
        except Exception as error:  # noqa: BLE001 - a failed count must not refuse a customer
            self._note_away(type(error).__name__)
            return None

    def _is_away(self) -> bool:
        return self._clock() < self._away_until

    def _note_away(self, why: str) -> None:
        now = self._clock()
        self._away_until = now + self._away_s
        if now - self._warned_at >= WARN_EVERY_S:
            self._warned_at = now
            logger.warning("rates are limited by this worker alone: Redis is away (%s)", why)


def _wait_s(
    window: MovingWindowRateLimiter, item: RateLimitItem, key: str, *, count: bool, cost: int
) -> int:
    if (window.hit if count else window.test)(item, key, cost=cost):
        return 0
    reset_at = window.get_window_stats(item, key).reset_time
    return max(1, math.ceil(reset_at - time.time()))


def build_counter() -> MemoryCounter | RedisCounter:
    """Return the counter for ``REDIS_URL``: in memory for ``memory://``, else in Redis."""
    if settings.ENV.redis_url.startswith("memory://"):
        return MemoryCounter()
    return RedisCounter(_storage_of_django)


def _storage_of_django() -> RedisStorage:
    """Return a storage on the connection pool of django-redis's default cache (short timeouts)."""
    pool = get_redis_connection("default").connection_pool
    return RedisStorage("redis://", connection_pool=pool, key_prefix=KEY_PREFIX)


#: Counter of messages, requests and photos across all workers.
COUNTER: Part[MemoryCounter | RedisCounter] = Part("counter", build_counter)
#: Counter of page views of this worker.
PAGE_COUNTER: Part[PageCounter] = Part("page counter", PageCounter)
