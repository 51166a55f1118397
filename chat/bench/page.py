"""A run as one self-contained HTML page, in the form of the other reports. Pure."""

from __future__ import annotations

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from chat.bench.rows import Row, Run, verdict_words
from chat.bench.table import HEAD, KEY, cells, parts_of, shown
from chat.reports.charts import bars

#: Bars are drawn in whole units.
FINE = 1000


def as_page(run: Run) -> str:
    context = {
        "run": run,
        "verdict": verdict_words(run),
        "holds": not run.failed and not run.broken,
        "cards": [
            ("Targets that hold", str(len(run.held))),
            ("Targets missed", str(len(run.failed))),
            ("Figures", str(len(run.rows))),
        ],
        "head": HEAD,
        "parts": [(part, [(cells(row), row.note) for row in rows]) for part, rows in parts_of(run)],
        "charts": charts(run),
        "key": KEY,
        "machine": run.machine.items(),
        "profile": [(name, f"{share:.1%}") for name, share in run.profile.items()],
    }
    return render_to_string("bench/report.html", context)


def charts(run: Run) -> list[tuple[str, str, SafeString]]:
    """Return a drawing of each figure that has a floor or a "before": title, unit, bars."""
    return [
        (row.name, row.unit, bars(_sides(row), row.name))
        for row in run.rows
        if row.value is not None and (row.floor or row.before)
    ]


def _sides(row: Row) -> list[tuple[str, int, str]]:
    sides = (("ours", row.value), ("floor", row.floor_value), ("before", row.before_value))
    return [
        (label, max(0, round(value * FINE)), shown(value, row.unit))
        for label, value in sides
        if value is not None
    ]
