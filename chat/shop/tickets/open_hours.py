"""Elapsed opening hours between two moments. Pure. The inverse is in ``deadline``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chat.shop import hours as shop
from chat.shop.tickets.deadline import FIRST_ANSWER_HOURS, after_open_hours
from chat.shop.tickets.priority import Priority

#: Fraction of the time after which an unanswered ticket is at risk.
AT_RISK_FROM = 0.75


def risk_starts(opened_at: datetime, priority: Priority) -> datetime:
    """Return the moment from which less than a quarter of the time for a first answer is left."""
    hours = FIRST_ANSWER_HOURS[priority] * AT_RISK_FROM
    return after_open_hours(opened_at, timedelta(hours=hours))


def open_time(start_at: datetime, end_at: datetime) -> timedelta:
    """Return the opening hours between two aware moments; 0 if ``end_at`` is earlier."""
    total = timedelta()
    day, last = (moment.astimezone(shop.PARIS).date() for moment in (start_at, end_at))
    while day <= last:
        hours = shop.hours_of(day)
        if hours is not None:
            opens_at, closes_at = (
                datetime.combine(day, hour, shop.PARIS).astimezone(UTC) for hour in hours
            )
            total += max(timedelta(), min(closes_at, end_at) - max(opens_at, start_at))
        day += timedelta(days=1)
    return total
