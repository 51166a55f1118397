from __future__ import annotations

import pytest

from devtools.local_assistant import facts


@pytest.mark.parametrize(
    "text", ["CMD-2025-54321", "cmd 2025 54321", "ma commande cmd202554321.", "Cmd_2025-54321 ?"]
)
def test_order_number_is_read_however_it_is_typed(text):
    assert facts.order_number(text) == "CMD-2025-54321"


@pytest.mark.parametrize("text", ["", "54321", "CMD-25-54321", "CMD-2025-543210", "commande 2025"])
def test_other_numbers_are_no_order(text):
    assert facts.order_number(text) == ""


@pytest.mark.parametrize(
    "text, most",
    [
        ("moins de 800 €", 800),
        ("à moins de 1 200 euros", 1200),
        ("max 1.500", 1500),
        ("budget de 900", 900),
        ("pas plus de 400 €", 400),
        ("plus de 500 €", None),
        ("entre 300 et 600 €", 600),
        ("entre 1 000 € et 1 500 €", 1500),
        ("à partir de 100 jusqu'à 250", 250),
        ("j'ai 350 €", 350),
        ("moins de 200 cm", None),
        ("un lit de 160", None),
        ("plus de 5 ans", None),
        ("", None),
    ],
)
def test_highest_price_is_in_euros(text, most):
    assert facts.max_price(text) == most


@pytest.mark.parametrize(
    "text, terms",
    [
        ("Je cherche un canapé convertible gris à moins de 800 €", "canapé convertible gris"),
        ("avez-vous des tables basses en chêne ?", "tables basses chêne"),
        ("Bonjour", ""),
    ],
)
def test_search_terms_are_what_a_catalogue_knows(text, terms):
    assert facts.search_terms(text) == terms


def test_product_is_called_as_the_customer_does():
    assert facts.product_name("Mon canapé Oslo est cassé") == "canapé Oslo"
    assert facts.product_name("ma TABLE BASSE") == "TABLE"
    assert facts.product_name("bonjour") == ""


@pytest.mark.parametrize(
    "text, date", [("le 12/03/2025", "2025-03-12"), ("2025-03-12", "2025-03-12"), ("hier", "")]
)
def test_dates_are_iso(text, date):
    assert facts.iso_date(text) == date


@pytest.mark.parametrize(
    "text, postcode",
    [
        ("mon code est 75011.", "75011"),
        ("CMD-2025-54321, 75011", "75011"),
        ("CMD-2025-54321", ""),
        ("12345 €", ""),
        ("moi12345@example.fr 69003", "69003"),
        ("0612345678", ""),
    ],
)
def test_postcode_is_no_part_of_another_number(text, postcode):
    assert facts.postcode(text) == postcode


@pytest.mark.parametrize(
    "text, is_bare",
    [
        ("CMD-2025-54321", True),
        ("commande CMD-2025-54321, code postal 75011", True),
        ("75011", True),
        ("mon adresse : camille@example.fr", True),
        ("mon canapé CMD-2025-54321 est cassé", False),
        ("bonjour", False),
    ],
)
def test_a_bare_reference_says_nothing_else(text, is_bare):
    assert facts.is_bare_reference(text) is is_bare
