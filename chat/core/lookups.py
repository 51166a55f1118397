"""Database calls with a timeout, run in a thread pool of their own and cancelled in the database.

``asyncio.timeout`` around asgiref's wrapper bounds only the wait: the call continues in asyncio's
shared pool, and a few hung calls exhaust it. Django's thread-sensitive mode has one thread per
worker: the last of 20 concurrent look-ups with 100 ms of network latency took 2 s, and a hung one
blocked all the others and the admin.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from threading import Event, Lock
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from chat.core.threads import THREADS

logger = logging.getLogger(__name__)

#: Default timeout of a call; the customer waits for the answer meanwhile.
LONGEST_S = 2.5
#: Timeout of the cancel request to PostgreSQL.
_INTERRUPT_S = 1.0

Found = TypeVar("Found")


async def look_up(
    read: Callable[..., Found],
    *arguments: Any,
    longest_s: float | None = LONGEST_S,
    pool: str = "lookup",
) -> Found:
    """Run ``read(*arguments)``, which uses the default database, in a thread of ``pool``.

    After ``longest_s`` (None: the caller sets a timeout), or when the caller is cancelled, the
    call is interrupted in the database to free its thread: the running statement fails, and no
    further one starts. Statements that were committed before stay committed.

    Raises:
        TimeoutError: the call took longer than ``longest_s``.
    """
    running = _Running(read)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(longest_s):
            call = partial(copy_context().run, running, *arguments)
            found: Found = await loop.run_in_executor(THREADS.get().pool(pool), call)
            return found
    except (TimeoutError, asyncio.CancelledError):
        if not running.is_over:
            THREADS.get().pool("lookup-interrupt").submit(running.interrupt)
        raise


class _Running:
    """One call, with the connection that it uses while it runs."""

    def __init__(self, read: Callable[..., Any]) -> None:
        self._read = read
        self._lock = Lock()
        self._connection: BaseDatabaseWrapper | None = None
        self._cancelled = Event()
        self.is_over = False

    def __call__(self, *arguments: Any) -> Any:
        close_old_connections()
        connection = connections[DEFAULT_DB_ALIAS]
        with self._lock:
            if self._cancelled.is_set():  # while it waited for a free thread
                raise TimeoutError
            self._connection = connection
        try:
            with connection.execute_wrapper(self._execute):
                return self._read(*arguments)
        finally:
            with self._lock:
                self._connection, self.is_over = None, True
                if self._cancelled.is_set():  # a late interrupt must not hit the next call
                    connection.close()
            close_old_connections()

    def _execute(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        """Refuse further statements of a cancelled call.

        SQLite cannot interrupt the wait for a lock: the call would continue once the lock is free.
        """
        if self._cancelled.is_set():
            raise TimeoutError
        return execute(sql, params, many, context)

    def interrupt(self) -> None:
        """Cancel the call in the database, if it still runs."""
        with self._lock:
            self._cancelled.set()
            connection = self._connection.connection if self._connection is not None else None
            if connection is None:
                return
            try:
                if self._connection is not None and self._connection.vendor == "postgresql":
                    connection.cancel_safe(timeout=_INTERRUPT_S)
                else:
                    connection.interrupt()
            except Exception as error:  # noqa: BLE001 - whatever a driver raises: the read ends later
                logger.warning("a look-up was not interrupted: %s", type(error).__name__)
