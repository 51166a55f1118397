"""What one message says: numbers of orders, references, prices, products, colours."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chat.simulator.words import content_words, folded

_ORDER = re.compile(r"\bcmd[\s_-]*(\d{4})[\s_-]*(\d{5})\b", re.IGNORECASE)
_PRODUCT = re.compile(r"\b([a-z]{3})-([a-z]{3})-(\d{3})\b", re.IGNORECASE)
_TICKET = re.compile(r"\b((?:SAV|TKT|TCK|TIC|TICKET)(?:[-_][A-Z0-9]{2,10}){1,3})\b", re.IGNORECASE)
_EMAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}\b")
#: Five digits that are no price, no phone and no part of a longer number.
_POSTCODE = re.compile(r"(?<![\w.,/+-])(\d{5})(?![\w/-]|[.,]\d| ?(?:€|euro))")
_PHONE = re.compile(r"(?<!\d)(?:\+33|0)\s?[1-9](?:[\s.-]?\d{2}){4}(?!\d)")
_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b|\b(\d{1,2})/(\d{1,2})/(\d{4})\b")

_SPACE = "[ \u00a0\u202f.]"
_NUMBER = (
    rf"(\d{{1,3}}(?:{_SPACE}\d{{3}})+|\d{{1,7}})(?:[.,]\d{{1,2}})?(?!\d)"
    r"(?!\s*(?:cm|mm|m|metres?|places?|ans?|mois|jours?|semaines?|personnes?)\b)"
)
_UNIT = r"(?:\s*(?:€|euros?|eur)(?!\w))?"
_AT_MOST = re.compile(
    r"(?:moins de|max(?:imum)?|jusqu'a|budget(?: est| total)?|inferieure? a|pas plus de|sous|under"
    rf"|less than)\s*(?:de|:|d'environ)?\s*{_NUMBER}{_UNIT}"
)
_AT_LEAST = re.compile(
    rf"(?:(?<!pas )plus de|minimum|min|au moins|a partir de|superieure? a)\s*:?\s*{_NUMBER}{_UNIT}"
)
_BETWEEN = re.compile(rf"entre\s+{_NUMBER}{_UNIT}\s+et\s+{_NUMBER}{_UNIT}")
_EUROS = re.compile(rf"{_NUMBER}\s*(?:€|euros?\b|eur\b)")

#: "6 personnes", "180x90", "200 cm", "lit 160": what a catalogue is searched with, as said.
_SIZES = re.compile(
    r"\b\d{2,4}\s?[x×]\s?\d{2,4}\b|\b\d{1,3}(?:[.,]\d{1,2})?\s?(?:cm|m|places?|personnes?|couverts?)\b"
    r"|(?<=\blit )\d{2,3}\b|(?<=\blit de )\d{2,3}\b|(?<=\bmatelas )\d{2,3}\b",
    re.IGNORECASE,
)
DOOR = re.compile(
    r"\bportes?\D{0,30}(\d{2,3})(?!\d)(?:\s*(?:cm)?\s*(?:x|sur|par|et)\s*(?:de\s*)?(\d{3}))?"
)

_MAX_WISH_WORDS = 6
#: Words that may stand around a bare number.
_AROUND_REFERENCES = {
    *("numero", "commande", "reference", "ticket", "dossier", "merci", "code", "postal"),
    *("adresse", "mail", "e-mail", "email", "courriel"),
}

#: What a shop sells, folded, the longest first; with the article, as the assistant says it.
PRODUCTS = {
    "table basse": "une table basse",
    "table de chevet": "une table de chevet",
    "meuble tv": "un meuble TV",
    "tete de lit": "une tête de lit",
    "canape": "un canapé",
    "banquette": "une banquette",
    "fauteuil": "un fauteuil",
    "pouf": "un pouf",
    "table": "une table",
    "chaise": "une chaise",
    "tabouret": "un tabouret",
    "banc": "un banc",
    "buffet": "un buffet",
    "vaisselier": "un vaisselier",
    "lit": "un lit",
    "matelas": "un matelas",
    "sommier": "un sommier",
    "armoire": "une armoire",
    "dressing": "un dressing",
    "commode": "une commode",
    "chevet": "un chevet",
    "bureau": "un bureau",
    "bibliotheque": "une bibliothèque",
    "etagere": "une étagère",
    "tapis": "un tapis",
    "lampe": "une lampe",
    "luminaire": "un luminaire",
    "lampadaire": "un lampadaire",
    "miroir": "un miroir",
    "coussin": "un coussin",
    "rideau": "un rideau",
    "vase": "un vase",
    "meuble": "un meuble",
    "sofa": "un canapé",
    "couch": "un canapé",
}
_PRODUCT_NOUN = re.compile(rf"(?<!\w)({'|'.join(PRODUCTS)})[sx]?(?!\w)")
COLOURS = re.compile(
    r"(?<!\w)(blanc|noir|gris|beige|bleu|vert|rouge|jaune|rose|marron|taupe|ecru|anthracite|ivoire"
    r"|orange|violet|dore|argente|bordeaux|terracotta|moutarde)(?:he|e)?s?(?!\w)"
)
MATERIALS = re.compile(
    r"(?<!\w)(chene|hetre|noyer|pin|acacia|teck|manguier|bois|cuir|velours|lin|coton|tissu|metal"
    r"|acier|verre|marbre|rotin|laine|ceramique)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Prices:
    """Bounds in euros that a customer gave, or None."""

    at_least: int | None = None
    at_most: int | None = None


def order_number(text: str) -> str:
    """Return "CMD-2025-54321", however it was typed, or ""."""
    match = _ORDER.search(text)
    return f"CMD-{match.group(1)}-{match.group(2)}" if match else ""


def product_reference(text: str) -> str:
    """Return a reference such as "SAL-CAP-001", or ""."""
    match = _PRODUCT.search(text)
    return match.group(0).upper() if match else ""


def ticket_reference(text: str) -> str:
    match = _TICKET.search(text)
    return match.group(1).upper() if match else ""


def email(text: str) -> str:
    match = _EMAIL.search(text)
    return match.group(0) if match else ""


def postcode(text: str) -> str:
    """Return a French postcode that is no part of an order number, or ""."""
    match = _POSTCODE.search(_EMAIL.sub(" ", _ORDER.sub(" ", text)))
    return match.group(1) if match else ""


def phone(text: str) -> str:
    match = _PHONE.search(text)
    return match.group(0) if match else ""


def iso_date(text: str) -> str:
    """Return the first date written as 2025-03-12 or 12/03/2025, as the former, or ""."""
    match = _DATE.search(text)
    if match is None:
        return ""
    year, month, day, fr_day, fr_month, fr_year = match.groups()
    if year:
        return f"{year}-{month}-{day}"
    return f"{fr_year}-{int(fr_month):02}-{int(fr_day):02}"


def prices(text: str) -> Prices:
    plain = folded(text)
    if match := _BETWEEN.search(plain):
        return Prices(_number(match.group(1)), _number(match.group(2)))
    least, most = _AT_LEAST.search(plain), _AT_MOST.search(plain)
    if least is None and most is None and (match := _EUROS.search(plain)):
        return Prices(at_most=_number(match.group(1)))
    return Prices(
        _number(least.group(1)) if least else None, _number(most.group(1)) if most else None
    )


def product_noun(text: str) -> str:
    """Return the first product named, folded and singular, a key of ``PRODUCTS``, or ""."""
    match = _PRODUCT_NOUN.search(folded(text))
    return match.group(1) if match else ""


def product_name(text: str) -> str:
    """Return the product as the customer calls it, "canapé Oslo", or ""."""
    words = content_words(text)
    start = next((i for i, word in enumerate(words) if product_noun(word)), None)
    if start is None:
        return ""
    end = start + 1
    shouted = words[start].isupper()
    if not shouted:  # "fauteuil relax ANNECY"
        name = next((n for n in range(end, min(end + 3, len(words))) if _is_name(words[n])), None)
        end = end if name is None else name + 1
    while end < len(words) and words[end][0].isupper() and not (shouted and words[end].isupper()):
        end += 1
    return " ".join(words[start:end])


def _is_name(word: str) -> bool:
    return word.isupper() and len(word) > 2


def product_noun_said(text: str) -> str:
    """Return the first word of the product as the customer calls it, "canapé", or ""."""
    return product_name(text).partition(" ")[0]


def is_wish(text: str) -> bool:
    """Whether the message says little more than a price, a size, a colour or a material."""
    plain = folded(text)
    said = prices(text) != Prices() or any(
        pattern.search(plain) for pattern in (COLOURS, MATERIALS, _SIZES, DOOR)
    )
    return said and len(content_words(text)) <= _MAX_WISH_WORDS


def search_terms(text: str) -> str:
    """Return what to look for in a catalogue: "canapé convertible gris", or ""."""
    sizes = _SIZES.findall(text)
    bare = _ORDER.sub(" ", _SIZES.sub(" ", text))
    bare = re.sub(r"\d[\d \u00a0\u202f.,]*(?:€|euros?\b|eur\b)?", " ", bare)
    return " ".join([*content_words(bare)[:8], *sizes[:3]])


def door_cm(text: str, side: int) -> int | None:
    """Return what is said of a door: its width (``side`` 0) or its height (1), in cm."""
    match = DOOR.search(folded(text))
    return int(match.group(side + 1)) if match and match.group(side + 1) else None


def is_bare_reference(text: str) -> bool:
    """Whether the message is little more than a number or a proof that was asked for."""
    bare, count = text, 0
    for pattern in (_ORDER, _PRODUCT, _TICKET, _EMAIL, _POSTCODE):
        bare, found = pattern.subn(" ", bare)
        count += found
    words = {folded(word) for word in content_words(bare)}
    return bool(count) and not words - _AROUND_REFERENCES


def _number(digits: str) -> int:
    return int(re.sub(r"\D", "", digits))
