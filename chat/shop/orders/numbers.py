"""Order numbers, read in any usual typing. Pure.

Source: the shop's rules: ``CMD-`` year ``-`` five digits, with or without dashes, any case.
"""

from __future__ import annotations

import re
import unicodedata

#: As stored and shown.
CANONICAL = re.compile(r"CMD-2[0-9]{3}-[0-9]{5}")
#: Longest text in which numbers are looked for.
MAX_CHARS = 4_000

_DASHES = re.compile(r"[\u00ad\u2010-\u2015\u2212]")
_SEPARATOR = r"[\s._/-]{0,3}"
_DIGITS = rf"(2[0-9]{{3}}){_SEPARATOR}([0-9]{{5}})"
_PREFIX = rf"(?:commande|cmde?){_SEPARATOR}(?:(?:n|no|num|numero){_SEPARATOR}[°:#]?{_SEPARATOR})?"
_IN_TEXT = re.compile(
    rf"(?<![^\W_]){_PREFIX}[:#°]?{_SEPARATOR}(?:cmd{_SEPARATOR})?{_DIGITS}(?![^\W_])(?![-./]\d)"
)
#: A whole answer to "what is the number?" may leave "CMD" out.
_ALONE = re.compile(
    rf"\W*(?:(?:c'est|voici|ma|la|mon|le){_SEPARATOR})*"
    rf"(?:(?:n|no|num|numero|ref|reference)\b{_SEPARATOR}[°:#]?{_SEPARATOR})?(?:de{_SEPARATOR})?"
    rf"(?:{_PREFIX})?[:#°]?{_SEPARATOR}(?:cmd{_SEPARATOR})?{_DIGITS}\W*"
)


def read_number(text: str) -> str | None:
    """Return ``"CMD-2025-54321"`` when the whole text is one order number, else None.

    ``"cmd 2025 54321"``, ``"n° CMD-2025-54321."`` and ``"commande 2025-54321"`` are.
    """
    match = _ALONE.fullmatch(_plain(text))
    return f"CMD-{match[1]}-{match[2]}" if match else None


def numbers_in(text: str) -> tuple[str, ...]:
    """Return the order numbers that a text holds, in order, each once.

    One without "CMD" or "commande" before it counts only where it is the whole text.
    """
    found = [f"CMD-{match[1]}-{match[2]}" for match in _IN_TEXT.finditer(_plain(text))]
    alone = read_number(text)
    return tuple(dict.fromkeys([*found, alone] if alone else found))


def without_numbers(text: str) -> str:
    """Return the text, plain, with its order numbers blanked: what is left holds no part of one."""
    plain = _plain(text)
    return " " if _ALONE.fullmatch(plain) else _IN_TEXT.sub(" ", plain)


def _plain(text: str) -> str:
    """Lower case, no accents, plain digits (Arabic ones too) and dashes."""
    dashed = _DASHES.sub("-", text[:MAX_CHARS]).replace("°", " ° ").replace("º", " ° ")
    decomposed = unicodedata.normalize("NFKD", dashed.replace("№", "no ").replace("’", "'").lower())
    return "".join(
        str(unicodedata.decimal(char, char))
        for char in decomposed
        if not unicodedata.combining(char)
    )
