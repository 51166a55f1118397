"""Search texts of a product: folded words, grouped by weight. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat.shop.catalog.words import STOP_WORDS, kinds_of_material, words_of


@dataclass(frozen=True, slots=True)
class ProductWords:
    """Folded words in four texts of decreasing weight.

    ``head``: kind and proper name, "canape oslo" of "Canapé d'angle OSLO", so that "lit" ranks a
    bed above a bedside table.
    """

    head: str
    name: str
    facts: str
    text: str


def words_of_product(
    *,
    name: str,
    category: str,
    materials: Sequence[str],
    colours: Sequence[str],
    features: Sequence[str],
    description: str,
) -> ProductWords:
    """Return the search texts of a product."""
    proper = [word for part in name.split() if part.isupper() for word in words_of(part)]
    first = [word for word in words_of(name) if len(word) > 1][:1]
    facts = [*materials, *kinds_of_material(materials), *colours, *features, category]
    return ProductWords(
        head=_joined([*first, *proper]),
        name=_joined(words_of(name)),
        facts=_joined([word for fact in facts for word in words_of(fact)]),
        text=_joined([w for w in words_of(description) if w not in STOP_WORDS]),
    )


def _joined(words: Sequence[str]) -> str:
    return " ".join(dict.fromkeys(word for word in words if len(word) > 1))
