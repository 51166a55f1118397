"""Wall clock of the worker, replaceable in tests: for timestamps that are stored, shown or due.

Not for durations (use the event loop's time or ``time.monotonic``), and not for moments that are
compared with the clock of Redis, of a file system or of a library.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Protocol

from django.utils import timezone

from chat.core.runtime import Part


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


#: The clock of this worker.
CLOCK: Part[Clock] = Part("clock", SystemClock)


def now() -> datetime:
    """Return the current time, aware, in UTC."""
    return CLOCK.get().now()


def seconds() -> float:
    """Return the current time in seconds since 1970."""
    return now().timestamp()


def today() -> date:
    """Return the current date in the shop's time zone."""
    return timezone.localdate(now())
