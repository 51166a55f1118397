"""Deadline of the first answer to a ticket, counted in opening hours of the shop. Pure.

Source: the shop's rules (4, 24, 48, 72 hours); ``chat/shop/hours.py`` for hours and holidays.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chat.shop import hours as shop
from chat.shop.tickets.priority import Priority

FIRST_ANSWER_HOURS: dict[Priority, int] = {
    Priority.P0: 4,
    Priority.P1: 24,
    Priority.P2: 48,
    Priority.P3: 72,
}


def deadline(opened_at: datetime, priority: Priority) -> datetime:
    """Return the deadline of the first answer, in the shop's time zone.

    Only opening hours count: P0 on Saturday at 18:00 is due on Monday at 13:00. A deadline that
    falls on closing time is not moved to the next morning.

    ``opened_at``: aware.
    """
    return after_open_hours(opened_at, timedelta(hours=FIRST_ANSWER_HOURS[priority]))


def after_open_hours(start_at: datetime, left: timedelta) -> datetime:
    """Return the moment at which the shop has been open for ``left`` since ``start_at`` (aware)."""
    at = shop.next_opening(start_at)
    while True:
        hours = shop.hours_of(at.date())
        if hours is None:
            raise AssertionError("the next opening is on a day of opening")
        closes_at = datetime.combine(at.date(), hours[1], shop.PARIS)
        # In UTC: datetimes with the same tzinfo are subtracted as naive local times.
        today = closes_at.astimezone(UTC) - at.astimezone(UTC)
        if left <= today:
            return (at.astimezone(UTC) + left).astimezone(shop.PARIS)
        left -= today
        at = shop.next_opening(closes_at)
