from __future__ import annotations

from datetime import date

import pytest

from devtools.evaluation.matching import is_in, phrase, states_amount, states_date


@pytest.mark.parametrize(
    "text", ["L'ÉTAGE", "à l’étage", "à l'**étage**", "a l'etage", "à  l'étage"]
)
def test_accents_case_and_stars_make_no_difference(text):
    assert is_in(phrase("l'étage"), text)


def test_classes_of_a_pattern_keep_their_meaning():
    assert is_in(phrase(r"porte\W+\d+\s\S"), "PORTE : 83 x")
    assert not is_in(phrase(r"\S\S"), "a b")


@pytest.mark.parametrize(
    "text", ["1 290 €", "1290€", "1\u202f290\u00a0€", "1.290 euros", "1290,00 €", "1 290 EUR"]
)
def test_amount_is_found_in_any_usual_writing(text):
    assert states_amount(129000, f"Il coûte {text}.")


@pytest.mark.parametrize("text", ["11 290 €", "1 290,50 €", "290 €", "1 290 cm", "1 291 €", ""])
def test_other_amount_is_not_taken_for_it(text):
    assert not states_amount(129000, f"Il coûte {text}.")


def test_cents_are_part_of_an_amount():
    assert states_amount(3450, "34,50 €")
    assert not states_amount(3450, "34 €")


@pytest.mark.parametrize("text", ["le 12 mars 2027", "12/03/2027", "2027-03-12", "12/3/2027"])
def test_date_is_found_in_any_usual_writing(text):
    assert states_date(date(2027, 3, 12), f"Elle court jusqu'au {text}.")


@pytest.mark.parametrize(
    "text", ["2 mars 2027", "12 mars 2028", "12 mars", "112/03/2027", "112 mars 2027"]
)
def test_other_date_is_not_taken_for_it(text):
    assert not states_date(date(2027, 3, 12), text)


@pytest.mark.parametrize("text", ["1er août 2026", "1 août 2026"])
def test_first_of_a_month_has_two_writings(text):
    assert states_date(date(2026, 8, 1), text)
