from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.shop.orders.proof import CANONICAL, numbers_in, read_number, without_numbers

OURS = "CMD-2025-54321"


@pytest.mark.parametrize(
    "text",
    [
        "CMD-2025-54321",
        "cmd-2025-54321",
        "cmd 2025 54321",
        "CMD202554321",
        "CMD2025-54321",
        "cmd_2025_54321",
        "CMD.2025.54321",
        "cmd: 2025/54321",
        "n° CMD-2025-54321.",
        "N°CMD 2025 54321",
        "№ CMD-2025-54321",
        "commande 2025-54321",
        "Commande n°2025-54321",
        "ma commande n° CMD 2025 54321 !",
        "numéro : CMD-2025-54321",
        "c'est la commande CMD-2025-54321",
        "c’est CMD-2025-54321",
        "2025-54321",
        "202554321",
        "  « CMD-2025-54321 »  ",
        "CMD–2025–54321",
        "CMD\u00a02025\u00a054321",
        "CMD\u20112025\u201154321",
        "ＣＭＤ－２０２５－５４３２１",
        "CMD-٢٠٢٥-٥٤٣٢١",
    ],
)
def test_a_number_is_read_in_any_usual_typing(text):
    assert read_number(text) == OURS
    assert numbers_in(text) == (OURS,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "54321",
        "2025",
        "CMD",
        "CMD-25-54321",
        "CMD-2025-5432",
        "CMD-2025-543210",
        "CMD-1025-54321",
        "XCMD-2025-54321",
        "CMD-2025-54321A",
        "CMD-2025-54321-1",
        "ABC-2025-54321",
        "SAV-2025-54321",
        "06 12 34 56 78",
        "0202554321",
        "75011",
        "SAL-CAP-001",
        "commande",
        "CMD-2025-54321 CMD-2025-54322",
        "CMD-2025-54321, 75011",
        "🛋️",
        "\ud800",
    ],
)
def test_what_is_no_number_is_none(text):
    assert read_number(text) is None


@pytest.mark.parametrize(
    "text, found",
    [
        ("où est ma commande cmd 2025 54321 ?", (OURS,)),
        ("CMD-2025-54321 et CMD-2026-10001", (OURS, "CMD-2026-10001")),
        ("CMD-2025-54321, oui cmd202554321", (OURS,)),
        ("commande 2025-54321, code 75011", (OURS,)),
        ("livrée en 2025, 54321 Ville", ()),
        ("le 2025-54321 quelque chose", ()),
        ("CMD-2025-543210", ()),
        ("", ()),
    ],
)
def test_numbers_are_found_in_a_text(text, found):
    assert numbers_in(text) == found


@pytest.mark.parametrize("text", ["CMD-2025-54321 75011", "75011 : cmd 2025 54321"])
def test_what_is_left_holds_no_digit_of_a_number(text):
    assert "54321" not in without_numbers(text)
    assert "75011" in without_numbers(text)


numbers = st.builds("CMD-{:04}-{:05}".format, st.integers(2000, 2999), st.integers(0, 99_999))


@given(numbers)
def test_a_canonical_number_reads_back(number):
    assert CANONICAL.fullmatch(number)
    assert read_number(number) == number


@given(
    numbers,
    st.sampled_from(["", "-", " ", "_", ".", "/", " - ", "–"]),
    st.sampled_from(["cmd", "CMD", "Commande", "commande n°", "n° CMD", ""]),
    st.sampled_from(["", ".", " !", ",", " "]),
)
def test_separators_and_openings_change_nothing(number, separator, opening, end):
    _, year, digits = number.split("-")

    assert read_number(f"{opening}{separator}{year}{separator}{digits}{end}") == number


@given(st.text())
def test_any_text_is_read_without_harm(text):
    number = read_number(text)

    assert number is None or CANONICAL.fullmatch(number)
    assert all(CANONICAL.fullmatch(found) for found in numbers_in(text))


@pytest.mark.parametrize("text", [" " * 100_000, "cmd" * 50_000, "2025" * 50_000, "n°" * 50_000])
def test_long_texts_are_read_to_a_bound(text):
    assert read_number(text) is None
    assert numbers_in(text) == ()
