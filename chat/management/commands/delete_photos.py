from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.db import DatabaseError

from chat.core.clock import now
from chat.management.console import OperatorCommand, cannot
from chat.shop.photos.maintenance import LIFE, FolderLost, Leftovers, clear, scan


class Command(OperatorCommand):
    help = (
        f"Delete photos that no ticket has after {LIFE.days} days, rows without a file and files "
        "without a row. May be run at any time, again without effect."
    )
    interrupted = "Interrompu : relancer la commande pour finir."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say it, delete nothing")
        parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run = options["dry_run"]
        try:
            found = scan(now())
            if not dry_run:
                clear(found)
        except FolderLost as error:
            raise cannot(
                "La base connaît des photos, MEDIA_DIR n'en a aucune : le volume est-il monté ? "
                "Rien n'a été supprimé."
            ) from error
        except DatabaseError as error:
            raise cannot("La base de données ne répond pas, ou attend « migrate ».") from error
        except OSError as error:
            raise cannot(
                f"MEDIA_DIR : {error.strerror}. Relancer la commande pour finir."
            ) from error
        self.stdout.write(_as_json(found, dry_run) if options["json"] else _as_text(found, dry_run))


def _as_json(found: Leftovers, dry_run: bool) -> str:
    counts = {"old": len(found.old), "lost": len(found.lost), "stray": len(found.stray)}
    return json.dumps({"deleted": not dry_run, **counts}, indent=2)


def _as_text(found: Leftovers, dry_run: bool) -> str:
    opening = "À blanc, rien n'est supprimé : " if dry_run else "Supprimé : "
    return (
        f"{opening}{len(found.old)} photo(s) sans dossier depuis {LIFE.days} jours, "
        f"{len(found.lost)} ligne(s) sans fichier, {len(found.stray)} fichier(s) sans ligne."
    )
