"""Daily counters in memory, flushed to the database; percentiles from their histogram buckets."""

from __future__ import annotations

import logging
import math
import threading
import uuid
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

from django.utils import timezone

from chat.core import clock
from chat.core.runtime import Part

PREFIX = "first_text."
#: Upper bounds in seconds, dense in the range of responsive answers.
BOUNDS_S = (
    *(0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5),
    *(2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0, math.inf),
)


def bucket_of(seconds: float) -> str:
    """Return the counter name of the bucket of a latency, e.g. ``"first_text.0.5"``."""
    bound = BOUNDS_S[bisect_left(BOUNDS_S, seconds)] if seconds <= BOUNDS_S[-2] else math.inf
    return f"{PREFIX}{bound:g}"


def percentile_s(values: Mapping[str, int], quantile: float) -> float | None:
    """Return a quantile (0.0 to 1.0) of the latency in seconds, None without any answers.

    ``values``: counters of a day by name. Interpolates linearly inside a bucket; answers beyond the
    last bound count as that bound.
    """
    counts = [values.get(f"{PREFIX}{bound:g}", 0) for bound in BOUNDS_S]
    rank = quantile * sum(counts)
    if rank <= 0:
        return None
    below, lower = 0, 0.0
    for bound, count in zip(BOUNDS_S, counts, strict=True):
        if count and below + count >= rank:
            if math.isinf(bound):
                return lower
            return lower + (bound - lower) * (rank - below) / count
        below, lower = below + count, bound
    return BOUNDS_S[-2]  # rank went past the sum by rounding


def cost_eur(
    prompt_tokens: int,
    completion_tokens: int,
    prompt_eur_per_m: Decimal,
    completion_eur_per_m: Decimal,
) -> Decimal | None:
    """Return the cost of tokens in euros, None when a price is unknown (0).

    ``…_per_m``: price of a million tokens.
    """
    if not (prompt_eur_per_m and completion_eur_per_m):
        return None
    millionths = prompt_tokens * prompt_eur_per_m + completion_tokens * completion_eur_per_m
    return millionths / 1_000_000


logger = logging.getLogger(__name__)

#: Maximum number of distinct counters while the database is unavailable; enough for months.
MAX_NUMBERS = 20_000
#: In every time zone midnight falls on a whole quarter of an hour UTC.
QUARTER_S = 900
#: As long as ``DailyNumber.name``.
MAX_NAME_CHARS = 60

Sums = dict[tuple[date, str], int]


@dataclass(frozen=True, slots=True)
class CounterBatch:
    """Counters that are flushed together; ``id`` makes the flush idempotent."""

    sums: Sums
    id: uuid.UUID = field(default_factory=uuid.uuid4)


def shop_day() -> date:
    """Return today's date in the shop's time zone, cached per quarter of an hour."""
    return _day_of(int(clock.now().timestamp() // QUARTER_S))


@lru_cache(maxsize=1)
def _day_of(quarter: int) -> date:
    return timezone.localdate(datetime.fromtimestamp(quarter * QUARTER_S, UTC))


class Counters:
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

    def take(self) -> CounterBatch | None:
        """Return and reset the counters, None when nothing was counted since the last call."""
        with self._lock:
            sums, self._sums = self._sums, {}
        return CounterBatch(sums) if sums else None


#: Counters of this worker that are not flushed yet.
STAT_COUNTERS: Part[Counters] = Part("stat_counters", Counters)


def count(name: str, by: int = 1) -> None:
    """Count in this worker; see ``Counters.count``."""
    STAT_COUNTERS.get().count(name, by)
