"""How long a worker's event loop stood still: measured inside the worker, read by the suite."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

LOOK_S = 0.05
#: Shorter ones are not written down.
NOTED_S = 0.1


@dataclass(frozen=True, slots=True)
class Stall:
    """``late_s``: how much too late the loop came round. ``busy_s``: processor time that its
    thread took meanwhile, which does not count what other processes took of the machine.
    """

    worker: str
    late_s: float
    busy_s: float


def measure(loop: asyncio.AbstractEventLoop, path: Path) -> None:
    """Write each stall of ``loop`` into this file, from its next step on, as long as it runs."""

    def look(due: float, used_s: float) -> None:
        late_s, busy_s = loop.time() - due, time.thread_time() - used_s
        if max(late_s, busy_s) > NOTED_S:
            with path.open("a") as file:  # at once: the process may be killed
                file.write(f"{late_s:.3f} {busy_s:.3f}\n")
        look_again()

    def look_again() -> None:
        due = loop.time() + LOOK_S
        loop.call_at(due, look, due, time.thread_time())

    loop.call_soon(look_again)


def read_stalls(worker: str, path: Path, seen: int) -> tuple[list[Stall], int]:
    """Return the stalls written behind the first ``seen`` characters, and how many there are."""
    text = path.read_text() if path.exists() else ""
    pairs = (line.split() for line in text[seen:].splitlines())
    return [Stall(worker, float(late), float(busy)) for late, busy in pairs], len(text)
