"""Time during which the shop was open. Pure. Its inverse is in ``deadline``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chat import shop
from chat.tickets.deadline import FIRST_ANSWER_HOURS, after_open_hours
from chat.tickets.priority import Priority

#: From this part of the time on, a ticket without an answer is at risk.
AT_RISK_FROM = 0.75


def risk_starts(opened_at: datetime, priority: Priority) -> datetime:
    """Return when less than a quarter of the time for a first answer is left."""
    hours = FIRST_ANSWER_HOURS[priority] * AT_RISK_FROM
    return after_open_hours(opened_at, timedelta(hours=hours))


def open_time(start_at: datetime, end_at: datetime) -> timedelta:
    """Return for how long the shop was open between two aware moments; 0 when turned round."""
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
