from __future__ import annotations

import importlib.util
import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from chat.management.console import Exit, OperatorCommand, cannot, leave_with, progress
from chat.management.exit_with_parent import ChildFailed
from chat.management.files import write_whole
from devtools.bench.plan import Plan, read_plans
from devtools.bench.report import as_document, as_page, as_text
from devtools.bench.results import Run
from devtools.bench.run import PARTS, measure, profile
from meuble_project.env import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
DEVELOPMENT = ("starlette", "uvicorn", "httptools", "uvloop", "websockets")


class Command(OperatorCommand):
    help = (
        "Measure how fast this is, beside a bare relay and the blocking design of before, on "
        "workers, a Redis and a model of its own. Nothing that runs is touched. "
        "Exit code: 0 the targets hold, 1 some do not, 2 it could not run, 130 interrupted."
    )
    requires_system_checks = []  # it measures separate processes
    interrupted = "Interrompu. Les processus lancés pour la mesure sont arrêtés."

    def add_arguments(self, parser: ArgumentParser) -> None:
        sizes = parser.add_mutually_exclusive_group()
        sizes.add_argument("--quick", action="store_true", help="under a minute, one round")
        sizes.add_argument("--size", choices=read_plans(), default="full", help="default: full")
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
        plan = read_plans()["quick" if options["quick"] else options["size"]]
        if (rounds := options["rounds"]) is not None:
            plan = replace(plan, rounds=rounds)
        if plan.rounds < 1 or options["drivers"] < 1:
            raise cannot("--rounds, --drivers : au moins 1.")
        if absent := [name for name in DEVELOPMENT if importlib.util.find_spec(name) is None]:
            raise cannot(
                f"Il manque de quoi mesurer : {', '.join(absent)}. "
                "Installer les outils de développement : make install"
            )
        run = _measured(plan, options)
        if options["html"]:
            write_whole(options["html"], as_page(run))
        if options["write_docs"]:
            write_whole(DOCUMENT, as_document(run))
        if options["json"]:
            self.stdout.write(json.dumps(run.to_json(), ensure_ascii=False, indent=2))
        else:
            self.stdout.write(as_text(run))
        if run.broken:
            leave_with(Exit.CANNOT)
        leave_with(Exit.FOUND if run.failed else Exit.FINE)


def _measured(plan: Plan, options: dict[str, Any]) -> Run:
    names = [name for name in PARTS if name in (options["only"] or PARTS)]
    try:
        with progress("Bench", "parts") as show:

            def tell(done: int, what: str) -> None:
                show(done, len(names), what)

            run = measure(plan, names, tell=tell, drivers=options["drivers"])
            if options["profile"]:
                run = replace(run, profile=profile(plan, tell=tell))
    except ChildFailed as error:
        raise cannot(str(error)) from error
    return run
