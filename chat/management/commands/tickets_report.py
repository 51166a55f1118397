from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseFailure

from chat.core import clock
from chat.management.console import Exit, OperatorCommand, cannot, leave_with
from chat.management.durations import moment_of
from chat.management.files import write_whole
from chat.management.ticket_text import as_csv, as_page, as_text
from chat.shop.tickets.statistics import ticket_statistics

DEFAULT_SINCE = timedelta(days=30)


class Command(OperatorCommand):
    help = (
        "Say how the after-sales service does: tickets opened and closed, first answers in time, "
        "late and at risk now. Changes nothing, and holds no word of a customer. "
        "Exit code: 0 no first answer is late, 1 some are, 2 it could not look."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since",
            metavar="WHEN",
            help="the period: since 24h, 7d or an ISO date (default: 30 days)",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")
        parser.add_argument("--csv", type=Path, metavar="FILE", help="also write a table")
        parser.add_argument(
            "--html", type=Path, metavar="FILE", help="also write a page to show and to print"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        since = _since(options["since"], now)
        try:
            report = ticket_statistics(since, now)
        except DatabaseFailure as error:
            raise cannot("La base de données ne répond pas, ou attend « migrate ».") from error
        if options["json"]:
            self.stdout.write(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
        else:
            self.stdout.write(as_text(report))
        if options["csv"]:
            write_whole(options["csv"], as_csv(report))
        if options["html"]:
            write_whole(options["html"], as_page(report, settings.ENV.shop_name))
        leave_with(Exit.FOUND if report.late else Exit.FINE)


def _since(text: str | None, now: datetime) -> datetime:
    if text is None:
        return now - DEFAULT_SINCE
    try:
        return moment_of(text, now)
    except ValueError as error:
        raise cannot(f"--since : {error}.") from error
    except OverflowError as error:
        raise cannot("--since : ce moment est trop ancien.") from error
