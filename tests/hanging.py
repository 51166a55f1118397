"""A database that hangs: a table of it never answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.signals import connection_created
from django.db.models import Model


@contextmanager
def endless(model: type[Model]) -> Iterator[None]:
    """Have every SQLite connection that is opened meanwhile read this table without end.

    A temporary view of the same name hides the table. SQLite may be interrupted in it.
    """
    columns = ", ".join(f"max(i + {at}) AS {c.column}" for at, c in enumerate(model._meta.fields))
    rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    view = f"SELECT {columns} FROM ({rows})"  # noqa: S608 - names of ours

    def hide(connection: Any, **_: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMP VIEW {model._meta.db_table} AS {view}")

    connection_created.connect(hide)
    try:
        yield
    finally:
        connection_created.disconnect(hide)
