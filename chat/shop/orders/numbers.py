"""Parser of order numbers in all usual spellings. Pure.

Source: the shop's rules: ``CMD-`` year ``-`` five digits, with or without dashes, any case.
"""

from __future__ import annotations

import re
import unicodedata

from chat.core.text import normalized

#: Canonical form, as stored and displayed.
CANONICAL = re.compile(r"CMD-2[0-9]{3}-[0-9]{5}")
#: Maximum length of a text that is searched for numbers.
MAX_CHARS = 4_000

_DASHES = re.compile(r"[\u00ad\u2010-\u2015\u2212]")
_SEPARATOR = r"[\s._/-]{0,3}"
_DIGITS = rf"(2[0-9]{{3}}){_SEPARATOR}([0-9]{{5}})"
_PREFIX = rf"(?:commande|cmde?){_SEPARATOR}(?:(?:n|no|num|numero){_SEPARATOR}[°:#]?{_SEPARATOR})?"
_IN_TEXT = re.compile(
    rf"(?<![^\W_]){_PREFIX}[:#°]?{_SEPARATOR}(?:cmd{_SEPARATOR})?{_DIGITS}(?![^\W_])(?![-./]\d)"
)
#: A text that consists of one number only; "CMD" may be omitted.
_ALONE = re.compile(
    rf"\W*(?:(?:c'est|voici|ma|la|mon|le){_SEPARATOR})*"
    rf"(?:(?:n|no|num|numero|ref|reference)\b{_SEPARATOR}[°:#]?{_SEPARATOR})?(?:de{_SEPARATOR})?"
    rf"(?:{_PREFIX})?[:#°]?{_SEPARATOR}(?:cmd{_SEPARATOR})?{_DIGITS}\W*"
)


def read_number(text: str) -> str | None:
    """Return ``"CMD-2025-54321"`` if the whole text is one order number, else None.

    Accepts ``"cmd 2025 54321"``, ``"n° CMD-2025-54321."`` and ``"commande 2025-54321"``.
    """
    match = _ALONE.fullmatch(_plain(text))
    return f"CMD-{match[1]}-{match[2]}" if match else None


def numbers_in(text: str) -> tuple[str, ...]:
    """Return the distinct order numbers in a text, in order of appearance.

    A number without "CMD" or "commande" counts only if it is the whole text.
    """
    found = [f"CMD-{match[1]}-{match[2]}" for match in _IN_TEXT.finditer(_plain(text))]
    alone = read_number(text)
    return tuple(dict.fromkeys([*found, alone] if alone else found))


def without_numbers(text: str) -> str:
    """Return the normalised text with all order numbers replaced by blanks."""
    plain = _plain(text)
    return " " if _ALONE.fullmatch(plain) else _IN_TEXT.sub(" ", plain)


def _plain(text: str) -> str:
    """Normalise: lower case, no accents, ASCII digits (from Arabic ones too) and dashes."""
    dashed = _DASHES.sub("-", text[:MAX_CHARS]).replace("°", " ° ").replace("º", " ° ")
    decomposed = normalized("NFKD", dashed.replace("№", "no ").replace("’", "'").lower())
    return "".join(
        str(unicodedata.decimal(char, char))
        for char in decomposed
        if not unicodedata.combining(char)
    )
