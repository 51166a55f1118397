from __future__ import annotations

import asyncio
import json
import smtplib
import sys
from argparse import ArgumentParser
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import DatabaseError

from chat.conversations.store.failover.left_file import left_files, left_folder
from chat.conversations.store.maintenance import Fates, Orphan
from chat.conversations.store.redis.store import RedisStore
from chat.core.clock import now
from chat.core.errors import StoreUnavailable
from chat.core.reporting.french import moment
from chat.management.console import Exit, OperatorCommand, cannot, leave_with, progress
from chat.management.durations import moment_of
from chat.management.files import write_whole
from chat.management.open_redis_store import open_redis_store
from chat.management.workers import storage_of
from chat.ops.leftovers import Leftovers, find_leftovers, references, remove_found
from chat.ops.reports.gather import gather, repaired
from chat.ops.reports.page import as_page
from chat.ops.reports.queries import last_made_at, past_reports
from chat.ops.reports.report import Past, Report, verdict
from chat.ops.reports.services import keep
from chat.ops.reports.text import as_csv, as_text
from chat.shop.photos.quota import Space, space
from meuble_project import parsers

#: When no report was made before.
FIRST_SINCE = timedelta(hours=24)


class Command(OperatorCommand):
    help = (
        "Say what the conversations' store holds: active, expired since the last report, left "
        "behind, how large. Changes nothing without --apply, and may be run at any time. "
        "Exit code: 0 nothing is left behind (any more), 1 something is, 2 it could not look, "
        "130 interrupted."
    )
    interrupted = "Interrompu. Rien n'est resté à moitié : relancer la commande pour finir."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since",
            metavar="WHEN",
            help="count what expired since then: 24h, 7d or an ISO date (default: last report)",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")
        parser.add_argument("--csv", type=Path, metavar="FILE", help="also write a table")
        parser.add_argument(
            "--html", type=Path, metavar="FILE", help="also write a page to show and to print"
        )
        parser.add_argument(
            "--apply", action="store_true", help="remove what is left behind, without asking"
        )
        parser.add_argument(
            "--email", action="store_true", help="send the report and its page to ADMINS"
        )
        parser.add_argument(
            "--no-save", action="store_true", help="do not keep it for the admin's history"
        )
        parser.add_argument(
            "--worker",
            action="append",
            default=[],
            metavar="URL",
            help="also ask this worker for copies in its memory, e.g. http://web:8000; repeatable",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        workers = _checked(options)
        try:
            since = _since(options["since"])
            past = past_reports()
        except DatabaseError as error:
            raise cannot("La base de données ne répond pas, ou attend « migrate ».") from error
        try:
            with open_redis_store() as store:
                report, fates = asyncio.run(_look(store, since, apply=options["apply"]))
            report = _with_leftovers(report, find_leftovers(fates, now()), apply=options["apply"])
        except DatabaseError as error:
            raise cannot("La base de données ne répond pas, ou attend « migrate ».") from error
        asked = {address: storage_of(address) for address in workers}
        left = tuple(path.name for path in left_files(left_folder()))
        report = replace(report, photos=_space(), workers=asked, left_files=left)
        if options["json"]:
            self.stdout.write(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
        else:
            self.stdout.write(as_text(report))
        self._hand_out(report, past, options)
        leave_with(Exit.FOUND if report.left else Exit.FINE)

    def _hand_out(self, report: Report, past: list[Past], options: dict[str, Any]) -> None:
        page = as_page(report, past, settings.ENV.shop_name)
        if options["csv"]:
            write_whole(options["csv"], as_csv(report))
        if options["html"]:
            write_whole(options["html"], page)
        if not options["no_save"]:
            try:
                keep(report)
            except DatabaseError as error:
                raise cannot("Le rapport n'a pas pu être gardé : la base a refusé.") from error
        if options["email"]:
            _send(report, page)
            self.stderr.write(f"Envoyé à {', '.join(settings.ENV.admins)}.")


def _checked(options: dict[str, Any]) -> list[str]:
    """Refuse before anything is done what cannot be done; return the workers' addresses."""
    if settings.ENV.redis_url.startswith("memory://"):
        raise cannot(
            "REDIS_URL=memory:// : les conversations sont dans la mémoire de leur serveur. "
            "Il n'y a rien à regarder depuis un autre processus."
        )
    if options["email"] and not settings.ENV.admins:
        raise cannot("--email : la variable ADMINS est vide, personne ne recevrait le rapport.")
    try:
        return [parsers.http_url(address) for address in options["worker"]]
    except ValueError as error:
        raise cannot("--worker : une adresse comme http://web:8000 est attendue.") from error


def _since(text: str | None) -> datetime:
    moment_now = now()
    if text is None:
        return last_made_at() or moment_now - FIRST_SINCE
    try:
        return moment_of(text, moment_now)
    except ValueError as error:
        raise cannot(f"--since : {error}.") from error


async def _look(store: RedisStore, since: datetime, *, apply: bool) -> tuple[Report, Fates]:
    with progress("Lecture", "clés") as tell:
        report, scan = await gather(store, since, tell)
    fates = await store.fates(await database_sync_to_async(references)())
    if not apply or not report.orphaned:
        return report, fates
    try:
        with progress("Nettoyage", "restes") as tell:
            return await repaired(store, report, scan, tell), fates
    except StoreUnavailable as error:
        raise cannot(
            "Redis a cessé de répondre pendant le nettoyage : relancer la commande pour finir."
        ) from error


def _with_leftovers(report: Report, found: Leftovers, *, apply: bool) -> Report:
    """Add what is left in SQL and on disk, removed if ``apply``."""
    counts = {
        Orphan.CONTACTS: len(found.contacts),
        Orphan.PHOTOS: len(found.photos) + len(found.of_no_ticket),
        Orphan.FILES: found.files,
    }
    report = replace(report, orphans={**report.orphans, **counts})
    if not apply or not any(counts.values()):
        return report
    if resisting := remove_found(found):
        raise cannot(f"MEDIA_DIR : {resisting} fichier(s) résistent ; voir les droits du dossier.")
    return replace(report, applied=True, removed={**report.removed, **counts})


def _space() -> Space | None:
    """Return what photos take; None when the database or the folder does not say."""
    try:
        return space()
    except (DatabaseError, OSError):
        return None


def _send(report: Report, page: str) -> None:
    """Send it as text, with the page beside it: mail readers do not show drawings.

    Raises:
        CommandError:
    """
    message = EmailMessage(
        subject=f"{settings.EMAIL_SUBJECT_PREFIX}{verdict(report)}",
        body=as_text(report),
        to=settings.ENV.admins,
        # Where e-mails are only shown: not among what a script reads.
        connection=get_connection(stream=sys.stderr),
    )
    message.attach(f"rapport-{report.made_at:%Y-%m-%d}.html", page, "text/html")
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        when = moment(report.made_at)
        raise cannot(f"Le rapport du {when} n'a pas pu être envoyé : {error}") from error
