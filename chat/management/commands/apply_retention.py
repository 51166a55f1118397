from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.db import Error as DatabaseFailure

from chat.core import clock
from chat.management.console import OperatorCommand, cannot
from chat.ops.retention import AT_ONCE, Overdue, Periods, erase_overdue, overdue


class Command(OperatorCommand):
    help = (
        "Erase tickets, callback requests and e-mails that were kept for longer than "
        "TICKETS_RETENTION_DAYS, CONTACTS_RETENTION_DAYS and MAILS_RETENTION_DAYS say. Open "
        "tickets are never erased. Workers do the same by themselves; may be run at any time."
    )
    interrupted = "Interrompu : relancer la commande pour finir."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say it, erase nothing")
        parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        now, periods = clock.now(), Periods.configured()
        try:
            found = overdue(now, periods)
            if not options["dry_run"]:
                found = _erased(periods)
        except DatabaseFailure as error:
            raise cannot("La base de données ne répond pas, ou attend « migrate ».") from error
        if options["json"]:
            told = {"erased": not options["dry_run"], **asdict(found), "days": asdict(periods)}
            self.stdout.write(json.dumps(told, indent=2))
            return
        done = "À blanc" if options["dry_run"] else "Effacé"
        self.stdout.write(
            f"{done} : {found.tickets} ticket(s) clos, {found.contacts} demande(s) de rappel, "
            f"{found.mails} e-mail(s)."
        )


def _erased(periods: Periods) -> Overdue:
    """Erase in steps until nothing is overdue."""
    now, total = clock.now(), Overdue(0, 0, 0)
    while (some := erase_overdue(now, periods)).count:
        total = Overdue(
            total.tickets + some.tickets,
            total.contacts + some.contacts,
            total.mails + some.mails,
        )
        if max(some.tickets, some.contacts, some.mails) < AT_ONCE:
            break
    return total
