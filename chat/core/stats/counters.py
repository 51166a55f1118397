"""Daily counters in memory, accumulated until they are flushed to the database."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache

from django.utils import timezone

from chat.core import clock
from chat.core.runtime import Part

logger = logging.getLogger(__name__)

#: Maximum number of distinct counters while the database is unavailable; enough for months.
MAX_NUMBERS = 20_000
#: In every time zone midnight falls on a whole quarter of an hour UTC.
QUARTER_S = 900
#: As long as ``DailyNumber.name``.
MAX_NAME_CHARS = 60

Sums = dict[tuple[date, str], int]


@dataclass(frozen=True, slots=True)
class Batch:
    """Counters that are flushed together; ``id`` makes the flush idempotent."""

    sums: Sums
    id: uuid.UUID = field(default_factory=uuid.uuid4)


def shop_day() -> date:
    """Return today's date in the shop's time zone, cached per quarter of an hour."""
    return _day_of(int(clock.now().timestamp() // QUARTER_S))


@lru_cache(maxsize=1)
def _day_of(quarter: int) -> date:
    return timezone.localdate(datetime.fromtimestamp(quarter * QUARTER_S, UTC))


class Tally:
    """Counters of one process by (day, name). Thread-safe.

    ``today``: returns the shop's date. ``max_numbers``: maximum number of distinct counters until
    they are taken.
    """

    def __init__(
        self, today: Callable[[], date] = shop_day, *, max_numbers: int = MAX_NUMBERS
    ) -> None:
        self._today = today
        self._max_numbers = max_numbers
        self._lock = threading.Lock()
        self._sums: Sums = {}

    def count(self, name: str, by: int = 1) -> None:
        """Add to today's counter. Takes microseconds; does not access the database."""
        if not by:
            return
        key = self._today(), name[:MAX_NAME_CHARS]
        with self._lock:
            if key in self._sums or len(self._sums) < self._max_numbers:
                self._sums[key] = self._sums.get(key, 0) + by
                return
        logger.error("too many numbers wait for the database: %s is not counted", name)

    def take(self) -> Batch | None:
        """Return and reset the counters, None when nothing was counted since the last call."""
        with self._lock:
            sums, self._sums = self._sums, {}
        return Batch(sums) if sums else None


#: Counters of this worker that are not flushed yet.
TALLY: Part[Tally] = Part("tally", Tally)


def count(name: str, by: int = 1) -> None:
    """Count in this worker; see ``Tally.count``."""
    TALLY.get().count(name, by)
