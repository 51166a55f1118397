"""Extraction of facts from one message: order numbers, references, prices, products, colours."""

from __future__ import annotations

import re

from devtools.local_assistant.words import content_words, folded, whole_words

_ORDER = re.compile(r"\bcmd[\s_-]*(\d{4})[\s_-]*(\d{5})\b", re.IGNORECASE)
_PRODUCT = re.compile(r"\b[a-z]{3}-[a-z]{3}-\d{3}\b", re.IGNORECASE)
_TICKET = re.compile(r"\b(?:SAV|TKT|TCK|TIC|TICKET)(?:[-_][A-Z0-9]{2,10}){1,3}\b", re.IGNORECASE)
_EMAIL = re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}\b")
#: Five digits that are not a price, a phone number or part of a longer number.
_POSTCODE = re.compile(r"(?<![\w.,/+-])\d{5}(?![\w/-]|[.,]\d| ?(?:€|euro))")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b|\b(\d{1,2})/(\d{1,2})/(\d{4})\b")

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
_BETWEEN = re.compile(rf"entre\s+\d[\d \u00a0\u202f.]{{0,9}}{_UNIT}\s+et\s+{_NUMBER}{_UNIT}")
_EUROS = re.compile(rf"{_NUMBER}\s*(?:€|euros?\b|eur\b)")

#: Sizes for a catalogue search, as written: "6 personnes", "180x90", "200 cm", "lit 160".
_SIZES = re.compile(
    r"\b\d{2,4}\s?[x×]\s?\d{2,4}\b|\b\d{1,3}(?:[.,]\d{1,2})?\s?(?:cm|m|places?|personnes?|couverts?)\b"
    r"|(?<=\blit )\d{2,3}\b|(?<=\blit de )\d{2,3}\b|(?<=\bmatelas )\d{2,3}\b",
    re.IGNORECASE,
)
DOOR = re.compile(
    r"\bportes?\D{0,30}(\d{2,3})(?!\d)(?:\s*(?:cm)?\s*(?:x|sur|par|et)\s*(?:de\s*)?(\d{3}))?"
)

#: Words that may surround a bare number.
_AROUND = whole_words(
    r"numero|commande|reference|ticket|dossier|merci|code|postal|adresse|e?-?mail|courriel"
)
#: Folded nouns of products, longest first.
_PRODUCT_NOUN = re.compile(
    r"(?<!\w)(table basse|table de chevet|meuble tv|tete de lit|canape|banquette|fauteuil|pouf"
    r"|table|chaise|tabouret|banc|buffet|vaisselier|lit|matelas|sommier|armoire|dressing|commode|chevet"
    r"|bureau|bibliotheque|etagere|tapis|lampe|luminaire|lampadaire|miroir|coussin|rideau|vase"
    r"|meuble|sofa|couch)[sx]?(?!\w)"
)
COLOURS = re.compile(
    r"(?<!\w)(blanc|noir|gris|beige|bleu|vert|rouge|jaune|rose|marron|taupe|ecru|anthracite|ivoire"
    r"|orange|violet|dore|argente|bordeaux|terracotta|moutarde)(?:he|e)?s?(?!\w)"
)
_MATERIALS = re.compile(
    r"(?<!\w)(chene|hetre|noyer|pin|acacia|teck|manguier|bois|cuir|velours|lin|coton|tissu|metal"
    r"|acier|verre|marbre|rotin|laine|ceramique)(?!\w)"
)
_NOT_AT_HAND = whole_words(
    r"(?:pas|plus|aucune?|sans|perdu|jete) (?:de |d'|le |la |mon |ma |ce |cette )?"
    r"(?:numero|facture|commande|date|bon|ticket|idee)s?",
    r"ne (?:l'ai|le trouve|les? ai|sais|retrouve|connais|me souviens) (?:pas|plus)",
    r"(?:je|j') ?(?:sais|ai) (?:pas|plus)|(?:l'ai|ai) perdue?|introuvables?",
)


def order_number(text: str) -> str:
    """Return the first order number as "CMD-2025-54321", in any spelling, or ""."""
    match = _ORDER.search(text)
    return f"CMD-{match.group(1)}-{match.group(2)}" if match else ""


def product_reference(text: str) -> str:
    """Return the first product reference, such as "SAL-CAP-001", or ""."""
    return _first(_PRODUCT, text).upper()


def ticket_reference(text: str) -> str:
    return _first(_TICKET, text).upper()


def email(text: str) -> str:
    return _first(_EMAIL, text)


def _first(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[0] if match else ""


def postcode(text: str) -> str:
    """Return a French postcode that is not part of an order number, or ""."""
    return _first(_POSTCODE, _EMAIL.sub(" ", _ORDER.sub(" ", text)))


def iso_date(text: str) -> str:
    """Return the first date written as 2025-03-12 or 12/03/2025 in ISO format, or ""."""
    match = _DATE.search(text)
    if match is None:
        return ""
    day, month, year = match.groups()
    return f"{year}-{int(month):02}-{int(day):02}" if year else match[0]


def max_price(text: str) -> int | None:
    """Return the customer's maximum price in euros, or None."""
    plain = folded(text)
    match = _BETWEEN.search(plain) or _AT_MOST.search(plain)
    if match is None and _AT_LEAST.search(plain) is None:
        match = _EUROS.search(plain)
    return int(re.sub(r"\D", "", match.group(1))) if match else None


def product_noun(text: str) -> str:
    """Return the first noun of a product, folded, or ""."""
    return _first(_PRODUCT_NOUN, folded(text))


def product_name(text: str) -> str:
    """Return the product's name as written by the customer, "canapé Oslo", or ""."""
    words = content_words(_ORDER.sub(" ", text))
    start = next((i for i, word in enumerate(words) if product_noun(word)), None)
    if start is None:
        return ""
    end = start + 1
    shouted = words[start].isupper()
    if not shouted:  # "fauteuil relax ANNECY"
        names = (n for n in range(end, min(end + 3, len(words))) if len(words[n]) > 2)
        end = next((n + 1 for n in names if words[n].isupper()), end)
    while end < len(words) and words[end][0].isupper() and not (shouted and words[end].isupper()):
        end += 1
    return " ".join(words[start:end])


def is_wish(text: str) -> bool:
    """Return whether a message is little more than a price, a size, a colour or a material."""
    plain = folded(text)
    signs = (_BETWEEN, _AT_MOST, _AT_LEAST, _EUROS, COLOURS, _MATERIALS, _SIZES, DOOR)
    said = any(pattern.search(plain) for pattern in signs)
    return said and len(content_words(text)) <= 6


def search_terms(text: str) -> str:
    """Return the search terms for the catalogue: "canapé convertible gris", or ""."""
    sizes = _SIZES.findall(text)
    bare = _ORDER.sub(" ", _SIZES.sub(" ", text))
    bare = re.sub(r"\d[\d \u00a0\u202f.,]*(?:€|euros?\b|eur\b)?", " ", bare)
    return " ".join([*content_words(bare)[:8], *sizes[:3]])


def door_cm(text: str) -> tuple[int | None, int | None]:
    """Return width and height of a door in cm, None if not stated."""
    match = DOOR.search(folded(text))
    width, height = match.groups() if match else (None, None)
    return int(width) if width else None, int(height) if height else None


def is_bare_reference(text: str) -> bool:
    """Return whether a message is little more than a requested number or proof."""
    bare, count = text, 0
    for pattern in (_ORDER, _PRODUCT, _TICKET, _EMAIL, _POSTCODE):
        bare, found = pattern.subn(" ", bare)
        count += found
    return bool(count) and not content_words(_AROUND.sub(" ", folded(bare)))


def is_not_at_hand(text: str) -> bool:
    """Return whether the customer lacks the requested number: "je n'ai plus le numéro"."""
    return _NOT_AT_HAND.search(folded(text)) is not None
