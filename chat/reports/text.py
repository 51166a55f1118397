"""A report for a terminal, and for a spreadsheet. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from chat.reports.phrases import lasting, moment, number, size
from chat.reports.report import (
    Bucket,
    Report,
    orphan_lines,
    quiet_label,
    size_label,
    verdict,
    worker_lines,
)
from chat.sessions.desk import Row
from chat.sessions.types import isoformat

BAR_CHARS = 24


def as_text(report: Report) -> str:
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"Rapport du {moment(report.made_at)}"
    yield verdict(report)
    yield ""
    figures = [
        ("Actives", number(report.active)),
        ("Terminées, lisibles", number(report.ended)),
        (f"Expirées depuis le {moment(report.since)}", number(report.expired)),
        ("Taille des conversations", size(report.bytes)),
        ("Restes orphelins", number(report.orphaned)),
    ]
    yield from table([], figures)
    yield ""
    head = ["Orphelins", "trouvés", "retirés"]
    yield from table(head, [(n, number(f), number(r)) for n, f, r in orphan_lines(report)])
    yield from _bars("Depuis le dernier mot", report.quiet, [*map(quiet_label, report.quiet)])
    title = f"Taille, sur les {number(report.sampled)} plus récentes"
    yield from _bars(title, report.sizes, [*map(size_label, report.sizes)])
    yield from _conversations("Les plus anciennes", report.oldest, report)
    yield from _conversations("Les plus grosses", report.biggest, report)
    yield ""
    yield from worker_lines(report)
    if report.left:
        yield ""
        yield "Pour retirer les restes : python manage.py cleanup_report --apply"


def _bars(title: str, buckets: Sequence[Bucket], labels: Sequence[str]) -> Iterator[str]:
    top = max((bucket.count for bucket in buckets), default=0)
    if not top:
        return
    yield ""
    rows = [
        (label, number(bucket.count), "█" * -(-bucket.count * BAR_CHARS // top))
        for label, bucket in zip(labels, buckets, strict=True)
    ]
    yield from table([title, "", ""], rows)


def _conversations(title: str, rows: Sequence[Row], report: Report) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield from table(
        [title, "âge", "dernier mot", "messages", "taille"],
        [
            (
                row.ref,
                lasting((report.made_at - row.began_at).total_seconds()),
                moment(row.last_at),
                number(row.messages),
                size(row.bytes),
            )
            for row in rows
        ],
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as what stands in them: the first to the left, bars too, the rest right."""
    lines = [head, *rows] if head else list(rows)
    if not lines:
        return
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        first, *others = (
            cell.ljust(width) if n == 0 or "█" in cell else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        yield "  ".join([first, *others]).rstrip()


def as_csv(report: Report) -> str:
    """``section,name,value,…``: one flat table that any spreadsheet reads."""
    buffer = io.StringIO()
    write = csv.writer(buffer, lineterminator="\n").writerow
    write(["section", "name", "value", "began_at", "last_at", "messages", "state"])
    for name, value in report.to_json().items():
        if name != "details":
            write(["report", name, value, "", "", "", ""])
    write(["report", "sampled", report.sampled, "", "", "", ""])
    for kind, found in report.orphans.items():
        write(["orphans", kind.value, found, "", "", "", ""])
    for kind, removed in report.removed.items():
        write(["removed", kind.value, removed, "", "", "", ""])
    for section, buckets in (("quiet_s", report.quiet), ("size_bytes", report.sizes)):
        for bucket in buckets:
            high = "" if bucket.high is None else bucket.high
            write([section, f"{bucket.low}-{high}", bucket.count, "", "", "", ""])
    for section, rows in (("oldest", report.oldest), ("biggest", report.biggest)):
        for row in rows:
            times = (isoformat(row.began_at), isoformat(row.last_at))
            write([section, row.ref, row.bytes, *times, row.messages, row.state.value])
    return buffer.getvalue()
