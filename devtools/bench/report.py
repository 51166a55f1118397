"""Reports of a bench run: text, HTML page and ``docs/performance.md``. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from chat.core.reporting.charts import bars
from chat.core.reporting.tables import HTMLTable, markdown_table, text_table
from devtools.bench.results import Row, Run, Verdict

HEAD = ["", "ours", "floor", "before", "ratio", "noise", "target", ""]
KEY = (
    "ours/floor: medians of the rounds, measured in turns in this run. ratio: ours / floor. "
    "noise: half the spread between rounds. * a criterion of the requester's."
)
MARKS = {Verdict.HOLDS: "holds", Verdict.FAILS: "MISSED", Verdict.OPEN: ""}
#: Minimum share of CPU time for a line of the profile.
MIN_SHARE = 0.005
#: Scale of the bars, which are drawn in whole units.
FINE = 1000


def as_text(run: Run) -> str:
    return "\n".join(_text_lines(run)) + "\n"


def _text_lines(run: Run) -> Iterator[str]:
    yield f"Bench ({run.size}), {run.began_at}, {run.lasted_s:.0f} s"
    yield ", ".join(f"{name}: {value}" for name, value in run.machine.items())
    rows: list[list[str]] = []
    for part, found in _parts(run):
        rows += [[part.upper(), *[""] * (len(HEAD) - 1)], *map(cells, found)]
    yield from text_table(HEAD, rows)
    yield ""
    yield KEY
    yield from run.remarks
    yield from (f"{part} could not be measured: {reason}" for part, reason in run.broken.items())
    if run.profile:
        yield ""
        yield from text_table(["a turn's CPU time", "share"], _shares(run, MIN_SHARE))
    yield ""
    yield run.verdict


def as_document(run: Run) -> str:
    """Render ``docs/performance.md``."""
    parts = [
        (part.capitalize(), _markdown([*HEAD[:-1], "verdict"], map(_escaped, rows)), _notes(rows))
        for part, rows in _parts(run)
    ]
    machine = _markdown(["", "what it ran on"], run.machine.items())
    profile = _markdown(["package", "share"], _shares(run, MIN_SHARE)) if run.profile else ""
    context = {"run": run, "parts": parts, "machine": machine, "profile": profile, "key": KEY}
    return render_to_string("bench/performance.md", context)


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(markdown_table(head, rows))


def _escaped(row: Row) -> list[str]:
    name, *others = cells(row)
    return [name.replace(" *", " \\*"), *others]


def _notes(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(f"{row.name}: {row.note}" for row in rows if row.note))


def as_page(run: Run) -> str:
    """Render a self-contained HTML page, in the style of the other reports."""
    numbers = (len(run.held), len(run.failed), len(run.rows))
    names = ("Targets that hold", "Targets missed", "Figures")
    context = {
        "run": run,
        "verdict": run.verdict,
        "is_clean": run.holds,
        "cards": [(name, str(number), "") for name, number in zip(names, numbers, strict=True)],
        "tables": [
            HTMLTable(part.capitalize(), HEAD, list(map(_noted, rows)))
            for part, rows in _parts(run)
        ],
        "charts": [
            (row.name, row.unit, _chart(row))
            for row in run.rows
            if row.value is not None and (row.floor or row.before)
        ],
        "key": KEY,
        "profile": _shares(run, 0),
    }
    return render_to_string("bench/report.html", context)


def _noted(row: Row) -> list[str]:
    name, *others = cells(row)
    return [format_html("{} <small>({})</small>", name, row.note) if row.note else name, *others]


def _chart(row: Row) -> SafeString:
    """Draw bars of our value, the floor's and "before"."""
    sides = (("ours", row.value), ("floor", row.floor_value), ("before", row.before_value))
    drawn = [
        (label, max(0, round(value * FINE)), figure_text(value, row.unit))
        for label, value in sides
        if value is not None
    ]
    return bars(drawn, row.name)


def cells(row: Row) -> list[str]:
    """Return the table cells of a row, in the order of ``HEAD``."""
    return [
        f"{row.name}{' *' if row.criterion else ''}",
        figure_text(row.value, row.unit),
        figure_text(row.floor_value) if row.floor else "",
        figure_text(row.before_value) if row.before else "",
        ("–" if row.ratio is None else f"{row.ratio:.2f}") if row.floor else "",
        "" if row.noise is None else f"±{row.noise / 2:.0%}",
        row.target,
        f"not judged: {row.unjudged}" if row.target and row.unjudged else MARKS[row.verdict],
    ]


def figure_text(value: float | None, unit: str = "") -> str:
    """Format with three significant digits: ``1 234``, ``12.3``, ``0.045 ms``; ``–`` for None."""
    if value is None:
        return "–"
    size = abs(value)
    digits = 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2
    if 0 < size < 0.1:
        digits = 3
    return f"{value:,.{digits}f}".replace(",", "\u202f") + (f" {unit}" if unit else "")


def _parts(run: Run) -> Iterator[tuple[str, Sequence[Row]]]:
    """Yield the rows of each part, in the order of measurement."""
    for part in dict.fromkeys(row.part for row in run.rows):
        yield part, [row for row in run.rows if row.part == part]


def _shares(run: Run, least: float) -> list[tuple[str, str]]:
    return [(place, f"{share:.1%}") for place, share in run.profile.items() if share >= least]
