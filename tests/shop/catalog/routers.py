from __future__ import annotations

from typing import Any


class ToPostgres:
    """Send every query of the models to the database that a test opened."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "postgres"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "postgres"

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True
