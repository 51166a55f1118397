"""Matching of whole words in a customer's text, regardless of accents, case and apostrophes. Pure.

Expressions never match inside a word: "chat" (cat) is not found in "achat" (purchase).
"""

from __future__ import annotations

import re
import unicodedata

from chat.core.text import FoldingTable, normalized

_APOSTROPHES = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "œ": "oe", "æ": "ae"}
)
_SPACES = re.compile(r"\s+")
#: Negations before a word: "pas de", "sans aucune", "n'a jamais été".
_DENIAL = re.compile(
    r"(?<!\w)(?:pas|plus|jamais|aucune?|sans|ni|zero)"
    r"(?: (?:du tout|de|une?|des|la|les?|mon|ma|mes|notre|nos|votre|vos|ete|aucune?|encore))*"
    r" (?:[dl]')?\Z"
)
#: Number of characters before a word that are searched for a negation.
_BEFORE_CHARS = 40


def _shown(code: int) -> int | None:
    """Return the code point, None for accents and invisible characters."""
    char = chr(code)
    hidden = unicodedata.combining(char) or unicodedata.category(char) == "Cf"
    return None if hidden else code


_SHOWN = FoldingTable(_shown)


def folded(text: str) -> str:
    """Fold a text to lower case without accents, with straight apostrophes and single spaces.

    ``"L’ÉTÉ  où"`` becomes ``"l'ete ou"``. Invisible characters are dropped.
    """
    plain = text.casefold().translate(_APOSTROPHES)
    if not plain.isascii():
        plain = normalized("NFKD", plain).translate(_SHOWN)
    return _SPACES.sub(" ", plain).strip()


def whole_words(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern that matches any of these expressions as whole words of a folded text."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})(?!\w)")


def said(pattern: re.Pattern[str], plain: str) -> str:
    """Return the first match in a folded text, or ""."""
    match = pattern.search(plain)
    return match[0] if match else ""


def affirmed(pattern: re.Pattern[str], plain: str) -> str:
    """Return the first match that is not preceded by a negation, or "".

    ``"ni tache ni accroc"`` and ``"n'a pas ete dechire"`` have none. ``plain``: folded text.
    """
    for match in pattern.finditer(plain):
        start = match.start()
        if not _DENIAL.search(plain[max(0, start - _BEFORE_CHARS) : start]):
            return match[0]
    return ""
