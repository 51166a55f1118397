"""A worker with bugs, or with a death foretold: ``python -m tests.faults.worker PATCH… --port 0``.

``PATCH``: a mutant's name (``mutants.py``) or ``crash:<point>`` (``crashes.py``). What follows the
patches is given to ``manage.py serve``. Only this suite runs it.
"""

from __future__ import annotations

import sys

import django
from django.core.management import execute_from_command_line


def main(arguments: list[str]) -> None:
    django.setup()
    # After the setup: what they patch reads the settings when it is imported.
    from tests.faults.crashes import CRASHES, crash_at  # noqa: PLC0415
    from tests.faults.mutants import MUTANTS  # noqa: PLC0415

    options = arguments.index("--port")
    for patch in arguments[:options]:
        name = patch.removeprefix("crash:")
        if patch in MUTANTS:
            MUTANTS[patch].plant()
        else:
            crash_at(CRASHES[name])
    execute_from_command_line(["manage.py", "serve", *arguments[options:]])


if __name__ == "__main__":
    main(sys.argv[1:])
