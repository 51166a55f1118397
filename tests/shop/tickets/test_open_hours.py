from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shop.tickets.deadline import FIRST_ANSWER_HOURS, after_open_hours, deadline
from chat.shop.tickets.open_hours import open_time, risk_starts
from chat.shop.tickets.phrases import full_moment
from chat.shop.tickets.priority import Priority
from tests.shop.tickets.test_deadline import paris


@pytest.mark.parametrize(
    "start, end, hours",
    [
        ("2026-11-23 10:00", "2026-11-23 14:00", 4),
        ("2026-11-23 08:00", "2026-11-23 22:00", 9),
        ("2026-11-21 18:00", "2026-11-23 13:00", 4),  # over a Sunday
        ("2026-11-22 01:00", "2026-11-22 23:00", 0),
        ("2026-11-10 18:00", "2026-11-12 13:00", 4),  # over a holiday
        ("2026-11-23 14:00", "2026-11-23 10:00", 0),
        ("2026-03-28 18:00", "2026-03-30 11:00", 2),  # over the change to summer time
    ],
)
def test_only_hours_of_opening_count(start, end, hours):
    assert open_time(paris(start), paris(end)) == timedelta(hours=hours)


@given(st.integers(0, 60 * 24 * 400), st.sampled_from(list(Priority)))
def test_it_is_the_inverse_of_the_deadline(minutes, priority):
    opened_at = paris("2026-01-01 00:00") + timedelta(minutes=minutes)
    due_at = deadline(opened_at, priority)
    hours = FIRST_ANSWER_HOURS[priority]

    assert open_time(opened_at, due_at) == timedelta(hours=hours)
    risk_at = risk_starts(opened_at, priority)
    assert open_time(risk_at, due_at) == timedelta(hours=hours / 4)
    assert after_open_hours(opened_at, timedelta(hours=hours)) == due_at


@pytest.mark.parametrize(
    "at, words",
    [
        ("2026-11-27 13:00", "vendredi 27 novembre 2026 à 13\u00a0h"),
        ("2026-11-01 09:05", "dimanche 1er novembre 2026 à 9\u00a0h\u00a005"),
    ],
)
def test_moments_are_said_in_full(at, words):
    assert full_moment(paris(at)) == words
