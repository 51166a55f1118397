"""Parser of search requests in French, e.g. "canapé bleu moins de 1500 €". Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from chat.shop.catalog.colours import take_colours
from chat.shop.catalog.quantities import Found, take_quantities
from chat.shop.catalog.query import ProductQuery, Range
from chat.shop.catalog.words import STOP_WORDS, folded

MAX_QUERY_CHARS = 300
MAX_WORDS = 8

#: Parts separated by blanks or nothing count only in capitals: "lit bas 160" is not a reference.
_REFERENCES = (
    re.compile(r"(?<![^\W_])([A-Za-z]{3})[-_]([A-Za-z]{3})[-_](\d{3})(?![^\W_])"),
    re.compile(r"(?<![^\W_])([A-Z]{3}) ?([A-Z]{3}) ?(\d{3})(?![^\W_])"),
)
_CHEAP = re.compile(r"(?<!\w)(?:pas (?:trop )?chere?s?|moins chere?s?|petits? prix|economiques?)\b")
#: Folded expressions that name a whole category.
_CATEGORIES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (slug, re.compile(rf"(?<!\w)(?:{said})(?!\w)"))
    for slug, said in (
        ("salle-a-manger", r"salles? a manger|coin repas"),
        ("salon", r"salons?|sejours?"),
        ("chambre", r"chambres?(?: a coucher)?"),
        ("decoration", r"decorations?|deco"),
    )
)
#: Expressions that are equivalent to one word of the catalogue.
_EXPRESSIONS = (
    (re.compile(r"(?<!\w)(?:clic[ -]?clac|bz|canapes?[ -]lits?)(?!\w)"), " canape convertible "),
    (re.compile(r"(?<!\w)tables? a manger(?!\w)"), " table repas "),
    (re.compile(r"(?<!\w)(?:meubles?|bancs?) (?:tele|television|tv)(?!\w)"), " tv "),
    (re.compile(r"(?<!\w)garde[ -]robes?(?!\w)"), " armoire "),
    (re.compile(r"(?<!\w)repose[ -]pieds?(?!\w)"), " pouf "),
    (re.compile(r"(?<!\w)tables? de nuit(?!\w)"), " chevet "),
    (re.compile(r"(?<!\w)(?:[cdjlmnst]|qu)'"), " "),
)
_BED = re.compile(r"(?<!\w)(?:lits?|matelas|sommiers?|couchages?|tetes? de lits?)(?!\w)")
#: Widths of mattresses sold in France, in cm.
_BED_WIDTHS_CM = {80, 90, 120, 140, 160, 180, 200}


def parse_query(text: str) -> ProductQuery:
    """Parse a request; parts that are not recognised are ignored."""
    request = text[:MAX_QUERY_CHARS]
    reference, text = _taken_reference(request)
    text = folded(text)
    cheapest = _CHEAP.search(text) is not None
    text = _CHEAP.sub(" ", text)
    for pattern, meant in _EXPRESSIONS:
        text = pattern.sub(meant, text)
    found, text = take_quantities(text, bed=_BED.search(text) is not None)
    colours, text = take_colours(text)
    category, text = _taken_category(text)
    words = [word for word in re.findall(r"[a-z0-9]+", text) if word not in STOP_WORDS]
    words = [word for word in words if len(word) > 1]
    query = ProductQuery(
        words=tuple(dict.fromkeys(words))[:MAX_WORDS],
        colours=colours,
        category=category,
        reference=reference,
        cheapest_first=cheapest,
        price=found.price,
        seats=found.seats,
        sizes=tuple(found.sizes),
        footprint_mm=found.footprint_mm,
        bed_mm=found.bed_mm,
    )
    return _read_as_bed(query, found) if _BED.search(folded(request)) else query


def _taken_reference(text: str) -> tuple[str, str]:
    for pattern in _REFERENCES:
        if match := pattern.search(text):
            bare = f"{text[: match.start()]} {text[match.end() :]}"
            return "-".join(match.groups()).upper(), bare
    return "", text


def _taken_category(text: str) -> tuple[str, str]:
    for slug, pattern in _CATEGORIES:
        if pattern.search(text):
            return slug, pattern.sub(" ", text)
    return "", text


def _read_as_bed(query: ProductQuery, found: Found) -> ProductQuery:
    """Interpret "160", "140x190" and "2 places" as the mattress size of a bed."""
    if found.bed_mm:
        return query
    bed = Range()
    width = next((word for word in query.words if word.isdigit()), "")
    if width and int(width) in _BED_WIDTHS_CM:
        bed = Range(int(width) * 10, int(width) * 10)
        query = replace(query, words=tuple(word for word in query.words if word != width))
    elif query.footprint_mm:
        bed = Range(min(query.footprint_mm), min(query.footprint_mm))
        query = replace(query, footprint_mm=None)
    elif query.seats and not {"canape", "banquette"} & set(query.words):
        single = (query.seats.at_least or 0) < 2
        bed = Range(None, 1200) if single else Range(1400, None)
        query = replace(query, seats=Range())
    return replace(query, bed_mm=bed)
