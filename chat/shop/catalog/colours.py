"""Colour names in a customer's text, and the families that they belong to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from chat.shop.catalog.words import folded

#: Folded synonyms and shades of each colour family.
_FAMILIES: dict[str, str] = {
    "blanc": "blanc blanche ivoire casse nacre",
    "beige": "beige ecru sable creme lin naturel ficelle avoine",
    "gris": "gris grise anthracite ardoise perle souris",
    "taupe": "taupe",
    "noir": "noir noire ebene",
    "bleu": "bleu bleue marine petrole indigo turquoise canard",
    "vert": "vert verte sauge olive kaki emeraude sapin",
    "jaune": "jaune moutarde ocre safran curry",
    "orange": "orange terracotta rouille",
    "rouge": "rouge bordeaux brique carmin",
    "rose": "rose poudre",
    "violet": "violet violette prune lilas",
    "marron": "marron brun brune camel cognac chocolat tabac havane caramel fauve",
    "dore": "dore doree laiton",
    "argente": "argente argentee",
}
#: Shades that follow the name of a colour: "blanc cassé", "gris clair".
_SHADES = (
    "clair claire fonce foncee pale marine nuit canard ciel petrole anthracite perle souris sauge"
    " sapin olive kaki moutarde poudre casse tendre roi electrique ardoise"
)
#: Shades that are not a colour by themselves: "lin" alone is a fabric, "laiton" a metal.
_NEVER_ALONE = {"casse", "perle", "souris", "lin", "naturel", "laiton", "canard", "poudre", "prune"}

FAMILY_OF = {name: family for family, names in _FAMILIES.items() for name in names.split()}
_ALONE = "|".join(sorted(set(FAMILY_OF) - _NEVER_ALONE, key=len, reverse=True))
_COLOUR = re.compile(
    rf"(?<![a-z0-9])({_ALONE})s?(?:[ -]+({'|'.join(_SHADES.split())})s?)?(?![a-z0-9])"
)
_TWO_WORDS = re.compile(r"(?<![a-z0-9])terre (?:de sienne|cuite)(?![a-z0-9])")


def take_colours(text: str) -> tuple[tuple[str, ...], str]:
    """Extract the colours of a folded text; return them and the remaining text.

    ``"canape bleu marine"`` gives ``("bleu marine",)`` and ``"canape  "``.
    """
    text = _TWO_WORDS.sub("terracotta", text)
    found = [_said(match) for match in _COLOUR.finditer(text)]
    return tuple(dict.fromkeys(found)), _COLOUR.sub(" ", text)


def _said(match: re.Match[str]) -> str:
    name, shade = match.group(1), match.group(2)
    family = FAMILY_OF[name]
    own = name if name.rstrip("e") != family.rstrip("e") and not name.startswith(family) else ""
    if family == "blanc" and name == "blanche":
        own = ""
    return " ".join(part for part in (family, own, shade) if part)


def family_of(colour: str) -> str:
    """Return the family of a colour from ``take_colours``: "bleu" of "bleu marine"."""
    return colour.split()[0]


def colour_words(colours: Iterable[str]) -> str:
    """Return the searchable form of a product's colours: ``"|bleu|bleu marine|"``."""
    said = [colour for text in colours for colour in take_colours(folded(text))[0]]
    both = [name for colour in said for name in (family_of(colour), colour)]
    return f"|{'|'.join(dict.fromkeys(both))}|" if both else ""
