from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from chat.management.ticket_text import as_csv, as_page, as_text, verdict
from chat.shop.tickets.models import Ticket
from chat.shop.tickets.open_hours import open_time
from chat.shop.tickets.statistics import TicketStatistics, ticket_statistics
from tests.management.conftest import manage
from tests.ops.stats.test_flush import database_away
from tests.shop.tickets.builders import DANGER, opened

pytestmark = pytest.mark.django_db

NOW = timezone.now()
DAY = timedelta(days=1)


def made(opened_ago: timedelta, **fields: Any) -> Ticket:
    """A ticket opened so long ago, with these fields."""
    ticket = opened(**fields.pop("form", {}))
    base = {"opened_at": NOW - opened_ago, "first_answer_due_at": NOW + DAY}
    base["first_answer_risk_at"] = NOW + DAY / 2
    Ticket.objects.filter(pk=ticket.pk).update(**{**base, **fields})
    ticket.refresh_from_db()
    return ticket


def some() -> TicketStatistics:
    made(2 * DAY, first_answered_at=NOW - DAY, first_answer_due_at=NOW, state="waiting")
    made(2 * DAY, first_answered_at=NOW - DAY, first_answer_due_at=NOW - 1.5 * DAY)
    made(DAY, first_answer_due_at=NOW - timedelta(hours=1))
    made(DAY, first_answer_risk_at=NOW - timedelta(hours=1), form={"words": DANGER})
    made(DAY, state="closed", closed_at=NOW, first_answer_due_at=NOW - DAY / 2)
    made(60 * DAY, first_answer_due_at=NOW - 50 * DAY)
    made(60 * DAY, state="closed", closed_at=NOW - 40 * DAY)
    return ticket_statistics(NOW - 30 * DAY, NOW + timedelta(seconds=1))


def test_figures_count_the_period_and_what_waits_now():
    found = some()

    assert (found.opened, found.closed, found.to_do) == (5, 1, 5)
    assert (found.late, found.at_risk) == (2, 1)
    assert (found.answered, found.in_time, found.missed) == (2, 1, 2)
    assert found.in_time_percent == 33
    assert sum(found.by_priority.values()) == sum(found.by_problem.values()) == 5
    assert found.by_priority["P0"] == 1
    assert found.by_state["closed"] == 1
    assert sum(count for _, count in found.days) == 5
    assert len(found.days) == 31
    assert found.median_s == open_time(NOW - 2 * DAY, NOW - DAY).total_seconds()


def test_a_shop_without_tickets_has_no_percentage():
    found = ticket_statistics(NOW - DAY, NOW)

    assert (found.in_time_percent, found.median_s, found.opened) == (None, None, 0)
    assert "–" in as_text(found)
    assert "Aucune première réponse" in as_page(found, "Meuble de France")
    of_one_day = as_page(ticket_statistics(NOW, NOW), "Meuble de France")
    assert of_one_day.count('<svg class="chart"') == 3


@pytest.mark.parametrize(
    "late, at_risk, told",
    [
        (2, 1, "2 tickets attendent une première réponse qui est en retard."),
        (1, 0, "1 ticket attend une première réponse qui est en retard."),
        (0, 1, "Aucun retard ; 1 ticket est à moins d'un quart du délai."),
        (0, 0, "Aucune première réponse n'est en retard."),
    ],
)
def test_verdict_says_the_worst_first(late, at_risk, told):
    class Waiting:
        def __init__(self) -> None:
            self.late, self.at_risk = late, at_risk

    assert verdict(Waiting()) == told


def test_no_report_holds_a_customers_word():
    found = some()
    page = as_page(found, "Meubles <i>")

    for text in (as_text(found), as_csv(found), page, json.dumps(found.to_json())):
        for word in ("camille", "Martin", "OSLO", "effondr", "SAV-"):
            assert word not in text
    assert "Meubles &lt;i&gt;" in page
    assert re.findall(r"(?:src|href|action)=|url\(|@import|<script|<link|<img", page) == []
    assert page.count('<svg class="chart"') == 4


def test_table_is_flat():
    rows = list(csv.DictReader(io.StringIO(as_csv(some()))))
    values = {(row["section"], row["name"]): row["value"] for row in rows}

    assert values["report", "late"] == "2"
    assert values["by_priority", "P0"] == "1"
    assert values["report", "in_time_percent"] == "33"
    assert len([row for row in rows if row["section"] == "opened_on"]) == 31


def run(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("tickets_report", *arguments, stdout=out)
    except SystemExit as left:
        return int(left.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_command_prints_writes_and_tells_by_its_code(tmp_path: Path):
    table, page = tmp_path / "t.csv", tmp_path / "t.html"
    assert run("--json")[0] == 0
    some()
    code, out = run("--json", "--csv", str(table), "--html", str(page))

    assert code == 1
    assert json.loads(out)["late"] == 2
    assert table.read_text().startswith("section,name,value")
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert "En retard" in run()[1]
    assert json.loads(run("--json", "--since", "1h")[1])["opened"] == 0


@pytest.mark.parametrize("since", ["hier", "2999-01-01", "-3d", "999999d"])
def test_a_moment_that_is_none_is_refused(since):
    with pytest.raises(CommandError) as refused:
        call_command("tickets_report", f"--since={since}")
    assert refused.value.returncode == 2


def test_database_that_is_away_is_said():
    with database_away(), pytest.raises(CommandError, match="base de données") as refused:
        call_command("tickets_report")
    assert refused.value.returncode == 2


def test_command_runs_as_a_process(database_url):
    ran = manage("tickets_report", "--json", DATABASE_URL=database_url)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["opened"] == 0
