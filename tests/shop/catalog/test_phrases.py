from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chat.shop.catalog import phrases
from chat.shop.catalog.models import Product

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def product(**values) -> Product:
    given = {"price_min_cents": 129_900, "price_max_cents": 129_900, **values}
    return Product(reference="SAL-CAP-001", name="Canapé OSLO", **given)


@pytest.mark.parametrize(
    "cents, said", [(129_900, "1\u202f299 €"), (3490, "34,90 €"), (5, "0,05 €"), (100, "1 €")]
)
def test_euros_are_written_as_in_french(cents, said):
    assert phrases.euros(cents) == said


def test_a_range_of_prices_is_said_as_one():
    assert phrases.price(product()) == "1\u202f299 €"
    assert phrases.price(product(price_max_cents=150_000)) == "de 1\u202f299 € à 1\u202f500 €"


@pytest.mark.parametrize(
    "values, said",
    [
        ({}, "à confirmer par un conseiller"),
        ({"stock": 3, "stock_at": NOW}, "3 en stock (relevé du 23/11/2026)"),
        ({"stock": 0, "stock_at": NOW}, "pas en stock, à commander (relevé du 23/11/2026)"),
        (
            {"stock": 3, "stock_at": NOW - timedelta(days=8)},
            "3 en stock (relevé du 15/11/2026, à confirmer)",
        ),
    ],
)
def test_stock_is_said_with_its_time(values, said):
    assert phrases.stock(product(**values), NOW) == said


@pytest.mark.parametrize(
    "weeks, said",
    [((0, 0), "immédiate"), ((1, 1), "1 semaine"), ((6, 8), "de 6 à 8 semaines")],
)
def test_delivery_is_said_in_weeks(weeks, said):
    low, high = weeks

    assert phrases.delivery(product(delivery_weeks_min=low, delivery_weeks_max=high)) == said


def test_sizes_are_said_in_centimetres():
    sofa = product(width_mm=2125, depth_mm=920, bed_width_mm=1600, bed_length_mm=2000)

    assert phrases.dimensions(sofa) == "L 212,5 × P 92 cm"
    assert phrases.dimensions(sofa, "packed_") == ""
    assert phrases.bed_size(sofa) == "160 × 200 cm"


def test_a_product_of_unknown_size_is_not_guessed_through_a_door():
    assert phrases.passage(product(width_mm=100), 730, 2040).startswith("À confirmer")


def test_the_parcel_passes_the_door_and_not_the_furniture():
    size = {"width_mm": 2000, "depth_mm": 900, "height_mm": 900}
    parcel = {"packed_width_mm": 2000, "packed_depth_mm": 400, "packed_height_mm": 200}

    assert phrases.passage(product(**size), 730, 2040).startswith("Non")
    assert phrases.passage(product(**size, **parcel), 730, 2040).startswith("Oui")
