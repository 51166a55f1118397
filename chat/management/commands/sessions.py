from __future__ import annotations

import asyncio
import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.admin.models import DELETION
from django.core.management.base import CommandError

from chat.conversations.handover.export import export_of
from chat.conversations.handover.staff_notes import add_event
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.protocol import ANY_OWNER
from chat.core.clock import now
from chat.core.errors import SessionNotFound, SessionUnreadable
from chat.core.ids import isoformat, ref_of
from chat.core.json import JSON
from chat.core.reporting.french import full_moment, moment, plural
from chat.management.console import Exit, OperatorCommand, cannot
from chat.management.conversations import Found, Operator, find, set_aside_id
from chat.management.files import write_whole
from chat.management.listing import add_filters, listing_of, read_rows, row_json
from chat.management.open_redis_store import open_redis_store
from chat.management.transcript import listing, transcript
from chat.ops.ending import end_session, erase_session

#: Workers are told of an erasure for some seconds; an absent Redis is not waited for longer.
TOLD_S = 10.0


class Command(OperatorCommand):
    help = (
        "List, read, end, export or erase customers' conversations. A conversation is named by its "
        "reference (16 characters, as lists and reports show it) or by its whole id. What is done "
        "is written in the admin's log. Exit code: 0 done, 2 it could not, 3 no such "
        "conversation, 130 interrupted."
    )
    interrupted = "Interrompu. Une conversation est changée toute entière, ou pas du tout."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        add_filters(actions.add_parser("list", help="list those that go on"))
        for name, what in (
            ("show", "show what was said and noted"),
            ("end", "close it: it can still be read, nothing more is said"),
            ("export", "write it as JSON"),
            ("erase", "remove it for good, everywhere, and give a receipt"),
            ("restore", "put back one that was set aside because no release could read it"),
        ):
            one = actions.add_parser(name, help=what)
            one.add_argument("conversation", metavar="REF", help="its reference, or its whole id")
            one.add_argument(
                "--as",
                dest="username",
                metavar="USERNAME",
                help="who does it, for the admin's log; by default the only administrator",
            )
            if name == "restore":
                one.add_argument(
                    "--afresh",
                    action="store_true",
                    help="drop all but its words and notes: for one whose hash is damaged",
                )
            if name != "export":
                one.add_argument("--json", action="store_true", help="one JSON object")
            if name in ("end", "erase"):
                one.add_argument("--yes", action="store_true", help="do not ask to confirm")
            if name == "export":
                one.add_argument("--output", type=Path, metavar="FILE", help="default: print it")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.ENV.redis_url.startswith("memory://"):
            raise cannot(
                "REDIS_URL=memory:// : les conversations sont dans la mémoire de leur serveur, "
                "aucun autre processus ne les voit."
            )
        match options["action"]:
            case "list":
                self._list(options)
            case "show":
                self._show(options)
            case "export":
                self._export(options)
            case "end":
                self._end(options)
            case "erase":
                self._erase(options)
            case "restore":
                self._restore(options)

    def _list(self, options: dict[str, Any]) -> None:
        with open_redis_store() as store:
            page = asyncio.run(read_rows(store, listing_of(options), options["limit"]))
        if options["json"]:
            self._print({"total": page.total, "sessions": [row_json(row) for row in page.rows]})
        else:
            self.stdout.write(listing(page.rows, page.total, now()))

    def _show(self, options: dict[str, Any]) -> None:
        operator = Operator.named(options["username"], "view_chatsession")
        found = _found(options["conversation"])
        operator.write_down(found.ref, "Conversation consultée.")
        if options["json"]:
            self._print(export_of(found.session, found.staff_notes))
            return
        colour = self.stdout.isatty() and not options["no_color"]
        self.stdout.write(transcript(found.session, found.staff_notes, colour=colour))

    def _export(self, options: dict[str, Any]) -> None:
        operator = Operator.named(options["username"], "export_chatsession")
        found = _found(options["conversation"])
        operator.write_down(found.ref, "Exportée en JSON.")
        asyncio.run(
            add_event(
                found.session.id, f"{operator.shown} a exporté la conversation.", operator.shown
            )
        )
        exported = export_of(found.session, found.staff_notes)
        if options["output"] is None:
            self._print(exported)
            return
        text = json.dumps(exported, ensure_ascii=False, indent=2)
        write_whole(options["output"], f"{text}\n")
        self.stderr.write(f"Conversation {found.ref} écrite dans {options['output']}.")

    def _end(self, options: dict[str, Any]) -> None:
        operator = Operator.named(options["username"], "end_chatsession")
        found = _found(options["conversation"])
        if found.session.ended:
            what = "Elle était déjà terminée : rien n'a changé."
        else:
            self._confirm("Mettre fin à", found, yes=options["yes"])
            asyncio.run(_ended(found.session.id, operator.shown))
            operator.write_down(found.ref, "Fin de la conversation.")
            what = "Elle est terminée. Elle reste lisible jusqu'à son expiration."
        if options["json"]:
            self._print({"ref": found.ref, "ended": True, "changed": not found.session.ended})
        else:
            self.stdout.write(f"Conversation {found.ref}. {what}")

    def _erase(self, options: dict[str, Any]) -> None:
        operator = Operator.named(options["username"], "erase_chatsession")
        found = _found(options["conversation"])
        self._confirm("Effacer définitivement", found, yes=options["yes"])
        told = asyncio.run(_erased(found.session.id))
        operator.write_down(found.ref, "Conversation effacée.", DELETION)
        erased_at = now()
        if options["json"]:
            receipt = {"ref": found.ref, "erased_at": isoformat(erased_at), "by": operator.name}
            self._print({**receipt, "workers_told": told})
            return
        self.stdout.write("Reçu d'effacement")
        self.stdout.write(f"Référence   {found.ref}")
        self.stdout.write(f"Effacée     {full_moment(erased_at)}")
        self.stdout.write(f"Par         {operator.name}")
        if not told:
            self.stderr.write("Les serveurs n'ont pas tous été prévenus : Redis n'a pas répondu.")

    def _restore(self, options: dict[str, Any]) -> None:
        operator = Operator.named(options["username"], "end_chatsession")
        with open_redis_store() as store:
            session_id = asyncio.run(set_aside_id(store, options["conversation"]))
            try:
                restored = asyncio.run(store.restore(session_id, afresh=options["afresh"]))
            except SessionUnreadable as error:
                raise cannot("Cette version ne sait pas la lire : elle reste de côté.") from error
        if not restored:
            raise cannot("Elle a repris entre-temps, ou n'est plus là. Rien n'a changé.")
        ref = ref_of(session_id)
        operator.write_down(ref, "Conversation illisible remise en place.")
        if options["json"]:
            self._print({"ref": ref, "restored": True})
        else:
            self.stdout.write(f"Conversation {ref} remise en place.")

    def _confirm(self, what: str, found: Found, *, yes: bool) -> None:
        """Ask the operator at their terminal.

        Raises:
            CommandError: they do not want it, or nobody can be asked.
        """
        if yes:
            return
        if not sys.stdin.isatty():
            raise cannot("Sans terminal pour confirmer, --yes est nécessaire. Rien n'a été fait.")
        count = plural(len(found.session.messages), "message", "messages")
        began = moment(found.session.created_at)
        question = (
            f"{what} la conversation {found.ref} ({count}, commencée le {began}) ? [oui/non] "
        )
        print(question, end="", file=sys.stderr, flush=True)  # noqa: T201 - asked, not told
        if sys.stdin.readline().strip().lower() not in ("o", "oui", "y", "yes"):
            raise cannot("Rien n'a été fait.")

    def _print(self, data: JSON) -> None:
        self.stdout.write(json.dumps(data, ensure_ascii=False, indent=2))


def _found(name: str) -> Found:
    with open_redis_store() as store:
        return asyncio.run(find(store, name))


async def _ended(session_id: str, who: str) -> None:
    try:
        await end_session(session_id, ANY_OWNER)
    except SessionNotFound as error:
        raise _gone() from error
    await add_event(session_id, f"{who} a mis fin à la conversation.", who)


async def _erased(session_id: str) -> bool:
    """Erase, and return whether the workers were told of it."""
    try:
        await erase_session(session_id, ANY_OWNER)
    except SessionNotFound as error:
        raise _gone() from error
    try:
        async with asyncio.timeout(TOLD_S):
            await PUBSUB.get().erasures_published()
    except TimeoutError:
        return False
    return True


def _gone() -> CommandError:
    return CommandError("Elle vient d'expirer ou d'être effacée.", returncode=Exit.NOT_FOUND)
