from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import snowballstemmer

from chat.shop.catalog.product_words import words_of_product
from chat.shop.catalog.query_parser import colour_words
from chat.shop.catalog.words import (
    alternatives,
    distance,
    folded,
    kinds_of_material,
    nearest_word,
    stem,
)


@pytest.mark.parametrize(
    "text, plain",
    [("Canapé", "canape"), ("l’Étagère", "l'etagere"), ("Cœur", "coeur"), ("TROMSØ", "tromso")],
)
def test_folding_takes_accents_away(text, plain):
    assert folded(text) == plain


@pytest.mark.parametrize(
    "one, other",
    [("chaise", "chaises"), ("convertible", "convertibles"), ("bleu", "bleue"), ("rond", "ronde")],
)
def test_plural_and_feminine_share_a_stem(one, other):
    assert stem(one) == stem(other)


@pytest.fixture
def busy_threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that take the interpreter from each other as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(4) as threads:
        yield threads
    sys.setswitchinterval(before)


def test_searches_at_once_do_not_mix_their_words(busy_threads):
    endings = ("es", "aux", "ement", "euse", "ation")
    words = [f"meubl{chr(97 + n % 26)}{chr(97 + n // 26)}{e}" for n in range(100) for e in endings]
    stemmer = snowballstemmer.stemmer("french")
    assert list(busy_threads.map(stem, words)) == [stemmer.stemWord(word) for word in words]


@pytest.mark.parametrize("one, other", [("table", "tableau"), ("lit", "litiere")])
def test_other_words_do_not(one, other):
    assert stem(one) != stem(other)


@pytest.mark.parametrize(
    "left, right, limit, expected",
    [
        ("canape", "canape", 2, 0),
        ("canpae", "canape", 2, 1),
        ("canap", "canape", 2, 1),
        ("fauteuille", "fauteuil", 2, 2),
        ("lit", "armoire", 2, 3),
        ("abcdef", "uvwxyz", 2, 3),
    ],
)
def test_distance_counts_slips(left, right, limit, expected):
    assert distance(left, right, limit) == expected


@pytest.mark.parametrize(
    "word, meant", [("comode", "commode"), ("fauteuille", "fauteuil"), ("lot", ""), ("licorne", "")]
)
def test_nearest_word_forgives_little_in_short_words(word, meant):
    assert nearest_word(word, ["commode", "fauteuil", "lit", "lampe"]) == meant


def test_customers_words_stand_for_the_catalogues():
    assert alternatives("sofas") == ("canape", "sofas")
    assert alternatives("canape") == ("canape",)


def test_oak_is_wood():
    assert kinds_of_material(["Chêne massif", "Acier laqué"]) == ["bois", "metal"]
    assert kinds_of_material(["Mousse"]) == []


def test_colours_are_looked_for_by_family_and_by_shade():
    assert colour_words(["Bleu nuit", "Anthracite"]) == "|bleu|bleu nuit|gris|gris anthracite|"
    assert colour_words(["Chêne naturel"]) == ""


def test_words_of_a_product_weigh_by_where_they_stand():
    words = words_of_product(
        name="Canapé d'angle OSLO",
        category="Salon",
        materials=["Hêtre massif"],
        colours=["Vert"],
        features=[],
        description="Le grand canapé des dimanches",
    )

    assert words.head == "canape oslo"
    assert words.name == "canape angle oslo"
    assert words.facts == "hetre massif bois vert salon"
    assert "dimanches" in words.text.split()
