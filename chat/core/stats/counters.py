"""Counting in memory: what happened since the last time it was written down."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache, lru_cache

from django.utils import timezone

logger = logging.getLogger(__name__)

#: Different numbers kept while the database is away: months of them.
MAX_NUMBERS = 20_000
#: Midnight is at a whole quarter of an hour of universal time, wherever the shop is.
QUARTER_S = 900
#: As long as ``DailyNumber.name``.
MAX_NAME_CHARS = 60

Sums = dict[tuple[date, str], int]


@dataclass(frozen=True, slots=True)
class Batch:
    """Numbers that are written together, once: ``id`` tells whether they were."""

    sums: Sums
    id: uuid.UUID = field(default_factory=uuid.uuid4)


def shop_day() -> date:
    """Return today's date in the shop's time zone, for less than reading the calendar each time."""
    return _day_of(int(timezone.now().timestamp() // QUARTER_S))


@lru_cache(maxsize=1)
def _day_of(quarter: int) -> date:
    return timezone.localdate(datetime.fromtimestamp(quarter * QUARTER_S, UTC))


class Tally:
    """One for each process. ``today``: the shop's day. Any thread may count."""

    def __init__(self, today: Callable[[], date] = shop_day) -> None:
        self._today = today
        self._lock = threading.Lock()
        self._sums: Sums = {}

    def count(self, name: str, by: int = 1) -> None:
        """Add to the number of today. It costs microseconds and touches no database."""
        if not by:
            return
        key = self._today(), name[:MAX_NAME_CHARS]
        with self._lock:
            if key in self._sums or len(self._sums) < MAX_NUMBERS:
                self._sums[key] = self._sums.get(key, 0) + by
                return
        logger.error("too many numbers wait for the database: %s is not counted", name)

    def take(self) -> Batch | None:
        """Return what was counted since the last call, None when nothing was."""
        with self._lock:
            sums, self._sums = self._sums, {}
        return Batch(sums) if sums else None


@cache
def default_tally() -> Tally:
    return Tally()


def count(name: str, by: int = 1) -> None:
    """Count in this process's tally; see ``Tally.count``."""
    default_tally().count(name, by)
