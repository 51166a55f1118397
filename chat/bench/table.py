"""A run for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from chat.bench.rows import Row, Run, verdict_words
from chat.bench.targets import Verdict
from chat.reports.text import table

MARKS = {Verdict.HOLDS: "holds", Verdict.FAILS: "MISSED", Verdict.OPEN: ""}


def shown(value: float | None, unit: str = "") -> str:
    """Three digits that count: ``1 234``, ``12.3``, ``0.045 ms``; ``–`` for what is not there."""
    if value is None:
        return "–"
    size = abs(value)
    digits = 0 if size >= 100 or value == int(value) else 1 if size >= 10 else 2
    if 0 < size < 0.1:
        digits = 3
    return f"{value:,.{digits}f}".replace(",", "\u202f") + (f" {unit}" if unit else "")


def times(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def verdict_of(row: Row) -> str:
    """``holds``, ``MISSED``, or why it is not judged."""
    if row.target is not None and row.unjudged:
        return f"not judged: {row.unjudged}"
    return MARKS[row.verdict]


def cells(row: Row) -> list[str]:
    """What a table says of a row, in the order of ``HEAD``."""
    return [
        f"{row.name}{' *' if row.criterion else ''}",
        shown(row.value, row.unit),
        shown(row.floor_value) if row.floor else "",
        shown(row.before_value) if row.before else "",
        times(row.ratio) if row.floor else "",
        "" if row.noise is None else f"±{row.noise / 2:.0%}",
        row.target.words(row.unit) if row.target else "",
        verdict_of(row),
    ]


HEAD = ["", "ours", "floor", "before", "ratio", "noise", "target", ""]
KEY = (
    "ours/floor: medians of the rounds, measured in turns in this run. ratio: ours / floor. "
    "noise: half the spread between rounds. * a criterion of the requester's."
)


def parts_of(run: Run) -> Iterator[tuple[str, list[Row]]]:
    """Rows by their part, in the order in which they were measured."""
    for part in dict.fromkeys(row.part for row in run.rows):
        yield part, [row for row in run.rows if row.part == part]


def as_text(run: Run) -> str:
    return "\n".join(_lines(run)) + "\n"


def _lines(run: Run) -> Iterator[str]:
    yield f"Bench ({run.size}), {run.began_at}, {run.lasted_s:.0f} s"
    yield ", ".join(f"{name}: {value}" for name, value in run.machine.items())
    rows: list[list[str]] = []
    for part, found in parts_of(run):
        rows += [[part.upper(), *[""] * (len(HEAD) - 1)], *map(cells, found)]
    yield from table(HEAD, rows)
    yield ""
    yield KEY
    yield from run.remarks
    yield from (f"{part} could not be measured: {reason}" for part, reason in run.broken.items())
    if run.profile:
        yield ""
        yield from table(["a turn's CPU time", "share"], _shares(run))
    yield ""
    yield verdict_words(run)


def _shares(run: Run) -> list[list[str]]:
    return [[place, f"{share:.1%}"] for place, share in run.profile.items() if share >= 0.005]
