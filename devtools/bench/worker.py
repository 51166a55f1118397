"""Preparation and profiling of the worker for the bench.

``python -m devtools.bench.worker prepare`` creates the tables and prints a new API key.

``python -m devtools.bench.worker profile FILE serve …`` serves, and writes a profile at its end:
from SIGUSR1 on, a timer of CPU time samples the event loop a thousand times a second. CPU time of
the thread that talks to Redis counts as waiting ("selectors", "twisted"). Tracing each call instead
would distort the measurement.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

from django.core.management import execute_from_command_line

from chat.management.exit_with_parent import end_with_input

EVERY_S = 0.001


def place_of(path: str) -> str:
    """Return the package of a file, e.g. ``chat.assistant`` or ``openai``."""
    _, found, rest = path.rpartition("site-packages/")
    if found:
        return rest.split("/")[0].removesuffix(".py")
    parts = Path(path).parts
    for root in ("chat", "server", "meuble_project", "devtools"):
        if root in parts[:-1]:
            return ".".join(parts[parts.index(root) :][:2]).removesuffix(".py")
    library = re.search(r"/python3[^/]*/(?:lib-dynload/)?([^/.]+)", path)
    return library.group(1) if library else "Python"


def _profile_into(file: Path) -> None:
    seen: Counter[str] = Counter()
    leave = os._exit

    def note(number: int, frame: FrameType | None) -> None:
        if frame is not None:
            seen[place_of(frame.f_code.co_filename)] += 1

    def tell_and_leave(code: int) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        total = seen.total() or 1
        file.write_text(json.dumps({place: n / total for place, n in seen.most_common()}))
        leave(code)

    os._exit = tell_and_leave  # type: ignore[assignment]
    signal.signal(signal.SIGPROF, note)
    signal.signal(signal.SIGUSR1, lambda *_: signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S))


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        execute_from_command_line(["manage.py", "migrate", "--verbosity", "0"])
        execute_from_command_line(["manage.py", "create_api_key", "bench"])
    else:
        _profile_into(Path(sys.argv[2]))
        threading.Thread(target=end_with_input, daemon=True).start()
        execute_from_command_line(["manage.py", *sys.argv[3:]])
