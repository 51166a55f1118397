from __future__ import annotations

import pytest

from chat.orders.proof import is_postcode, proofs_in, proves

EMAIL, POSTCODE = "Camille@example.fr", "75011"


@pytest.mark.parametrize(
    "given",
    [
        ["camille@example.fr"],
        [" CAMILLE@Example.FR "],
        ["camille @ example.fr"],
        ["75011"],
        ["75 011"],
        ["７５０１１"],
        ["zoe@example.fr", "75011"],
    ],
)
def test_either_proves_whatever_its_case_and_spaces(given):
    assert proves(given, EMAIL, POSTCODE)


@pytest.mark.parametrize(
    "given",
    [
        [],
        [""],
        [" "],
        ["-"],
        ["75012"],
        ["7501"],
        ["750111"],
        ["camille"],
        ["camille@example.f"],
        ["zoe@example.fr", "13001"],
        ["\ud800"],
    ],
)
def test_anything_else_proves_nothing(given):
    assert not proves(given, EMAIL, POSTCODE)


@pytest.mark.parametrize("given", [[""], ["-"], ["\u200b"], ["75011"]])
def test_nothing_proves_an_order_without_proofs(given):
    assert not proves(given, "", "")


def test_a_postcode_abroad_is_compared_without_its_dash():
    assert proves(["AB1-234"], EMAIL, "ab1 234")


@pytest.mark.parametrize("text", ["75011", "2A004", "75 011", "L-1009", "SW1A 1AA"])
def test_postcodes_are_taken(text):
    assert is_postcode(text)


@pytest.mark.parametrize("text", ["", "7", "750", "75011!", "x" * 11])
def test_what_is_no_postcode_is_not(text):
    assert not is_postcode(text)


@pytest.mark.parametrize(
    "texts, proofs",
    [
        (["mon code postal est 75011."], ("75011",)),
        (["c'est Camille@Example.fr, merci"], ("camille@example.fr",)),
        (["CMD-2025-54321 75011"], ("75011",)),
        (["CMD-2025-54321"], ()),
        (["2025-54321"], ()),
        (["un canapé à 12 900 € ou 15000 euros, 06 12 34 56 78, 0612345678"], ()),
        (["75 011 Paris"], ("75011",)),
        (["20000 Ajaccio, ou 2A000"], ("2a000", "20000")),
        (["75011", "13001", "69003"], ("75011", "13001")),
        (["75011 13001 69003"], ("69003", "13001")),
        (["75011", "75011", "69003"], ("75011", "69003")),
        (["moi12345@example.fr"], ("moi12345@example.fr",)),
        ([], ()),
    ],
)
def test_the_newest_proofs_are_found_in_a_conversation(texts, proofs):
    assert proofs_in(texts) == proofs
