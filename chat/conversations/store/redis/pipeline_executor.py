"""Commands of many coroutines in few round trips, over the synchronous client of django-redis.

One thread owns the talking. While it waits for Redis, more commands queue up; it sends them
as one pipeline. So one connection carries a whole worker, and a thread is woken once a batch
instead of once a command.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import redis
from redis.exceptions import (
    AskError,
    BusyLoadingError,
    ClusterCrossSlotError,
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from chat.core.errors import StoreUnavailable

logger = logging.getLogger(__name__)

MAX_BATCH = 256
#: A batch that is under way, and its second try, end by their timeouts before.
LONGEST_CLOSE_S = 3.0
#: Answers that say "not now", whatever was asked.
_AWAY = (
    *(RedisConnectionError, RedisTimeoutError, OutOfMemoryError, ReadOnlyError, BusyLoadingError),
    # Of a Redis Cluster, which is refused at start but may take the place of a Redis later.
    # ``MovedError`` is an ``AskError``.
    *(AskError, ClusterCrossSlotError, ClusterDownError),
)
#: The same, for which redis-py has no class: a failed AOF or snapshot, too few replicas.
_AWAY_CODES = ("MISCONF", "NOREPLICAS")


@dataclass(slots=True)
class _Call:
    command: tuple[Any, ...]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class RedisLink:
    """``scripts``: Lua sources by SHA1, loaded again whenever Redis has forgotten them."""

    def __init__(self, connect: Callable[[], redis.Redis], scripts: dict[str, str]) -> None:
        self._connect = connect
        self._scripts = scripts
        self._queue: SimpleQueue[_Call | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    async def run(self, *command: Any) -> Any:
        """Send one command and return its reply.

        Raises:
            StoreUnavailable: no answer in time, or Redis cannot write now. It may have been done.
            redis.exceptions.ResponseError: Redis refused the command: a bug of ours.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        # Here, so that what cannot be encoded fails for its caller, and not for the whole batch.
        name, *rest = command
        encoded = [part.encode() if isinstance(part, str) else part for part in rest]
        if self._thread is None:
            self._start()
        self._queue.put(_Call((name, *encoded), future, loop))
        reply = await future
        if isinstance(reply, _AWAY) or (
            isinstance(reply, redis.ResponseError) and str(reply).startswith(_AWAY_CODES)
        ):
            raise StoreUnavailable from reply
        if isinstance(reply, Exception):
            raise reply
        return reply

    def close(self, longest_s: float = LONGEST_CLOSE_S) -> None:
        """End the thread once what was queued before is answered; wait ``longest_s`` at most."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(longest_s)
            self._thread = None

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="redis", daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        while True:
            call = self._queue.get()
            if call is None:
                return
            batch, closing = self._gather(call)
            replies = self._execute([call.command for call in batch])
            self._deliver(batch, replies)
            if isinstance(replies[0], RedisConnectionError | RedisTimeoutError):
                # Redis is away: who queued meanwhile is told now, not after one more timeout.
                waiting, closed = self._gather(None)
                self._deliver(waiting, [replies[0]] * len(waiting))
                closing = closing or closed
            if closing:
                return

    def _gather(self, first: _Call | None) -> tuple[list[_Call], bool]:
        """Return ``first`` and what is queued behind it, and whether the link is closing."""
        batch = [first] if first else []
        while len(batch) < MAX_BATCH:
            try:
                call = self._queue.get_nowait()
            except Empty:
                break
            if call is None:
                return batch, True
            batch.append(call)
        return batch, False

    def _execute(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        try:
            try:
                replies = self._send(commands)
            except RedisTimeoutError:
                raise
            except RedisConnectionError:  # a connection that died while idle: try a new one
                replies = self._send(commands)
            return self._with_scripts(commands, replies)
        except Exception as error:  # noqa: BLE001 - each caller gets it, the thread lives
            return [error] * len(commands)

    def _send(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        pipeline = self._connect().pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        return pipeline.execute(raise_on_error=False)

    def _with_scripts(self, commands: list[tuple[Any, ...]], replies: list[Any]) -> list[Any]:
        unknown = [n for n, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            self._send([("SCRIPT", "LOAD", source) for source in self._scripts.values()])
            for n, reply in zip(unknown, self._send([commands[n] for n in unknown]), strict=True):
                replies[n] = reply
        return replies

    def _deliver(self, batch: list[_Call], replies: list[Any]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Call, Any]]] = {}
        for call, reply in zip(batch, replies, strict=True):
            by_loop.setdefault(call.loop, []).append((call, reply))
        for loop, pairs in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, pairs)
            except RuntimeError:  # that loop was closed: nobody waits any more
                logger.debug("the reader of %d replies is gone", len(pairs))


def _resolve(pairs: list[tuple[_Call, Any]]) -> None:
    for call, reply in pairs:
        if not call.future.done():
            call.future.set_result(reply)
