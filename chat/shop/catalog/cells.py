"""Parsers for the cells of a catalogue file, from JSON or CSV. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from decimal import Decimal, InvalidOperation

from chat.shop.hours import PARIS

MAX_ITEMS = 20
MAX_ITEM_CHARS = 200
MAX_CENTS = 10_000_000
MAX_MM = 10_000

_REFERENCE = re.compile(r"[A-Z]{3}-[A-Z]{3}-[0-9]{3}")
_IMAGE = re.compile(r"[a-z0-9-]{1,50}\.svg")
_FRENCH_NUMBER = re.compile(r"\d{1,3}(?:[ .\u00a0\u202f]\d{3})+(?:,\d+)?|\d+(?:[.,]\d+)?")
_RANGE = re.compile(r"\s*(?:-|–|à)\s*")
_YES = {"1", "true", "vrai", "oui", "yes", "x"}
_NO = {"0", "false", "faux", "non", "no"}


class BadCell(Exception):
    """A cell is invalid. The text states in French what is expected."""


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def text(value: object, most: int, *, required: bool = False) -> str:
    """Return a trimmed text.

    Spreadsheet formulas are refused, since advisers export the catalogue.
    """
    if _is_empty(value):
        if required:
            raise BadCell("Valeur obligatoire.")
        return ""
    if not isinstance(value, str):
        raise BadCell("Un texte est attendu.")
    clean = value.strip()
    if len(clean) > most:
        raise BadCell(f"Le texte dépasse {most} caractères.")
    if clean[0] in "=+@" or re.match(r"-\S", clean):
        raise BadCell("Le texte commence comme une formule de tableur.")
    if any(unicodedata.category(char) in {"Cc", "Cs", "Co"} and char != "\n" for char in clean):
        raise BadCell("Le texte contient des caractères de contrôle.")
    return clean


def texts(value: object) -> list[str]:
    """Return a list of texts, separated by "|" in CSV."""
    if _is_empty(value):
        return []
    items = value.split("|") if isinstance(value, str) else value
    if not isinstance(items, list):
        raise BadCell("Une liste de textes est attendue (séparés par | en CSV).")
    if len(items) > MAX_ITEMS:
        raise BadCell(f"La liste dépasse {MAX_ITEMS} éléments.")
    found = [text(item, MAX_ITEM_CHARS) for item in items]
    return [item for item in found if item]


def reference(value: object) -> str:
    if not isinstance(value, str) or not _REFERENCE.fullmatch(value.strip().upper()):
        raise BadCell("Une référence comme SAL-CAP-001 est attendue.")
    return value.strip().upper()


def image(value: object) -> str:
    name = text(value, 60)
    if name and not _IMAGE.fullmatch(name):
        raise BadCell("Un nom de fichier comme oslo.svg est attendu.")
    return name


def number(value: object) -> Decimal:
    """Return a number; text may have a decimal comma or point and spaces between thousands."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadCell("Un nombre est attendu.")
    if isinstance(value, str):
        if not _FRENCH_NUMBER.fullmatch(value.strip()[:40]):
            raise BadCell("Un nombre positif est attendu, comme 1 299,00.")
        grouped = re.sub(r"[ .\u00a0\u202f](?=\d{3}(?!\d))", "", value.strip())
        value = grouped.replace(",", ".")
    try:
        found = Decimal(str(value))
    except (InvalidOperation, ValueError) as error:
        raise BadCell("Un nombre est attendu.") from error
    if not found.is_finite() or found < 0 or found > 10**9:
        raise BadCell("Un nombre positif est attendu.")
    return found


def whole(value: object, least: int, most: int) -> int | None:
    if _is_empty(value):
        return None
    found = number(value)
    if found != found.to_integral_value() or not least <= found <= most:
        raise BadCell(f"Un nombre entier de {least} à {most} est attendu.")
    return int(found)


def size(value: object, factor: int) -> int | None:
    """Return millimetres. ``factor``: millimetres per unit of the column."""
    if _is_empty(value):
        return None
    mm = number(value) * factor
    if mm != mm.to_integral_value() or not 1 <= mm <= MAX_MM:
        raise BadCell("Une dimension de 1 mm à 10 m, au millimètre, est attendue.")
    return int(mm)


def cents(value: object) -> int | None:
    return whole(value, 1, MAX_CENTS)


def euros(value: object) -> int | None:
    """Return an amount such as ``1299``, ``"1 299,00"`` or ``"1 299,00 €"`` in cents."""
    if _is_empty(value):
        return None
    bare = value.replace("€", "").strip() if isinstance(value, str) else value
    amount = number(bare) * 100
    if amount != amount.to_integral_value() or not 1 <= amount <= MAX_CENTS:
        raise BadCell("Un prix en euros, au centime, de 0,01 à 100 000 est attendu.")
    return int(amount)


def euros_range(value: object) -> tuple[int | None, int | None]:
    """Return lowest and highest price in cents, of a price or a range "899,00 - 1 299,00"."""
    if not isinstance(value, str):
        return euros(value), None
    parts = _RANGE.split(value.strip(), maxsplit=1)
    if len(parts) == 2 and parts[0]:
        return euros(parts[0]), euros(parts[1])
    return euros(value), None


def moment(value: object) -> datetime | None:
    """Return an aware date and time; the default is midnight, Paris time."""
    if _is_empty(value):
        return None
    try:
        if not isinstance(value, str):
            raise TypeError
        found = datetime.fromisoformat(value.strip())
    except (TypeError, ValueError) as error:
        raise BadCell("Une date comme 2026-11-20 ou 2026-11-20T09:00 est attendue.") from error
    return found if found.tzinfo else found.replace(tzinfo=PARIS)


def truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    said = str(value).strip().lower() if isinstance(value, str | int) else "?"
    if said in _YES or said == "":
        return True
    if said in _NO:
        return False
    raise BadCell("Oui ou non est attendu.")
