"""By when a request must have its first answer, in hours during which the shop is open. Pure.

Source: the shop's rules (4, 24, 48, 72 hours); ``chat/shop.py`` for hours and holidays.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chat import shop
from chat.tickets.priority import Priority

FIRST_ANSWER_HOURS: dict[Priority, int] = {
    Priority.P0: 4,
    Priority.P1: 24,
    Priority.P2: 48,
    Priority.P3: 72,
}


def deadline(opened_at: datetime, priority: Priority) -> datetime:
    """Return by when the customer must have a first answer, in the shop's time zone.

    Only hours of opening count: P0 on Saturday at 18:00 is due on Monday at 13:00. What falls
    on the last minute of a day is due then, not the next morning.

    ``opened_at``: aware.
    """
    return after_open_hours(opened_at, timedelta(hours=FIRST_ANSWER_HOURS[priority]))


def after_open_hours(start_at: datetime, left: timedelta) -> datetime:
    """Return when the shop will have been open for so long since an aware moment."""
    at = shop.next_opening(start_at)
    while True:
        hours = shop.hours_of(at.date())
        if hours is None:
            raise AssertionError("the next opening is on a day of opening")
        closes_at = datetime.combine(at.date(), hours[1], shop.PARIS)
        # In UTC: two moments of one zone are compared by what the clock on the wall says.
        today = closes_at.astimezone(UTC) - at.astimezone(UTC)
        if left <= today:
            return (at.astimezone(UTC) + left).astimezone(shop.PARIS)
        left -= today
        at = shop.next_opening(closes_at)
