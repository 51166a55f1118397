"""The figures of tickets for a terminal, a spreadsheet and a page. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from chat.core.reporting.charts import bars, history
from chat.core.reporting.french import HARD, full_moment, lasting, moment, number, plural
from chat.core.reporting.tables import csv_table, text_table
from chat.shop.hours import PARIS
from chat.shop.tickets.priority import MEANINGS, PROBLEM_POINTS
from chat.shop.tickets.states import LABELS
from chat.shop.tickets.statistics import TicketStatistics

Rows = list[tuple[str, int]]


def verdict(statistics: TicketStatistics) -> str:
    """``"2 tickets en retard d'une première réponse."``"""
    if statistics.late:
        told = plural(statistics.late, "ticket attend", "tickets attendent")
        return f"{told} une première réponse qui est en retard."
    if statistics.at_risk:
        told = plural(statistics.at_risk, "ticket est", "tickets sont")
        return f"Aucun retard ; {told} à moins d'un quart du délai."
    return "Aucune première réponse n'est en retard."


def key_figures(statistics: TicketStatistics) -> list[tuple[str, str, str]]:
    """Return name, value, and what to know of it."""
    percent = statistics.in_time_percent
    decided = statistics.in_time + statistics.missed
    late, risk = number(statistics.late), number(statistics.at_risk)
    median = "–" if statistics.median_s is None else lasting(statistics.median_s)
    return [
        ("Ouverts", number(statistics.opened), f"depuis le {moment(statistics.since)}"),
        ("Clos", number(statistics.closed), f"depuis le {moment(statistics.since)}"),
        ("À traiter", number(statistics.to_do), "en ce moment"),
        ("En retard", late, f"sans première réponse ; à risque : {risk}"),
        (
            "Répondus à temps",
            "–" if percent is None else f"{percent}{HARD}%",
            f"{number(statistics.in_time)} sur {number(decided)}",
        ),
        ("Première réponse, médiane", median, "heures d'ouverture du magasin"),
    ]


def spreads(statistics: TicketStatistics) -> list[tuple[str, Rows]]:
    """Return how those opened in the period are spread, table by table."""
    return [
        ("Par priorité", [(str(one), count) for one, count in statistics.by_priority.items()]),
        ("Par état", [(LABELS[one], count) for one, count in statistics.by_state.items()]),
        (
            "Par problème",
            [(PROBLEM_POINTS[one][0], count) for one, count in statistics.by_problem.items()],
        ),
    ]


def as_text(statistics: TicketStatistics) -> str:
    return "\n".join(_lines(statistics)) + "\n"


def _lines(statistics: TicketStatistics) -> Iterator[str]:
    yield f"Tickets, rapport du {moment(statistics.made_at)}"
    yield verdict(statistics)
    yield ""
    figured = [(name, value) for name, value, _ in key_figures(statistics)]
    yield from text_table([], [*figured, ("À risque", number(statistics.at_risk))])
    for title, rows in spreads(statistics):
        yield ""
        yield from text_table([title, ""], [(label, number(count)) for label, count in rows])


def as_csv(statistics: TicketStatistics) -> str:
    """``section,name,value``: one flat table that any spreadsheet reads."""
    rows: list[Sequence[object]] = []
    for name, value in statistics.to_json().items():
        if isinstance(value, dict):
            rows += [(name, key, count) for key, count in value.items()]
        else:
            rows.append(("report", name, value))
    rows += [("opened_on", day.isoformat(), count) for day, count in statistics.days]
    return csv_table(("section", "name", "value"), rows)


def as_page(statistics: TicketStatistics, shop_name: str) -> str:
    """One self-contained HTML page, to show and to print."""
    context = {
        "shop_name": shop_name,
        "made_at": full_moment(statistics.made_at),
        "since": full_moment(statistics.since),
        "verdict": verdict(statistics),
        "is_clean": not statistics.late,
        "cards": key_figures(statistics),
        # One day makes no line.
        "charts": [
            *([_evolution(statistics)] if statistics.days[1:] else []),
            *_distributions(statistics),
        ],
        "meanings": [(one.value, meaning) for one, meaning in MEANINGS.items()],
    }
    return render_to_string("tickets/report.html", context)


def _evolution(statistics: TicketStatistics) -> tuple[str, str, SafeString]:
    points = [(datetime.combine(day, time(12), PARIS), count) for day, count in statistics.days]
    title = "Tickets ouverts par jour"
    return title, f"sur {plural(len(points), 'jour', 'jours')}", history(points, title)


def _distributions(statistics: TicketStatistics) -> list[tuple[str, str, SafeString]]:
    return [
        (title, "ouverts dans la période", bars(_formatted(rows), title))
        for title, rows in spreads(statistics)
    ]


def _formatted(rows: Rows) -> list[tuple[str, int, str]]:
    return [(label, count, number(count)) for label, count in rows]
