"""A real database in which a test acts, fails or waits when a statement is about to be run.

Connections of all threads are reached: those that are open here, and those that are opened
meanwhile. One that another thread opened before and keeps is not; with ``CONN_MAX_AGE`` 0 and with
PostgreSQL's pool each use of the product connects anew. For a table whose reading never ends inside
SQLite, so that SQLite has to be interrupted, see ``tests.hanging``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connections
from django.db.backends.signals import connection_created

#: A fault of a test must not hang the whole run.
LONGEST_S = 30.0


@contextmanager
def intercepting(act: Callable[[str], object]) -> Iterator[None]:
    """Call ``act`` with each SQL statement of this process before it is run, in its thread.

    What ``act`` raises, the caller of the database gets. Statements that ``act`` runs itself are
    not intercepted.
    """
    inside = threading.local()

    def wrap(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not getattr(inside, "acts", False):
            inside.acts = True
            try:
                act(sql)
            finally:
                inside.acts = False
        return execute(sql, params, many, context)

    wrapped: list[Any] = []

    def add(connection: Any, **_: Any) -> None:
        connection.execute_wrappers.append(wrap)
        wrapped.append(connection)

    for connection in connections.all(initialized_only=True):
        add(connection)
    connection_created.connect(add)
    try:
        yield
    finally:
        connection_created.disconnect(add)
        for connection in wrapped:
            while wrap in connection.execute_wrappers:
                connection.execute_wrappers.remove(wrap)


@contextmanager
def refusing(text: str, error: Exception | None = None) -> Iterator[None]:
    """Have statements that contain ``text`` raise, by default what a locked database raises."""

    def refuse(sql: str) -> None:
        if text in sql:
            raise error or OperationalError("database is locked")

    with intercepting(refuse):
        yield


@contextmanager
def hanging(text: str, until: threading.Event | None = None) -> Iterator[threading.Event]:
    """Have statements that contain ``text`` wait until the block ends, or ``until`` is set.

    Yield an event that is set as soon as one of them waits.
    """
    waits, freed = threading.Event(), until or threading.Event()

    def wait(sql: str) -> None:
        if text in sql:
            waits.set()
            freed.wait(LONGEST_S)

    with intercepting(wait):
        try:
            yield waits
        finally:
            freed.set()


@contextmanager
def before(text: str, act: Callable[[], object]) -> Iterator[None]:
    """Call ``act`` once, just before the first statement that contains ``text``, in its thread."""
    lock, is_done = threading.Lock(), False

    def look(sql: str) -> None:
        nonlocal is_done
        with lock:
            is_first = text in sql and not is_done
            is_done = is_done or is_first
        if is_first:
            act()

    with intercepting(look):
        yield
