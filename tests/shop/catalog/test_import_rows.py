from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chat.shop.catalog.import_rows import check_rows
from chat.shop.imports.reading import RawRow

GOOD: dict[str, Any] = {
    "reference": "SAL-CAP-001",
    "name": "Canapé OSLO",
    "category": "Salon",
    "price_eur": "1 299,00",
    "delivery_weeks_min": 6,
    "delivery_weeks_max": 8,
}


def checked(**changes: Any):
    fields = {**GOOD, **changes}
    return check_rows([RawRow(2, {name: v for name, v in fields.items() if v is not ...})])


def values(**changes: Any) -> dict[str, Any]:
    [row], problems = checked(**changes)
    assert problems == []
    found: dict[str, Any] = row.values
    return found


def faults(**changes: Any) -> list[tuple[str, str]]:
    rows, problems = checked(**changes)
    assert rows == []
    assert {problem.line for problem in problems} == {2}
    return [(problem.column, problem.message) for problem in problems]


@pytest.mark.parametrize(
    "said, low, high",
    [
        ("1 299,00", 129_900, 129_900),
        ("1\u202f299,50 €", 129_950, 129_950),
        ("1.299,00", 129_900, 129_900),
        ("1299.5", 129_950, 129_950),
        (1299, 129_900, 129_900),
        (34.9, 3490, 3490),
        ("899,00 - 1 299,00", 89_900, 129_900),
        ("899 à 1299 €", 89_900, 129_900),
    ],
)
def test_prices_in_euros_become_cents(said, low, high):
    found = values(price_eur=said)

    assert (found["price_min_cents"], found["price_max_cents"]) == (low, high)


def test_prices_may_be_given_in_cents_or_as_two_columns():
    in_cents = values(price_eur=..., price_cents=129_900)
    two = values(price_eur=..., price_min_eur="899", price_max_eur="1299")

    assert in_cents["price_min_cents"] == in_cents["price_max_cents"] == 129_900
    assert (two["price_min_cents"], two["price_max_cents"]) == (89_900, 129_900)


@pytest.mark.parametrize(
    "column, value",
    [
        *(("price_eur", value) for value in ("-5", "0", "gratuit", "1,005", "1e99", True, [1])),
        ("price_eur", "1 299 - 899"),
        *(("reference", value) for value in ("OSLO", "SAL-CAP-1", "SAL-CAP-0011", 12, "")),
        *(("name", value) for value in ("=SOMME(A1)", "+33", "@x", "-1+1", "x" * 101, 5, "a\x07")),
        ("name", "\ud800"),
        *(("width_cm", value) for value in ("0", "-3", "1001", "large", "21,25", True)),
        *(("width_mm", value) for value in (0.5, 10_001)),
        *(("seats", value) for value in (0, 31, "deux", 1.5)),
        *(("stock", value) for value in (-1, "beaucoup")),
        *(("stock_at", value) for value in ("hier", 12, "2026-13-01")),
        *(("image", value) for value in ("../etc.svg", "x.png", "A.svg")),
        ("is_active", "peut-être"),
        ("materials", 5),
        ("materials", ["a"] * 21),
        ("colours", ["=cmd()"]),
        ("prix_en_or", "1"),
    ],
)
def test_a_bad_value_is_told_by_its_column(column, value):
    [told] = [name for name, _ in faults(**{column: value})]

    assert told == ("price_max_eur" if value == "1 299 - 899" else column)


def test_every_fault_of_every_row_is_told():
    other = {**GOOD, "reference": "SAL-CAP-002", "price_eur": "-5", "name": ""}

    rows, problems = check_rows([RawRow(2, other), RawRow(3, GOOD), RawRow(4, GOOD)])

    assert [row.line for row in rows] == [3]
    assert [(problem.line, problem.column) for problem in problems] == [
        (2, "name"),
        (2, "price_eur"),
        (4, "reference"),
    ]
    assert "ligne 3" in problems[-1].message


@pytest.mark.parametrize("missing", ["reference", "name", "category", "delivery_weeks_min"])
def test_what_is_required_is_asked_for(missing):
    assert [column for column, _ in faults(**{missing: ...})] == [missing]


def test_values_that_contradict_each_other_are_told():
    assert [column for column, _ in faults(delivery_weeks_max=2)] == ["delivery_weeks_max"]
    assert [column for column, _ in faults(stock=3)] == ["stock_at"]
    assert [column for column, _ in faults(seats=4, seats_unfolded=2)] == ["seats_unfolded"]


def test_french_columns_and_lists_are_read():
    found = values(
        largeur_cm="212,5",
        matières="Chêne | Acier|",
        stock="4",
        actif="non",
        stock_le="2026-11-20T09:00+00:00",
    )

    assert found["width_mm"] == 2125
    assert found["materials"] == ["Chêne", "Acier"]
    assert found["stock_at"] == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert found["is_active"] is False
