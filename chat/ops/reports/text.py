"""A report for a terminal, and for a spreadsheet. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from chat.conversations.store.adviser_store import Row
from chat.core.ids import isoformat
from chat.core.reporting.french import lasting, moment, number, size
from chat.core.reporting.tables import csv_table, text_table
from chat.ops.reports.report import (
    Bucket,
    Report,
    orphan_lines,
    photo_figures,
    quiet_label,
    size_label,
    verdict,
    worker_lines,
)

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
        *photo_figures(report),
    ]
    yield from text_table([], figures)
    yield ""
    if report.unreadable:
        yield f"Illisibles, mises de côté : {number(len(report.unreadable))}"
        yield from (f"  {ref}" for ref in report.unreadable)
        yield "Une version qui sait les lire les rend par : python manage.py sessions restore RÉF"
        yield ""
    if report.left_files:
        yield f"Conversations laissées dans un fichier : {number(len(report.left_files))}"
        yield from (f"  {name}" for name in report.left_files)
        yield "Un serveur les réunit et efface le fichier ; voir : python manage.py doctor"
        yield ""
    head = ["Orphelins", "trouvés", "retirés"]
    yield from text_table(head, [(n, number(f), number(r)) for n, f, r in orphan_lines(report)])
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
    yield from text_table([title, "", ""], rows)


def _conversations(title: str, rows: Sequence[Row], report: Report) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield from text_table(
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


def as_csv(report: Report) -> str:
    """``section,name,value,…``: one flat table that any spreadsheet reads."""
    values: list[Sequence[object]] = [
        ("report", name, value) for name, value in report.to_json().items() if name != "details"
    ]
    photos = asdict(report.photos) if report.photos else {}
    values += [("photos", name, value) for name, value in photos.items()]
    values.append(("report", "sampled", report.sampled))
    values += [("orphans", kind.value, found) for kind, found in report.orphans.items()]
    values += [("removed", kind.value, removed) for kind, removed in report.removed.items()]
    for section, buckets in (("quiet_s", report.quiet), ("size_bytes", report.sizes)):
        for bucket in buckets:
            high = "" if bucket.high is None else bucket.high
            values.append((section, f"{bucket.low}-{high}", bucket.count))
    rows = [(*value, "", "", "", "") for value in values]
    for section, listed in (("oldest", report.oldest), ("biggest", report.biggest)):
        for row in listed:
            times = (isoformat(row.began_at), isoformat(row.last_at))
            rows.append((section, row.ref, row.bytes, *times, row.messages, row.state.value))
    return csv_table(("section", "name", "value", "began_at", "last_at", "messages", "state"), rows)
