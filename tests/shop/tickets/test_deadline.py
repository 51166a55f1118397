from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shop import hours
from chat.shop.tickets.deadline import after_open_hours, deadline
from chat.shop.tickets.priority import Priority


def paris(text: str) -> datetime:
    """``paris("2026-11-23 10:00")``: that time on a clock in the shop."""
    return datetime.fromisoformat(text).replace(tzinfo=hours.PARIS)


@pytest.mark.parametrize(
    "opened, priority, due",
    [
        # Within a day; the shop is open from 10 to 19.
        ("2026-11-23 10:00", Priority.P0, "2026-11-23 14:00"),
        ("2026-11-23 15:00", Priority.P0, "2026-11-23 19:00"),
        # Over a night.
        ("2026-11-23 15:01", Priority.P0, "2026-11-24 10:01"),
        ("2026-11-23 19:00", Priority.P0, "2026-11-24 14:00"),
        ("2026-11-23 23:30", Priority.P0, "2026-11-24 14:00"),
        ("2026-11-24 03:00", Priority.P0, "2026-11-24 14:00"),
        # Over a Sunday.
        ("2026-11-21 18:00", Priority.P0, "2026-11-23 13:00"),
        ("2026-11-22 12:00", Priority.P0, "2026-11-23 14:00"),
        # 24, 48 and 72 hours of opening are 2, 5 and 8 days of nine hours, and 6, 3 and 0 more.
        ("2026-11-23 10:00", Priority.P1, "2026-11-25 16:00"),
        ("2026-11-23 10:00", Priority.P2, "2026-11-28 13:00"),
        ("2026-11-23 10:00", Priority.P3, "2026-12-01 19:00"),
        # Over holidays: 11 November, Christmas and a Sunday, 1 and 8 May.
        ("2026-11-10 18:00", Priority.P0, "2026-11-12 13:00"),
        ("2026-11-11 11:00", Priority.P0, "2026-11-12 14:00"),
        ("2026-12-24 17:00", Priority.P0, "2026-12-26 12:00"),
        ("2026-12-24 10:00", Priority.P1, "2026-12-28 16:00"),
        ("2026-04-30 18:00", Priority.P1, "2026-05-05 15:00"),
        ("2026-05-07 18:00", Priority.P0, "2026-05-09 13:00"),
        # Into another year.
        ("2026-12-31 18:30", Priority.P0, "2027-01-02 13:30"),
        # Over both changes of the clocks: 29 March and 25 October 2026, on Sundays.
        ("2026-03-28 18:00", Priority.P0, "2026-03-30 13:00"),
        ("2026-03-29 02:30", Priority.P0, "2026-03-30 14:00"),
        ("2026-10-24 18:00", Priority.P0, "2026-10-26 13:00"),
        ("2026-10-25 02:30", Priority.P0, "2026-10-26 14:00"),
    ],
)
def test_only_hours_of_opening_count(opened, priority, due):
    assert deadline(paris(opened), priority) == paris(due)


def test_moments_of_other_zones_are_the_same_moments():
    opened_at = datetime(2026, 7, 1, 7, 30, tzinfo=UTC)  # 9:30 in Paris

    due_at = deadline(opened_at, Priority.P0)

    assert due_at == paris("2026-07-01 14:00")
    assert due_at.tzinfo is hours.PARIS


moments = st.integers(0, 15 * 365 * 24 * 3600).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


@given(moments, st.sampled_from(Priority))
def test_a_deadline_is_later_and_at_an_hour_of_opening(opened_at, priority):
    due_at = deadline(opened_at, priority)

    assert due_at > opened_at
    assert hours.is_open(due_at - timedelta(microseconds=1))


@given(moments, st.integers(1, 50), st.integers(1, 50))
def test_hours_in_two_parts_are_as_many_at_once(start_at, some, more):
    once = after_open_hours(start_at, timedelta(hours=some + more))
    twice = after_open_hours(
        after_open_hours(start_at, timedelta(hours=some)), timedelta(hours=more)
    )

    assert once == twice


@given(moments)
def test_who_asks_first_is_answered_first(opened_at):
    later_at = opened_at + timedelta(hours=7)

    assert deadline(opened_at, Priority.P1) <= deadline(later_at, Priority.P1)
