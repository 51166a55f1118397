"""A worker that tells where its time went: ``python -m chat.bench.profiled FILE serve …``.

From SIGUSR1 on a timer of CPU time interrupts the worker a thousand times a second and notes what
its event loop runs; the CPU of the thread that talks to Redis counts there as waiting
("selectors", "twisted"). An interpreter that traces each call would change what is measured.
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

from chat.management.lifeline import end_with_input

EVERY_S = 0.001
_seen: Counter[str] = Counter()


def place_of(path: str) -> str:
    """Return the package that a file belongs to, ``chat.assistant`` or ``openai``."""
    _, found, rest = path.rpartition("site-packages/")
    if found:
        return rest.split("/")[0].removesuffix(".py")
    parts = Path(path).parts
    for root in ("chat", "meuble_project"):
        if root in parts[:-1]:
            inside = parts[parts.index(root) :]
            return ".".join(inside[:2]).removesuffix(".py")
    library = re.search(r"/python3[^/]*/(?:lib-dynload/)?([^/.]+)", path)
    return library.group(1) if library else "Python"


def _note(number: int, frame: FrameType | None) -> None:
    if frame is not None:
        _seen[place_of(frame.f_code.co_filename)] += 1


def _begin(number: int, frame: FrameType | None) -> None:
    signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)


def _prepare(file: Path) -> None:
    leave = os._exit

    def tell_and_leave(code: int) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        total = sum(_seen.values()) or 1
        shares = {place: count / total for place, count in _seen.most_common()}
        file.write_text(json.dumps(shares))
        leave(code)

    os._exit = tell_and_leave  # type: ignore[assignment]
    signal.signal(signal.SIGPROF, _note)
    signal.signal(signal.SIGUSR1, _begin)


if __name__ == "__main__":
    _prepare(Path(sys.argv[1]))
    threading.Thread(target=end_with_input, daemon=True).start()
    execute_from_command_line(["manage.py", *sys.argv[2:]])
