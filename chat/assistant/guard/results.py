"""A tool's result, read leaf by leaf as the text that a sentence may repeat. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from chat.assistant.guard.visible_text import folded
from chat.core.json import JSON

#: Keys of a tool's result under which a thing says its name.
_NAMES = ("name", "nom", "reference", "produit", "product")
#: Words that somebody chose freely: they prove nothing, whoever wrote them.
FREE = frozenset(
    (
        *_NAMES,
        "description",
        "items",
        "atouts",
        "error",
        "erreur",
        "categorie",
        "caption",
        "legende",
    )
)
_CENTS = re.compile(r"_cents\Z")
_EUROS = re.compile(r"(?:prix|price|montant|total|amount)|_eur\Z")
_UNIT_KEYS = {
    re.compile(r"weeks|semaines"): "semaines",
    re.compile(r"days|jours"): "jours",
    re.compile(r"months|mois"): "mois",
    re.compile(r"years|annees|_ans\Z"): "ans",
    re.compile(r"hours|heures"): "heures",
}
_STOCK_KEYS = re.compile(r"stock|quantit|disponib")


def said_in(value: Any, name: str, key: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield each leaf as text with the thing it belongs to and its key."""
    match value:
        case dict():
            own = _name_of(value) or name
            for inner_key, inner in value.items():
                yield from said_in(inner, own, str(inner_key))
        case list() | tuple():
            for inner in value:
                yield from said_in(inner, name, key)
        case bool() | None:
            if _STOCK_KEYS.search(key) and value is not None:
                yield name, key, "en stock" if value else "rupture"
        case int() | float():
            yield name, key, _number(key, value)
        case _:
            yield name, key, str(value)


def _name_of(thing: JSON) -> str:
    """The words by which a sentence would call it: its name, without what follows a comma."""
    for key in _NAMES:
        if isinstance(thing.get(key), str) and thing[key].strip():
            return folded(thing[key].split(",")[0].strip())
    return ""


def _number(key: str, number: float) -> str:
    if _CENTS.search(key):
        return f"{number / 100:.2f} €"
    if _EUROS.search(key):
        return f"{number:.2f} €"
    for pattern, unit in _UNIT_KEYS.items():
        if pattern.search(key):
            return f"{number:g} {unit}"
    if _STOCK_KEYS.search(key):
        return f"reste {number:g}, {'en stock' if number > 0 else 'rupture'}"
    return f"{number:g}"
