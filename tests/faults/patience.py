"""Deadlines that a busy machine does not falsify."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path

#: How long somebody has waited for a processor. Source: Linux, Documentation/accounting/psi.rst.
PRESSURE = Path("/proc/pressure/cpu")
#: However busy the machine is, a deadline is over after so many times its length.
LONGEST = 4


class Stopwatch:
    """``s``: seconds since it was made, without those in which somebody waited for a processor.

    Our own workers are among those who wait. Where the system does not tell: all seconds.
    ``pressure``: the file in which the system tells.
    """

    def __init__(self, pressure: Path = PRESSURE) -> None:
        self._pressure = pressure
        self._made_at = asyncio.get_running_loop().time()
        self._waited_s = _waited_s(pressure)

    @property
    def s(self) -> float:
        passed_s = asyncio.get_running_loop().time() - self._made_at
        return max(passed_s / LONGEST, passed_s - (_waited_s(self._pressure) - self._waited_s))


async def done_within(
    limit_s: float, doing: Awaitable[object], watch: Stopwatch | None = None
) -> bool:
    """Wait until it is done, so long at most on the watch, which begins now; else cancel it."""
    watch = watch or Stopwatch()
    task = asyncio.ensure_future(doing)
    try:
        while not task.done() and (left_s := limit_s - watch.s) > 0:
            await asyncio.wait({task}, timeout=left_s)
        if task.done():
            task.result()
        return task.done()
    finally:
        task.cancel()


def _waited_s(pressure: Path) -> float:
    try:
        some = pressure.read_text().splitlines()[0]
    except OSError:
        return 0.0
    return int(some.rpartition("total=")[2]) / 1e6
