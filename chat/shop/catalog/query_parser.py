"""From a customer's words to what they want: "canapé bleu moins de 1500 €". Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from chat.catalog.colours import take_colours
from chat.catalog.quantities import Found, take_quantities
from chat.catalog.wanted import Range, Wanted
from chat.catalog.words import STOP_WORDS, folded

MAX_QUERY_CHARS = 300
MAX_WORDS = 8

#: Blanks, or nothing, between its parts only in capitals: "lit bas 160" is no reference.
_REFERENCES = (
    re.compile(r"(?<![^\W_])([A-Za-z]{3})[-_]([A-Za-z]{3})[-_](\d{3})(?![^\W_])"),
    re.compile(r"(?<![^\W_])([A-Z]{3}) ?([A-Z]{3}) ?(\d{3})(?![^\W_])"),
)
_CHEAP = re.compile(r"(?<!\w)(?:pas (?:trop )?chere?s?|moins chere?s?|petits? prix|economiques?)\b")
#: What names a category as a whole, folded.
_CATEGORIES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (slug, re.compile(rf"(?<!\w)(?:{said})(?!\w)"))
    for slug, said in (
        ("salle-a-manger", r"salles? a manger|coin repas"),
        ("salon", r"salons?|sejours?"),
        ("chambre", r"chambres?(?: a coucher)?"),
        ("decoration", r"decorations?|deco"),
    )
)
#: Expressions that mean one word of the catalogue.
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


def understand(query: str) -> Wanted:
    """Return what the request asks for; what is not understood is left out."""
    reference, text = _taken_reference(query[:MAX_QUERY_CHARS])
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
    wanted = Wanted(
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
    return _read_as_bed(wanted, found) if _BED.search(folded(query)) else wanted


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


def _read_as_bed(wanted: Wanted, found: Found) -> Wanted:
    """Take "160", "140x190" and "2 places" for what they mean of a bed."""
    if found.bed_mm:
        return wanted
    bed = Range()
    width = next((word for word in wanted.words if word.isdigit()), "")
    if width and int(width) in _BED_WIDTHS_CM:
        bed = Range(int(width) * 10, int(width) * 10)
        wanted = replace(wanted, words=tuple(word for word in wanted.words if word != width))
    elif wanted.footprint_mm:
        bed = Range(min(wanted.footprint_mm), min(wanted.footprint_mm))
        wanted = replace(wanted, footprint_mm=None)
    elif wanted.seats and not {"canape", "banquette"} & set(wanted.words):
        single = (wanted.seats.at_least or 0) < 2
        bed = Range(None, 1200) if single else Range(1400, None)
        wanted = replace(wanted, seats=Range())
    return replace(wanted, bed_mm=bed)
