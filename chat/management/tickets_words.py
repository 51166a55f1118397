"""The figures of tickets for a terminal, a spreadsheet and a page. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from chat.reports.charts import bars, history
from chat.reports.phrases import HARD, full_moment, lasting, moment, number, plural
from chat.reports.text import table
from chat.shop import PARIS
from chat.tickets.export import csv_of
from chat.tickets.figures import Figures
from chat.tickets.priority import MEANINGS, PROBLEM_POINTS
from chat.tickets.states import LABELS

Rows = list[tuple[str, int]]


def verdict(figures: Figures) -> str:
    """``"2 tickets en retard d'une première réponse."``"""
    if figures.late:
        told = plural(figures.late, "ticket attend", "tickets attendent")
        return f"{told} une première réponse qui est en retard."
    if figures.at_risk:
        told = plural(figures.at_risk, "ticket est", "tickets sont")
        return f"Aucun retard ; {told} à moins d'un quart du délai."
    return "Aucune première réponse n'est en retard."


def key_figures(figures: Figures) -> list[tuple[str, str, str]]:
    """Return name, value, and what to know of it."""
    percent = figures.in_time_percent
    decided = figures.in_time + figures.missed
    late, risk = number(figures.late), number(figures.at_risk)
    median = "–" if figures.median_s is None else lasting(figures.median_s)
    return [
        ("Ouverts", number(figures.opened), f"depuis le {moment(figures.since)}"),
        ("Clos", number(figures.closed), f"depuis le {moment(figures.since)}"),
        ("À traiter", number(figures.to_do), "en ce moment"),
        ("En retard", late, f"sans première réponse ; à risque : {risk}"),
        (
            "Répondus à temps",
            "–" if percent is None else f"{percent}{HARD}%",
            f"{number(figures.in_time)} sur {number(decided)}",
        ),
        ("Première réponse, médiane", median, "heures d'ouverture du magasin"),
    ]


def spreads(figures: Figures) -> list[tuple[str, Rows]]:
    """Return how those opened in the period are spread, table by table."""
    return [
        ("Par priorité", [(str(one), count) for one, count in figures.by_priority.items()]),
        ("Par état", [(LABELS[one], count) for one, count in figures.by_state.items()]),
        (
            "Par problème",
            [(PROBLEM_POINTS[one][0], count) for one, count in figures.by_problem.items()],
        ),
    ]


def as_text(figures: Figures) -> str:
    return "\n".join(_lines(figures)) + "\n"


def _lines(figures: Figures) -> Iterator[str]:
    yield f"Tickets, rapport du {moment(figures.made_at)}"
    yield verdict(figures)
    yield ""
    figured = [(name, value) for name, value, _ in key_figures(figures)]
    yield from table([], [*figured, ("À risque", number(figures.at_risk))])
    for title, rows in spreads(figures):
        yield ""
        yield from table([title, ""], [(label, number(count)) for label, count in rows])


def as_csv(figures: Figures) -> str:
    """``section,name,value``: one flat table that any spreadsheet reads."""
    rows: list[Sequence[object]] = []
    for name, value in figures.to_json().items():
        if isinstance(value, dict):
            rows += [(name, key, count) for key, count in value.items()]
        else:
            rows.append(("report", name, value))
    rows += [("opened_on", day.isoformat(), count) for day, count in figures.days]
    return csv_of(("section", "name", "value"), rows)


def as_page(figures: Figures, shop_name: str) -> str:
    """One self-contained HTML page, to show and to print."""
    context = {
        "shop_name": shop_name,
        "made_at": full_moment(figures.made_at),
        "since": full_moment(figures.since),
        "verdict": verdict(figures),
        "is_clean": not figures.late,
        "cards": key_figures(figures),
        # One day makes no line.
        "charts": [*([_evolution(figures)] if figures.days[1:] else []), *_distributions(figures)],
        "meanings": [(one.value, meaning) for one, meaning in MEANINGS.items()],
    }
    return render_to_string("tickets/report.html", context)


def _evolution(figures: Figures) -> tuple[str, str, SafeString]:
    points = [(datetime.combine(day, time(12), PARIS), count) for day, count in figures.days]
    title = "Tickets ouverts par jour"
    return title, f"sur {plural(len(points), 'jour', 'jours')}", history(points, title)


def _distributions(figures: Figures) -> list[tuple[str, str, SafeString]]:
    return [
        (title, "ouverts dans la période", bars(_shown(rows), title))
        for title, rows in spreads(figures)
    ]


def _shown(rows: Rows) -> list[tuple[str, int, str]]:
    return [(label, count, number(count)) for label, count in rows]
