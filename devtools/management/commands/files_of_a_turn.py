from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from chat.management.console import Exit, OperatorCommand, cannot, leave_with, progress
from chat.management.exit_with_parent import ChildFailed
from devtools.tracing.turns import SCENARIOS, Traced, as_text, over_limits, trace_turns


class Command(OperatorCommand):
    help = (
        "Count the files and functions of the product that one message of a customer passes "
        "through: a greeting, and one that prepares a ticket. Uses workers, a Redis and a "
        "database of its own. Exit code: 0 fine, 1 more files than --max, 2 it could not run."
    )
    requires_system_checks = []  # it traces separate processes
    interrupted = "Interrompu. Les processus lancés pour la mesure sont arrêtés."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--functions", action="store_true", help="name files and functions")
        parser.add_argument("--json", action="store_true", help="one JSON object, for scripts")
        parser.add_argument(
            "--max",
            nargs=len(SCENARIOS),
            type=int,
            metavar=tuple(scenario.name.upper() for scenario in SCENARIOS),
            help="how many files each may pass through, the opening of its socket not counted",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = _traced()
        if options["json"]:
            whole = {name: traced.to_json() for name, traced in found.items()}
            self.stdout.write(json.dumps(whole, indent=1))
        else:
            self.stdout.write(as_text(found, with_functions=options["functions"]))
        if options["max"] and (over := over_limits(found, options["max"])):
            self.stderr.write("\n".join(over))
            leave_with(Exit.FOUND)


def _traced() -> dict[str, Traced]:
    try:
        with progress("Tracing", "turns") as show:

            def tell(done: int, what: str) -> None:
                show(done, len(SCENARIOS), what)

            return trace_turns(tell)
    except ChildFailed as error:
        raise cannot(str(error)) from error
