from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shop.tickets.rules import in_french, years_after


@pytest.mark.parametrize(
    "day, years, last",
    [
        (date(2021, 3, 10), 2, date(2023, 3, 10)),
        (date(2023, 3, 10), 2, date(2025, 3, 10)),
        (date(2024, 2, 29), 2, date(2026, 2, 28)),
        (date(2024, 2, 29), 3, date(2027, 2, 28)),
        (date(2024, 2, 29), 4, date(2028, 2, 29)),
        (date(2024, 2, 29), 5, date(2029, 2, 28)),
        (date(2023, 2, 28), 5, date(2028, 2, 28)),
        (date(2096, 2, 29), 4, date(2100, 2, 28)),
    ],
)
def test_a_period_of_years_ends_with_the_day_of_the_same_number(day, years, last):
    assert years_after(day, years) == last


@given(st.dates(max_value=date(9990, 1, 1)), st.integers(1, 5))
def test_a_period_of_years_is_as_long_as_its_years(day, years):
    length = years_after(day, years) - day

    assert timedelta(days=365 * years) <= length <= timedelta(days=365 * years + 2)


def test_a_year_that_cannot_be_written_is_refused():
    with pytest.raises(OverflowError):
        years_after(date(9998, 1, 1), 2)


@pytest.mark.parametrize(
    "day, text", [(date(2026, 3, 1), "1er mars 2026"), (date(2026, 8, 12), "12 août 2026")]
)
def test_days_are_written_in_french(day, text):
    assert in_french(day) == text
