from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from chat.management.console import Exit, OperatorCommand, cannot, leave_with, progress
from chat.shop.catalog.loader import BadCatalogue, Loaded, load_catalogue, read_catalogue
from chat.shop.imports.reading import RowProblem, Unreadable

#: How many faults are shown; all are counted, ``--json`` has them all.
MAX_SHOWN = 100


class Command(OperatorCommand):
    help = (
        "Read products from a JSON or CSV file: all of them or, if one row is wrong, none. "
        "Again without effect. Exit code 1: the file has faults."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="JSON, or CSV with ; or , and a header")
        parser.add_argument("--dry-run", action="store_true", help="check, then write nothing")
        parser.add_argument("--json", action="store_true", help="the outcome as JSON")
        parser.add_argument(
            "--deactivate-missing", action="store_true", help="take others off sale"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        as_json: bool = options["json"]
        try:
            products = read_catalogue(options["file"])
        except OSError as error:
            raise cannot(f"Fichier illisible : {error.strerror}.") from error
        except Unreadable as error:
            if as_json:
                self._print({"ok": False, "error": str(error)})
                leave_with(Exit.FOUND)
            raise cannot(str(error)) from error
        except BadCatalogue as error:
            self._tell_faults(error.problems, as_json=as_json)
            leave_with(Exit.FOUND)
            return
        with progress("Catalogue", "produits") as tell:
            loaded = load_catalogue(
                products,
                dry_run=options["dry_run"],
                deactivate_missing=options["deactivate_missing"],
                tell=tell,
            )
        self._tell(loaded, as_json=as_json)

    def _tell_faults(self, problems: tuple[RowProblem, ...], *, as_json: bool) -> None:
        if as_json:
            faults = [{"line": p.line, "column": p.column, "message": p.message} for p in problems]
            self._print({"ok": False, "errors": faults})
            return
        for problem in problems[:MAX_SHOWN]:
            self.stderr.write(str(problem))
        more = len(problems) - MAX_SHOWN
        if more > 0:
            self.stderr.write(f"… et {more} autres.")
        self.stderr.write(f"{len(problems)} erreur(s) : rien n'a été écrit.")

    def _tell(self, loaded: Loaded, *, as_json: bool) -> None:
        if as_json:
            lists = ("created", "updated", "deactivated")
            counts = {name: getattr(loaded, name) for name in lists}
            unchanged = len(loaded.unchanged)
            self._print({"ok": True, "written": loaded.written, **counts, "unchanged": unchanged})
            return
        if not loaded.changed:
            self.stdout.write(f"Rien à changer : {len(loaded.unchanged)} produits déjà à jour.")
            return
        said = (
            f"{len(loaded.created)} produits créés, {len(loaded.updated)} modifiés, "
            f"{len(loaded.deactivated)} retirés de la vente, {len(loaded.unchanged)} inchangés."
        )
        self.stdout.write(said if loaded.written else f"À blanc, rien n'est écrit : {said}")

    def _print(self, outcome: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(outcome, ensure_ascii=False, indent=2))
