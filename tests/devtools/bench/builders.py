"""Rows and runs with nothing in them but what a test is about."""

from __future__ import annotations

from typing import Any

from devtools.bench.results import Row, Run


def a_row(**given: Any) -> Row:
    return Row(
        **{"part": "turns", "name": "turns per second", "unit": "/s", "ours": (1.0,)} | given
    )


def a_run(*rows: Row, **given: Any) -> Run:
    defaults: dict[str, Any] = {
        "began_at": "2026-11-23 09:30 UTC",
        "lasted_s": 12.3,
        "size": "quick",
        "machine": {"machine": "two cores", "Python": "3.11.7"},
    }
    return Run(rows=rows, **defaults | given)
