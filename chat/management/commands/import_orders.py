from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chat.management.console import Exit, OperatorCommand, cannot, leave_with
from chat.shop.imports.reading import RowProblem, Unreadable
from chat.shop.orders.import_rows import BadOrders
from chat.shop.orders.loader import load_orders

#: How many faults are shown; all are counted, ``--json`` has them all.
MAX_SHOWN = 100


class Command(OperatorCommand):
    help = (
        "Store the orders of a JSON or CSV file: all of them or, if one row is wrong, none. "
        "Again without effect. Exit code 1: the file has faults."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="see docs/imports.md")
        parser.add_argument("--dry-run", action="store_true", help="check, then write nothing")
        parser.add_argument("--json", action="store_true", help="the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        as_json, dry_run = options["json"], options["dry_run"]
        try:
            loaded = load_orders(options["file"], dry_run=dry_run)
        except Unreadable as error:
            if not as_json:
                raise cannot(str(error)) from error
            self._print({"ok": False, "error": str(error)})
            leave_with(Exit.CANNOT)
            return
        except BadOrders as error:
            self._tell_faults(error.problems, as_json=as_json)
            leave_with(Exit.FOUND)
            return
        if as_json:
            self._print({"ok": True, "written": not dry_run, **asdict(loaded)})
            return
        opening = "À blanc, rien n'est écrit : " if dry_run else ""
        self.stdout.write(
            f"{opening}{loaded.created} commandes créées, {loaded.updated} modifiées, "
            f"{loaded.unchanged} inchangées."
        )

    def _tell_faults(self, problems: tuple[RowProblem, ...], *, as_json: bool) -> None:
        if as_json:
            self._print({"ok": False, "errors": [asdict(problem) for problem in problems]})
            return
        for problem in problems[:MAX_SHOWN]:
            self.stderr.write(str(problem))
        more = len(problems) - MAX_SHOWN
        if more > 0:
            self.stderr.write(f"… et {more} autres.")
        self.stderr.write(f"{len(problems)} erreur(s) : rien n'a été écrit.")

    def _print(self, outcome: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(outcome, ensure_ascii=False, indent=2))
