"""Warnings of connections to SQLite that nobody closed: what Python 3.13 does, for older ones."""

from __future__ import annotations

import os
import sqlite3
import threading
import warnings
from contextlib import suppress
from typing import Any


class WarningConnection(sqlite3.Connection):
    """Warns when it is deleted while open; pytest makes an error of it.

    The warning names the thread and the test that opened the connection: it may be deleted by the
    garbage collector, in the middle of another test.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        test = os.environ.get("PYTEST_CURRENT_TEST", "no test")  # noqa: TID251 - pytest's own
        self._opened_by = f"{threading.current_thread().name}, {test}"

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # closed
            _ = self.total_changes
            text = f"unclosed database in {self!r}, opened by {self._opened_by}"
            warnings.warn(text, ResourceWarning, stacklevel=2, source=self)
