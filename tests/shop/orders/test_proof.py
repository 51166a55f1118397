from __future__ import annotations

import pytest

from chat.shop.orders.proof import counted_proof, is_family_name, is_postcode, proofs_in, proves

ORDER = {"email": "Camille@example.fr", "postcode": "75011", "customer_name": "Camille Martin"}


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
    assert proves(given, "Martin", **ORDER)


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
    assert not proves(given, "Martin", **ORDER)


@pytest.mark.parametrize("name", ["", " ", "Martinez", "Camille", "Mart", "M. et Mme", "Zoé Petit"])
def test_a_postcode_proves_nothing_without_the_family_name(name):
    assert not proves(["75011"], name, **ORDER)
    assert proves(["camille@example.fr"], name, **ORDER)


def test_a_name_proves_nothing_by_itself():
    assert not proves(["Martin", ""], "Martin", **ORDER)
    assert not proves(["75012"], "Martin", **ORDER)


@pytest.mark.parametrize(
    "given, own",
    [
        ("Lefèvre", "Marie Lefèvre"),
        ("Mme LEFEVRE", "Marie Lefèvre"),
        ("Lefevre Marie", "Marie Lefèvre"),
        ("Paul Lefèvre", "Marie Lefèvre"),
        ("le goff", "Yann Le Goff"),
        ("Dupont-Durand", "Jean Dupont-Durand"),
        ("Jean", "Jean"),
    ],
)
def test_family_name_is_the_last_word_however_it_is_written(given, own):
    assert is_family_name(given, own)


@pytest.mark.parametrize(
    "given, own",
    [
        ("", "Marie Lefèvre"),
        ("Marie", "Marie Lefèvre"),
        ("Bernard Petit Lefèvre Thomas", "Marie Lefèvre"),
        ("Lefèvre Martin Bernard Thomas Petit Robert", "Marie Lefèvre"),
        ("Lefèvre", ""),
        ("M.", "M."),
    ],
)
def test_other_names_and_lists_are_not(given, own):
    assert not is_family_name(given, own)


def test_wrong_tries_are_known_by_the_proof_with_its_name():
    assert counted_proof(" Camille@Example.FR", "Martin") == "camille@example.fr"
    assert counted_proof("75 011", "Mme Martin") == counted_proof("75011", "MARTIN")
    assert counted_proof("75011", "Petit") != counted_proof("75011", "Martin")
    assert counted_proof(" ", "Martin") == ""


@pytest.mark.parametrize("given", [[""], ["-"], ["\u200b"], ["75011"]])
def test_nothing_proves_an_order_without_proofs(given):
    assert not proves(given, "Martin", email="", postcode="", customer_name="Camille Martin")


def test_a_postcode_abroad_is_compared_without_its_dash():
    assert proves(["AB1-234"], "Martin", **{**ORDER, "postcode": "ab1 234"})


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
