"""What the admin's charts are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from channels.db import database_sync_to_async
from django.conf import settings

from chat.core import clock
from chat.core.stats.counters import cost_eur, percentile_s
from chat.ops.stats.models import DailyNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The numbers of one day, of all workers, up to ``FLUSH_S`` old.

    ``turns``: questions that ended, however they did. ``interrupted``: a part of the answer was
    kept; ``failures``: nothing was. ``euros``: None when the prices are not configured.
    """

    day: date
    turns: int
    stopped: int
    interrupted: int
    failures: int
    taken_over: int
    prompt_tokens: int
    completion_tokens: int
    euros: Decimal | None
    first_text_p50_s: float | None
    first_text_p95_s: float | None

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Summary:
    """``days``: the oldest first, without gaps; the last one is today."""

    days: tuple[Day, ...]

    @property
    def today(self) -> Day:
        return self.days[-1]


def summary(days: int = 14) -> Summary:
    """Return the numbers of today and of the days before, ``days`` (1 or more) in all."""
    today = clock.today()
    first = today - timedelta(days=days - 1)
    values: dict[date, dict[str, int]] = {first + timedelta(days=n): {} for n in range(days)}
    rows = DailyNumber.objects.filter(day__range=(first, today))
    for day, name, value in rows.values_list("day", "name", "value"):
        values[day][name] = value
    return Summary(tuple(_day(day, numbers) for day, numbers in values.items()))


asummary = database_sync_to_async(summary)


def _day(day: date, numbers: dict[str, int]) -> Day:
    prompt_tokens = numbers.get("tokens.prompt", 0)
    completion_tokens = numbers.get("tokens.completion", 0)
    return Day(
        day=day,
        turns=sum(value for name, value in numbers.items() if name.startswith("turns.")),
        stopped=numbers.get("turns.stopped", 0),
        interrupted=numbers.get("turns.interrupted", 0),
        failures=numbers.get("turns.failed", 0),
        taken_over=numbers.get("turns.taken_over", 0),
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        euros=cost_eur(
            prompt_tokens,
            completion_tokens,
            settings.ENV.openai_price_prompt_eur_per_m,
            settings.ENV.openai_price_completion_eur_per_m,
        ),
        first_text_p50_s=percentile_s(numbers, 0.50),
        first_text_p95_s=percentile_s(numbers, 0.95),
    )
