"""Every check on its own: one that fails or hangs takes nothing from the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic

from django.db import connections

from chat.ops.doctor.findings import Finding, Level


@dataclass(frozen=True, slots=True)
class Check:
    """``run`` may block, and may raise: then that is what is wrong, and ``fix`` is told."""

    name: str
    run: Callable[[], list[Finding]]
    fix: str


def run(checks: Sequence[Check], timeout_s: float) -> Iterator[list[Finding]]:
    """Make all checks at once; yield what each found, in their order, as soon as it is known.

    Each may take ``timeout_s``. A thread that hangs longer ends with the process.
    """
    begun = [(check, _begin(check)) for check in checks]
    until = monotonic() + timeout_s
    for check, found in begun:
        try:
            yield found.get(timeout=max(0.0, until - monotonic()))
        except Empty:
            what = f"pas de réponse en {timeout_s:g} s"
            yield [Finding(check.name, Level.WRONG, what, check.fix)]


def _begin(check: Check) -> SimpleQueue[list[Finding]]:
    found: SimpleQueue[list[Finding]] = SimpleQueue()

    def report() -> None:
        try:
            found.put(check.run())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is wrong
            what = f"{type(error).__name__} : {error}".split("\n", 1)[0]
            found.put([Finding(check.name, Level.WRONG, what, check.fix)])
        finally:
            connections.close_all()

    threading.Thread(target=report, name=f"doctor: {check.name}", daemon=True).start()
    return found
