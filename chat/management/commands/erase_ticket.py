from __future__ import annotations

import asyncio
import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import Error as DatabaseFailure

from chat.conversations.store.protocol import ANY_OWNER
from chat.core.clock import now
from chat.core.errors import SessionNotFound
from chat.core.ids import isoformat
from chat.core.reporting.french import full_moment
from chat.management.console import Exit, OperatorCommand, cannot
from chat.management.conversations import Operator
from chat.management.open_redis_store import open_redis_store
from chat.ops.customer_erasure import Holdings, erase_customer, holdings_of
from chat.ops.ending import erase_session
from chat.shop.tickets.erasure import Extent, erase_tickets, extent_of
from chat.shop.tickets.models import Ticket


class Command(OperatorCommand):
    help = (
        "Erase tickets for good, with their photos, e-mails and notes, and give a receipt. With "
        "--email: everything of one customer, callback requests and conversations that still live "
        "as well. What is done is written in the admin's log, without the address. Exit code: "
        "0 done, 2 it could not, 3 there is nothing, 130 interrupted."
    )
    interrupted = "Interrompu : relancer la commande pour finir."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("numbers", nargs="*", metavar="SAV-…", help="tickets, by number")
        parser.add_argument("--email", help="erase all that this address left")
        parser.add_argument(
            "--as",
            dest="username",
            metavar="USERNAME",
            help="who does it, for the admin's log; by default the only administrator",
        )
        parser.add_argument("--yes", action="store_true", help="do not ask to confirm")
        parser.add_argument("--dry-run", action="store_true", help="say it, erase nothing")
        parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["numbers"]) == bool(options["email"]):
            raise cannot("Donner des numéros de tickets, ou --email ADRESSE.")
        try:
            operator = Operator.named(options["username"], "delete_ticket")
            if options["email"]:
                self._erase_customer(options["email"].strip(), operator, options)
            else:
                self._erase_tickets(options["numbers"], operator, options)
        except DatabaseFailure as error:
            raise cannot(
                "La base de données ne répond pas, ou attend « migrate » : rien n'a été effacé."
            ) from error

    def _erase_tickets(
        self, numbers: Sequence[str], operator: Operator, options: dict[str, Any]
    ) -> None:
        tickets = list(Ticket.objects.filter(number__in=[number.upper() for number in numbers]))
        if len(tickets) < len(set(numbers)):
            raise _nothing("Un de ces tickets n'existe pas : rien n'a été effacé.")
        extent = extent_of(tickets)
        if not options["dry_run"]:
            self._confirm(_in_words(extent), yes=options["yes"])
            extent = erase_tickets([ticket.pk for ticket in tickets], user_id=operator.user_id)
        self._tell(operator, options, _as_json(extent), _in_words(extent))

    def _erase_customer(self, email: str, operator: Operator, options: dict[str, Any]) -> None:
        held = holdings_of(email)
        if held.is_empty:
            raise _nothing("Rien n'est gardé de cette adresse.")
        conversations = 0
        if not options["dry_run"]:
            self._confirm(_all_in_words(held), yes=options["yes"])
            conversations = _erase_conversations(held.session_refs)
            held = erase_customer(email, user_id=operator.user_id)
        told = {
            **_as_json(held.tickets),
            "contacts": held.contacts,
            "loose_photos": held.loose_photos,
            "conversations": conversations,
        }
        words = f"{_all_in_words(held)}, {conversations} conversation(s) en cours"
        self._tell(operator, options, told, words)
        if not options["dry_run"] and settings.ENV.redis_url.startswith("memory://"):
            self.stderr.write("REDIS_URL=memory:// : une conversation en cours n'est pas touchée.")

    def _tell(
        self, operator: Operator, options: dict[str, Any], told: dict[str, Any], words: str
    ) -> None:
        erased_at = now()
        if options["json"]:
            receipt = {"erased": not options["dry_run"], "at": isoformat(erased_at)}
            self.stdout.write(json.dumps({**receipt, "by": operator.name, **told}, indent=2))
            return
        if options["dry_run"]:
            self.stdout.write(f"À blanc : {words}.")
            return
        self.stdout.write("Reçu d'effacement")
        self.stdout.write(f"Effacé      {words}")
        self.stdout.write(f"Le          {full_moment(erased_at)}")
        self.stdout.write(f"Par         {operator.name}")
        self.stdout.write("Les commandes importées et les sauvegardes ne sont pas touchées.")

    def _confirm(self, words: str, *, yes: bool) -> None:
        if yes:
            return
        if not sys.stdin.isatty():
            raise cannot("Sans terminal pour confirmer, --yes est nécessaire. Rien n'a été fait.")
        question = f"Effacer définitivement : {words} ? [oui/non] "
        print(question, end="", file=sys.stderr, flush=True)  # noqa: T201 - asked, not told
        if sys.stdin.readline().strip().lower() not in ("o", "oui", "y", "yes"):
            raise cannot("Rien n'a été fait.")


def _erase_conversations(refs: Sequence[str]) -> int:
    """Erase those that still live; return how many did.

    Raises:
        StoreUnavailable: nobody knows which do.
    """
    if settings.ENV.redis_url.startswith("memory://"):
        return 0
    with open_redis_store() as store:

        async def erase_living() -> int:
            count = 0
            for ref in refs:
                try:
                    await erase_session(await store.find(ref), ANY_OWNER)
                except SessionNotFound:
                    continue
                count += 1
            return count

        return asyncio.run(erase_living())


def _as_json(extent: Extent) -> dict[str, Any]:
    return {
        "tickets": list(extent.numbers),
        "entries": extent.entries,
        "mails": extent.mails,
        "photos": extent.photos,
    }


def _in_words(extent: Extent) -> str:
    tickets = ", ".join(extent.numbers) or "aucun ticket"
    still_open = f" (encore ouvert : {', '.join(extent.open_numbers)})"
    return (
        f"{tickets}{still_open if extent.open_numbers else ''}, {extent.entries} échange(s) et "
        f"note(s), {extent.photos} photo(s), {extent.mails} e-mail(s)"
    )


def _all_in_words(held: Holdings) -> str:
    loose = f", {held.loose_photos} photo(s) sans ticket" if held.loose_photos else ""
    return f"{_in_words(held.tickets)}, {held.contacts} demande(s) de rappel{loose}"


def _nothing(message: str) -> CommandError:
    return CommandError(message, returncode=Exit.NOT_FOUND)
