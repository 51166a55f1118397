"""Rewrites Redis's append-only file, so that erased words do not stay in it.

Redis appends every command: a conversation that was erased stands in the file until Redis
rewrites it, for weeks in a small shop. Workers ask for a rewrite after an erasure, at most one in
``AOF_REWRITE_PAUSE_S`` for all workers together, and once a day for conversations that expired.
A copy of the file, a replica's own file and ``dump.rdb`` are not reached: ``docs/operations.md``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import redis
from django.conf import settings
from django_redis import get_redis_connection
from redis.exceptions import ResponseError

from chat.core.errors import StoreUnavailable
from chat.core.threads import THREADS

logger = logging.getLogger(__name__)

#: How often a worker looks whether a rewrite is due.
LOOK_S = 60.0
#: Conversations that expired leave the file within this.
DAILY_S = 86_400.0
#: How long a rewrite may take before another worker may ask for one.
LONGEST_REWRITE_S = 100.0
_POLL_S = 0.25

#: When a conversation was last erased (set by ``erase.lua``), and when the last rewrite that came
#: to its end began: milliseconds of Redis's clock.
ERASED_AT = "chat:aof:erased_at"
REWRITTEN_AT = "chat:aof:rewritten_at"
#: Held by the worker that asks. An operator who copies the file may hold it too.
LOCK = "chat:aof:lock"


@dataclass(frozen=True, slots=True)
class AofState:
    """Seconds of Redis's clock; 0.0 for never."""

    now: float
    erased_at: float
    rewritten_at: float

    @property
    def has_erased_words(self) -> bool:
        """Whether a conversation was erased since the last rewrite began."""
        return self.erased_at > 0 and self.erased_at >= self.rewritten_at


def is_due(state: AofState, pause_s: float) -> bool:
    """Whether the file is to be rewritten now. Pure."""
    since_s = state.now - state.rewritten_at
    return since_s >= (pause_s if state.has_erased_words else DAILY_S)


class Rewriter:
    """``connect``: returns a client. A Redis without the command is asked and logged once."""

    def __init__(self, connect: Callable[[], redis.Redis]) -> None:
        self._connect = connect
        self._is_refused = False

    @classmethod
    def of_django(cls) -> Rewriter:
        """The rewriter of the Redis of ``REDIS_URL``."""
        return cls(partial(get_redis_connection, "default"))

    async def run(self) -> None:
        """Have Redis rewrite its file if that is due. For every worker, every ``LOOK_S``.

        Raises:
            StoreUnavailable: Redis does not answer.
        """
        pause_s = settings.ENV.aof_rewrite_pause_s
        if pause_s == 0 or settings.ENV.redis_url.startswith("memory://"):
            return
        step = partial(self.rewrite_if_due, pause_s)
        try:
            thread = THREADS.get().pool("aof")
            await asyncio.get_running_loop().run_in_executor(thread, step)
        except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
            raise StoreUnavailable from error

    def rewrite_if_due(self, pause_s: float) -> bool:
        """Return whether the file was rewritten.

        Raises:
            redis.ConnectionError: also ``TimeoutError``: Redis does not answer.
        """
        if self._is_refused:
            return False
        client = self._connect()
        if not is_due(read_state(client), pause_s):
            return False
        if not client.set(LOCK, "worker", nx=True, px=int(LONGEST_REWRITE_S * 1000)):
            return False
        try:
            # Again, now that nobody else rewrites: another worker may have just finished.
            return is_due(read_state(client), pause_s) and self._rewrite(client)
        except ResponseError as error:  # a managed Redis may lack the command, or forbid it
            self._is_refused = any(word in str(error) for word in ("unknown command", "permission"))
            logger.warning("Redis did not rewrite its append-only file: %s", error)
            return False
        finally:
            client.delete(LOCK)

    def _rewrite(self, client: redis.Redis) -> bool:
        info = _persistence(client)
        if not int(info.get("aof_enabled", 0)):
            return False
        if not _wait_idle(client):  # one under way may have begun before the erasure
            return False
        began_at = _now(client)
        client.bgrewriteaof()
        if not _wait_idle(client):
            logger.warning("Redis is still rewriting its append-only file: looked at again later")
            return False
        if _persistence(client).get("aof_last_bgrewrite_status") != "ok":
            logger.error("Redis could not rewrite its append-only file: erased words stay in it")
            return False
        client.set(REWRITTEN_AT, round(began_at * 1000))
        logger.info("Redis rewrote its append-only file")
        return True


def read_state(client: redis.Redis) -> AofState:
    erased, rewritten = (client.get(name) for name in (ERASED_AT, REWRITTEN_AT))
    return AofState(_now(client), _seconds(erased), _seconds(rewritten))


def _seconds(stored: Any) -> float:
    return float(stored) / 1000 if stored else 0.0


def _now(client: redis.Redis) -> float:
    seconds, microseconds = client.time()
    return int(seconds) + int(microseconds) / 1e6


def _persistence(client: redis.Redis) -> Mapping[str, Any]:
    info: Mapping[str, Any] = client.info("persistence")
    return info


def _wait_idle(client: redis.Redis) -> bool:
    """Wait until no rewrite runs or is scheduled; False when it takes too long."""
    until = time.monotonic() + LONGEST_REWRITE_S / 2 - 5
    while time.monotonic() < until:
        info = _persistence(client)
        busy = ("aof_rewrite_in_progress", "aof_rewrite_scheduled")
        if not any(int(info.get(name, 0)) for name in busy):
            return True
        time.sleep(_POLL_S)
    return False
