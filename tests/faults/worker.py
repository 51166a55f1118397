"""A worker that is watched: ``python -m tests.faults.worker STALLS PATCH… --port 0``.

``STALLS``: the file into which stalls of its event loop are written. ``PATCH``: a mutant's name
(``mutants.py``), ``crash:<point>`` (``crashes.py``) or ``trap:<what>`` (``traps.py``). What follows
the patches is given to ``manage.py serve``. Only this suite runs it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import django
from django.core.management import execute_from_command_line

from tests.faults.stalls import measure


def main(arguments: list[str]) -> None:
    django.setup()
    from server.loop import event_loop  # noqa: PLC0415 - installs the reactor

    options = arguments.index("--port")
    stalls, *patches = arguments[:options]
    measure(event_loop, Path(stalls))
    for patch in patches:
        _apply(patch)
    execute_from_command_line(["manage.py", "serve", *arguments[options:]])


def _apply(patch: str) -> None:
    # Here: what they patch reads the settings when it is imported.
    from tests.faults.crashes import CRASHES, crash_at  # noqa: PLC0415
    from tests.faults.mutants import MUTANTS  # noqa: PLC0415
    from tests.faults.traps import TRAPS, trap  # noqa: PLC0415

    kind, _, name = patch.rpartition(":")
    if kind == "crash":
        crash_at(CRASHES[name])
    elif kind == "trap":
        trap(TRAPS[name])
    else:
        MUTANTS[patch].plant()


if __name__ == "__main__":
    main(sys.argv[1:])
