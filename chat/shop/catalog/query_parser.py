"""Parser of search requests in French, e.g. "canapé bleu moins de 1500 €". Pure.

Reads colours and their families, prices, sizes and numbers of people from folded text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from chat.shop.catalog.query import NO_BOUND, ProductQuery, Range, Side, SizeLimit
from chat.shop.catalog.words import STOP_WORDS, folded

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
    found = [_colour(match) for match in _COLOUR.finditer(text)]
    return tuple(dict.fromkeys(found)), _COLOUR.sub(" ", text)


def _colour(match: re.Match[str]) -> str:
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


#: Tolerance in percent of "about 800 €", and of a size without a bound such as "2 m".
ABOUT_PERCENT = 20
ABOUT_SIZE_PERCENT = 10
#: Additional seats that are accepted for "6 personnes".
_ROOM_FOR_MORE = 4
MAX_NUMBER = 10_000_000

_SPACE = "[ .\u00a0\u202f]"
_NUMBER = rf"(?:\d{{1,3}}(?:{_SPACE}\d{{3}})+(?!\d)|\d{{1,7}})(?:,\d{{1,2}}|\.\d{{1,2}}(?!\d))?"
_UNIT = (
    r"(?:€|euros?|eur|k€|cms?|centimetres?|mms?|millimetres?|metres?|m|personnes?|pers|places?"
    r"|convives?|couverts?|assises?|invites?)(?![a-z])"
)
_MOST = (
    r"moins de|a moins de|(?:au )?max(?:imum|i)?|jusqu'?\s?a|pas plus de|sous(?: les)?"
    r"|inferieure?s? a|ne depass\w+ pas|<=?|budget(?: max(?:imum|i)?)?(?: est)?(?: de)?"
)
_LEAST = r"plus de|a partir de|au moins|min(?:imum|i)?|superieure?s? a|des|>=?"
_ABOUT = r"environ|autour de|vers|dans les|a peu pres"
_BOUND = rf"(?:(?P<most>{_MOST})|(?P<least>{_LEAST})|(?P<about>{_ABOUT}))"
_SIDE = r"largeur|longueur|large|longue?|profondeur|profonde?|hauteur|haute?"
_BEFORE = r"(?:de|d'|:|est|les|a)?\s*"
_QUANTITY = re.compile(
    rf"(?:(?<![a-z])(?P<side>{_SIDE})\s*{_BEFORE})?"
    rf"(?:(?<![a-z]){_BOUND}\s*{_BEFORE})?"
    rf"(?<![a-z0-9,.])(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})?"
    rf"(?:\s*(?:de|en)?\s*(?P<side_after>{_SIDE})(?![a-z]))?"
    r"(?:\s*(?:au )?(?P<most_after>max(?:imum|i)?)(?![a-z])"
    r"|\s*(?:au )?(?P<least_after>min(?:imum|i)?)(?![a-z]))?"
)
_BETWEEN = re.compile(
    rf"(?:(?P<side>{_SIDE})\s*)?(?:entre|de)\s+(?P<low>{_NUMBER})\s*(?:{_UNIT})?"
    rf"\s+(?:et|a)\s+(?P<high>{_NUMBER})\s*(?P<unit>{_UNIT})?"
    rf"(?:\s*(?:de|en)?\s*(?P<side_after>{_SIDE})(?![a-z]))?"
)
_CROSS = re.compile(
    r"(?<![a-z0-9])(\d{2,4})\s*(?:cm)?\s*[x×*]\s*(\d{2,4})(?:\s*(?:cm)?\s*[x×*]\s*\d{2,4})?"
    r"\s*(mm|cm)?(?![a-z0-9])"
)
_METRES = re.compile(r"(?<![a-z0-9])(\d)\s?m\s?(\d{2})(?![a-z0-9])")
_PEOPLE = r"(?=\s+(?:personne|pers|place|convive|couvert|assise|invite))"
_SPELLED = {
    "un": 1,
    "une": 1,
    "deux": 2,
    "trois": 3,
    "quatre": 4,
    "cinq": 5,
    "six": 6,
    "sept": 7,
    "huit": 8,
    "neuf": 9,
    "dix": 10,
    "douze": 12,
}
_SPELLED_PEOPLE = re.compile(rf"(?<![a-z])({'|'.join(_SPELLED)}){_PEOPLE}")
_FOR = re.compile(
    rf"(?<![a-z])pour\s+(?P<count>\d{{1,2}}|{'|'.join(list(_SPELLED)[2:])})(?![\w,.]*\d)"
    r"(?=\s*(?:$|[,;!?]|(?:a|avec|en|et|de|dans|maximum)\s))"
)
_TO_MM = {"cm": 10, "ce": 10, "mm": 1, "mi": 1, "m": 1000, "me": 1000}


@dataclass(slots=True)
class Found:
    """Quantities found in a text; fields as in ``ProductQuery``."""

    price: Range = NO_BOUND
    seats: Range = NO_BOUND
    sizes: list[SizeLimit] = field(default_factory=list)
    footprint_mm: tuple[int, int] | None = None
    bed_mm: Range = NO_BOUND


def take_quantities(text: str, *, bed: bool = False) -> tuple[Found, str]:
    """Extract the quantities; return them and the remaining text. ``bed``: a bed is requested."""
    found = Found()
    text = _FOR.sub(lambda match: f"pour {_count(match.group('count'))} personnes", text)
    text = _SPELLED_PEOPLE.sub(lambda match: str(_SPELLED[match.group(1)]), text)
    text = _METRES.sub(lambda match: f"{match.group(1)},{match.group(2)} m", text)
    text = _CROSS.sub(lambda match: _cross(match, found), text)
    text = _BETWEEN.sub(lambda match: _between(match, found), text)
    return found, _QUANTITY.sub(lambda match: _single(match, found, bed=bed), text)


def _count(said: str) -> int:
    return _SPELLED[said] if said in _SPELLED else int(said)


def _value(digits: str) -> float:
    grouped = re.sub(rf"{_SPACE}(?=\d{{3}}(?!\d))", "", digits)
    return min(float(grouped.replace(",", ".").replace(" ", "")), MAX_NUMBER)


def _side(match: re.Match[str]) -> Side | None:
    said = match.group("side") or match.group("side_after") or ""
    if said.startswith("prof"):
        return "depth"
    if said.startswith("haut"):
        return "height"
    return "width" if said else None


def _cross(match: re.Match[str], found: Found) -> str:
    factor = 1 if match.group(3) == "mm" else 10
    found.footprint_mm = (int(match.group(1)) * factor, int(match.group(2)) * factor)
    return " "


def _between(match: re.Match[str], found: Found) -> str:
    low, high = sorted((_value(match.group("low")), _value(match.group("high"))))
    unit, side = match.group("unit") or "", _side(match)
    if not _keep(unit, side, Bounds(low, high), found, bounded=True):
        return match.group()
    return " "


@dataclass(frozen=True, slots=True)
class Bounds:
    """Lower and upper bound as written, before the unit is known."""

    low: float | None
    high: float | None

    def scaled(self, factor: float) -> Range:
        low = None if self.low is None else round(self.low * factor)
        return Range(low, None if self.high is None else round(self.high * factor))


def _single(match: re.Match[str], found: Found, *, bed: bool) -> str:
    value, unit, side = _value(match.group("number")), match.group("unit") or "", _side(match)
    most = match.group("most") or match.group("most_after")
    least = match.group("least") or match.group("least_after")
    if bed and not (most or least or side) and unit[:2] == "cm":
        found.bed_mm = Range(round(value * 10), round(value * 10))
        return " "
    if _is_people(unit):
        found.seats = _people(unit, round(value), most=bool(most), least=bool(least))
        return " "
    if most or least:
        bounds = Bounds(value if least and not most else None, value if most else None)
    else:
        share = ABOUT_SIZE_PERCENT if side or unit[:1] in {"c", "m"} else ABOUT_PERCENT
        bounds = Bounds(value * (100 - share) / 100, value * (100 + share) / 100)
    bounded = bool(most or least or match.group("about"))
    return " " if _keep(unit, side, bounds, found, bounded=bounded) else match.group()


def _is_people(unit: str) -> bool:
    return unit[:2] in {"pe", "pl", "co", "as", "in"}


def _people(unit: str, count: int, *, most: bool, least: bool) -> Range:
    """Return the range of seats: "3 places" is exact, "6 personnes" allows a table for eight."""
    if most:
        return Range(None, count)
    if least:
        return Range(count, None)
    return Range(count, count if unit.startswith(("pl", "as")) else count + _ROOM_FOR_MORE)


def _keep(unit: str, side: Side | None, bounds: Bounds, found: Found, *, bounded: bool) -> bool:
    """Store the numbers in the field given by unit and side; False if neither determines it."""
    if unit[:1] in {"€", "e", "k"}:
        found.price = _joined(found.price, bounds.scaled(100_000 if unit[0] == "k" else 100))
    elif _is_people(unit):
        found.seats = bounds.scaled(1)
    elif unit or side:
        known = _TO_MM.get(unit[:2].rstrip("s"), 0)
        factor = known or (10 if (bounds.high or bounds.low or 0) > 10 else 1000)
        found.sizes.append(SizeLimit(side or "width", bounds.scaled(factor)))
    elif bounded and (bounds.high or bounds.low or 0) >= 10:
        found.price = _joined(found.price, bounds.scaled(100))
    else:
        return False
    return True


def _joined(before: Range, now: Range) -> Range:
    """Combine two bounds: "plus de 300 € et moins de 500 €"."""
    return Range(
        before.at_least if now.at_least is None else now.at_least,
        before.at_most if now.at_most is None else now.at_most,
    )


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
