"""A report as one self-contained HTML page, for whoever decides. Pure.

No script, no font, no picture from elsewhere: it opens from a disk or an e-mail, and prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from chat.conversations.store.adviser_store import ConversationState, Row
from chat.core.reporting.charts import bars, history
from chat.core.reporting.french import full_moment, lasting, moment, number, plural, size
from chat.core.reporting.tables import HTMLTable
from chat.ops.reports.report import (
    KINDS,
    Past,
    Report,
    photo_figures,
    quiet_label,
    size_label,
    verdict,
    worker_lines,
)

STATES = {
    ConversationState.ASKED: "attend un conseiller",
    ConversationState.HELD: "avec un conseiller",
    ConversationState.ANSWERING: "l'assistant répond",
    ConversationState.INTERRUPTED: "interrompue",
    ConversationState.IDLE: "en attente du client",
}


def as_page(report: Report, past: Sequence[Past], shop_name: str) -> str:
    """``past``: earlier reports, oldest first; this one is added to the charts."""
    points = [*past, Past(report.made_at, report.active, report.orphaned, report.bytes)]
    context = {
        "shop_name": shop_name,
        "made_at": full_moment(report.made_at),
        "since": full_moment(report.since),
        "verdict": verdict(report),
        "is_clean": not report.left,
        "cards": cards(report, past[-1] if past else None),
        "charts": [*evolution(points), *distributions(report)],
        "tables": [
            _conversations("Les plus grosses", report.biggest, report.made_at),
            _conversations("Les plus anciennes", report.oldest, report.made_at),
        ],
        "orphans": _orphans(report),
        "workers": worker_lines(report) if report.workers else [],
    }
    return render_to_string("reports/report.html", context)


def cards(report: Report, before: Past | None) -> list[tuple[str, str, str]]:
    """Return the key figures: name, value, and what to know of it."""
    oldest = report.oldest[0] if report.oldest else None
    age = lasting((report.made_at - oldest.began_at).total_seconds()) if oldest else "–"
    mean = size(report.bytes // max(1, report.active + report.ended))
    removed = plural(report.removed_count, "retiré", "retirés")
    return [
        (
            "Actives",
            number(report.active),
            change(report.active, before.active if before else None),
        ),
        ("Terminées", number(report.ended), "lisibles jusqu'à leur expiration"),
        ("Expirées", number(report.expired), f"depuis le {moment(report.since)}"),
        ("Restes orphelins", number(report.orphaned), removed if report.orphaned else "aucun"),
        ("Taille", size(report.bytes), f"{mean} en moyenne"),
        ("La plus ancienne", age, "depuis son premier message"),
        *((name, value, "") for name, value in photo_figures(report)),
        *_set_aside(report.unreadable),
        *_left(report.left_files),
    ]


def _set_aside(refs: Sequence[str]) -> list[tuple[str, str, str]]:
    if not refs:
        return []
    return [("Illisibles", number(len(refs)), f"mises de côté : {', '.join(refs[:5])}")]


def _left(names: Sequence[str]) -> list[tuple[str, str, str]]:
    if not names:
        return []
    return [("Fichiers laissés", number(len(names)), f"conversations : {', '.join(names[:5])}")]


def change(value: int, before: int | None) -> str:
    """``+12 depuis le dernier rapport``."""
    if before is None:
        return "premier rapport"
    difference = value - before
    if not difference:
        return "comme au dernier rapport"
    sign = "+" if difference > 0 else "−"
    return f"{sign}{number(abs(difference))} depuis le dernier rapport"


def evolution(points: Sequence[Past]) -> list[tuple[str, str, SafeString]]:
    """Return charts over all reports: title, what it tells, and the drawing."""
    drawn = [
        ("Conversations actives", [(one.made_at, one.active) for one in points]),
        ("Restes orphelins", [(one.made_at, one.orphaned) for one in points]),
    ]
    told = plural(len(points), "rapport", "rapports")
    return [(title, f"au fil de {told}", history(line, title)) for title, line in drawn]


def distributions(report: Report) -> list[tuple[str, str, SafeString]]:
    quiet = [(quiet_label(one), one.count, number(one.count)) for one in report.quiet]
    sizes = [(size_label(one), one.count, number(one.count)) for one in report.sizes]
    newest = f"sur les {number(report.sampled)} plus récentes"
    return [
        ("Depuis le dernier mot", "conversations actives", bars(quiet, "Depuis le dernier mot")),
        ("Taille d'une conversation", newest, bars(sizes, "Taille d'une conversation")),
    ]


def _orphans(report: Report) -> HTMLTable:
    rows = [
        (capfirst(KINDS[kind]), number(found), number(report.removed.get(kind, 0)))
        for kind, found in report.orphans.items()
        if found
    ]
    return HTMLTable("Restes orphelins", ("Ce qui reste", "Trouvés", "Retirés"), rows)


def _conversations(title: str, rows: Sequence[Row], now: datetime) -> HTMLTable:
    head = ("Référence", "Âge", "Dernier mot", "Messages", "Taille", "État")
    cells = [
        (
            format_html("<code>{}</code>", row.ref),
            lasting((now - row.began_at).total_seconds()),
            f"il y a {lasting((now - row.last_at).total_seconds())}",
            number(row.messages),
            size(row.bytes),
            STATES[row.state],
        )
        for row in rows
    ]
    return HTMLTable(title, head, cells, text_columns={5})
