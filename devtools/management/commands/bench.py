from __future__ import annotations

import json
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from chat.bench.children import CannotRun
from chat.bench.document import as_document
from chat.bench.page import as_page
from chat.bench.parts import PARTS
from chat.bench.plan import FULL, PLANS
from chat.bench.running import Tell, profile, run
from chat.bench.site import missing
from chat.bench.table import as_text
from chat.management.console import Exit, OperatorCommand, cannot, leave_with
from chat.management.files import write_whole
from meuble_project.env import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"


class Command(OperatorCommand):
    help = (
        "Measure how fast this is, beside a bare relay and the blocking design of before, on "
        "workers, a Redis and a model of its own. Nothing that runs is touched. "
        "Exit code: 0 the targets hold, 1 some do not, 2 it could not run, 130 interrupted."
    )
    requires_system_checks = []  # what it measures are processes of its own
    interrupted = "Interrompu. Les processus lancés pour la mesure sont arrêtés."

    def add_arguments(self, parser: ArgumentParser) -> None:
        sizes = parser.add_mutually_exclusive_group()
        sizes.add_argument("--quick", action="store_true", help="under a minute, one round")
        sizes.add_argument("--size", choices=PLANS, default=FULL.name, help="default: full")
        parser.add_argument(
            "--only", action="append", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}"
        )
        parser.add_argument("--rounds", type=int, help="how many, instead of the size's own")
        parser.add_argument("--drivers", type=int, default=1, help="processes of clients")
        parser.add_argument("--profile", action="store_true", help="say where a turn's time goes")
        parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")
        parser.add_argument("--html", type=Path, metavar="FILE", help="also write a page")
        parser.add_argument(
            "--write-docs", action="store_true", help=f"also write {DOCUMENT.relative_to(ROOT)}"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        plan = PLANS["quick" if options["quick"] else options["size"]]
        if (rounds := options["rounds"]) is not None:
            plan = replace(plan, rounds=rounds)
        if plan.rounds < 1 or options["drivers"] < 1:
            raise cannot("--rounds, --drivers : au moins 1.")
        if absent := missing():
            raise cannot(
                f"Il manque de quoi mesurer : {', '.join(absent)}. "
                "Installer les outils de développement : make install"
            )
        names = [name for name in PARTS if name in (options["only"] or PARTS)]
        try:
            with _progress(len(names)) as tell:
                found = run(plan, names, tell=tell, drivers=options["drivers"])
                if options["profile"]:
                    found = replace(found, profile=profile(plan, tell=tell))
        except CannotRun as error:
            raise cannot(str(error)) from error
        if options["html"]:
            write_whole(options["html"], as_page(found))
        if options["write_docs"]:
            write_whole(DOCUMENT, as_document(found))
        if options["json"]:
            self.stdout.write(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
        else:
            self.stdout.write(as_text(found))
        if found.broken:
            leave_with(Exit.CANNOT)
        leave_with(Exit.FOUND if found.failed else Exit.FINE)


@contextmanager
def _progress(parts: int) -> Iterator[Tell]:
    """Show what is measured now, on a terminal."""
    width = shutil.get_terminal_size().columns
    bar = tqdm(total=parts, desc="Bench", file=sys.stderr, leave=False, disable=None, ncols=width)

    def tell(done: int, what: str) -> None:
        bar.update(done - bar.n)
        bar.set_postfix_str(what)

    try:
        yield tell
    finally:
        bar.close()
