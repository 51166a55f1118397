"""Warnings of connections to SQLite that nobody closed: what Python 3.13 does, for older ones."""

from __future__ import annotations

import sqlite3
import warnings
from contextlib import suppress


class WarningConnection(sqlite3.Connection):
    """Warns when it is deleted while open; pytest makes an error of it."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # closed
            _ = self.total_changes
            text = f"unclosed database in {self!r}"
            warnings.warn(text, ResourceWarning, stacklevel=2, source=self)
