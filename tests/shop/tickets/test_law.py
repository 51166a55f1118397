from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shop import hours
from chat.shop.tickets.law import (
    hidden_defects,
    last_day_to_withdraw,
    legal_conformity,
    mediation,
    withdrawal,
)
from chat.shop.tickets.rules import Applies


@pytest.mark.parametrize(
    "delivered_on, days, applies",
    [
        (date(2021, 3, 10), 0, Applies.YES),
        (date(2021, 3, 10), 729, Applies.YES),
        (date(2021, 3, 10), 730, Applies.YES),
        (date(2021, 3, 10), 731, Applies.NO),
        (date(2023, 3, 10), 731, Applies.YES),
        (date(2023, 3, 10), 732, Applies.NO),
        (date(2024, 2, 29), 730, Applies.YES),  # 28 February 2026
        (date(2024, 2, 29), 731, Applies.NO),
    ],
)
def test_conformity_lasts_two_years_of_the_calendar(delivered_on, days, applies):
    card = legal_conformity(delivered_on, delivered_on + timedelta(days=days))

    assert card.applies is applies
    assert card.source == "Code de la consommation, articles L217-3 et suivants"


def test_conformity_is_not_put_off_to_a_working_day():
    card = legal_conformity(date(2024, 3, 14), date(2026, 3, 14))

    assert card.ends_on == date(2026, 3, 14)  # a Saturday
    assert card.why == "Elle couvre les défauts apparus jusqu'au 14 mars 2026 inclus."


def test_conformity_leaves_an_accident_to_an_adviser():
    card = legal_conformity(date(2026, 1, 5), date(2026, 6, 1), "le chat a tout griffé")

    assert card.applies is Applies.UNKNOWN
    assert card.ends_on == date(2028, 1, 5)


def test_conformity_that_is_over_is_over_for_accidents_too():
    card = legal_conformity(date(2020, 1, 5), date(2026, 6, 1), "une tache")

    assert card.applies is Applies.NO


@pytest.mark.parametrize("delivered_on", [None, date(2026, 6, 2)])
def test_conformity_without_a_delivery_is_not_known(delivered_on):
    card = legal_conformity(delivered_on, date(2026, 6, 1))

    assert (card.applies, card.ends_on) == (Applies.UNKNOWN, None)


@pytest.mark.parametrize(
    "discovered_on, on, delivered_on, applies, ends_on",
    [
        (None, date(2026, 6, 1), date(2020, 1, 1), Applies.UNKNOWN, None),
        (date(2024, 6, 1), date(2026, 6, 1), None, Applies.YES, date(2026, 6, 1)),
        (date(2024, 6, 1), date(2026, 6, 2), None, Applies.NO, date(2026, 6, 1)),
        (date(2026, 5, 1), date(2026, 6, 1), date(2019, 1, 1), Applies.YES, date(2028, 5, 1)),
        (date(2026, 6, 2), date(2026, 6, 1), None, Applies.UNKNOWN, None),
        (date(2019, 1, 1), date(2026, 6, 1), date(2020, 1, 1), Applies.UNKNOWN, None),
    ],
)
def test_hidden_defects_run_from_their_discovery(discovered_on, on, delivered_on, applies, ends_on):
    card = hidden_defects(discovered_on, on, delivered_on)

    assert (card.applies, card.ends_on) == (applies, ends_on)
    assert card.source == "Code civil, articles 1641 et suivants"


@pytest.mark.parametrize(
    "delivered_on, last",
    [
        (date(2026, 11, 2), date(2026, 11, 16)),  # Monday to Monday: the day of delivery is free
        (date(2026, 11, 6), date(2026, 11, 20)),  # to a Friday
        (date(2026, 11, 7), date(2026, 11, 23)),  # a Saturday goes on to Monday
        (date(2026, 11, 8), date(2026, 11, 23)),  # and so does a Sunday
        (date(2026, 10, 28), date(2026, 11, 12)),  # 11 November is a holiday
        (date(2026, 12, 11), date(2026, 12, 28)),  # Christmas, then a week-end
        (date(2026, 12, 18), date(2027, 1, 4)),  # New Year, then a week-end
        (date(2026, 3, 23), date(2026, 4, 7)),  # Easter Monday
        (date(2026, 4, 30), date(2026, 5, 15)),  # Ascension Day, a Thursday
        (date(2028, 2, 15), date(2028, 2, 29)),
        (date(2026, 3, 20), date(2026, 4, 3)),  # over the change of the clocks
    ],
)
def test_withdrawal_ends_on_a_working_day(delivered_on, last):
    assert last_day_to_withdraw(delivered_on) == last

    on_time = withdrawal(delivered_on, last, is_distance_sale=True)
    late = withdrawal(delivered_on, last + timedelta(days=1), is_distance_sale=True)

    assert (on_time.applies, on_time.ends_on) == (Applies.YES, last)
    assert (late.applies, late.ends_on) == (Applies.NO, last)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_withdrawal_is_never_shorter_than_fourteen_days(delivered_on):
    last = last_day_to_withdraw(delivered_on)

    assert 14 <= (last - delivered_on).days <= 19
    assert last.weekday() < 5
    assert hours.holiday_of(last) == ""


@pytest.mark.parametrize(
    "delivered_on, remote, measured, applies",
    [
        (date(2026, 6, 1), False, False, Applies.NO),
        (date(2026, 6, 1), True, True, Applies.NO),
        (date(2026, 6, 1), True, None, Applies.UNKNOWN),
        (date(2026, 6, 1), None, False, Applies.UNKNOWN),
        (date(2026, 6, 1), None, True, Applies.NO),
        (None, True, False, Applies.UNKNOWN),
        (date(2026, 7, 1), True, False, Applies.YES),  # ordered, not delivered yet
        (date(2026, 1, 5), None, None, Applies.NO),
    ],
)
def test_withdrawal_depends_on_the_sale(delivered_on, remote, measured, applies):
    card = withdrawal(
        delivered_on, date(2026, 6, 10), is_distance_sale=remote, is_made_to_measure=measured
    )

    assert card.applies is applies
    assert card.why.endswith(".")


def test_mediation_is_free_and_has_no_end():
    card = mediation()

    assert (card.applies, card.ends_on) == (Applies.YES, None)
    assert "L612-1" in card.source
    assert "gratuite" in card.label
