"""Whole words of a customer's text, whatever the accents, capitals and apostrophes. Pure.

"achat" is no cat and "trouve" no hole: nothing is ever looked for inside a word.
"""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "œ": "oe", "æ": "ae"}
)
_SPACES = re.compile(r"\s+")
#: What stands before a word that is denied: "pas de", "sans aucune", "n'a jamais été".
_DENIAL = re.compile(
    r"(?<!\w)(?:pas|plus|jamais|aucune?|sans|ni|zero)"
    r"(?: (?:du tout|de|une?|des|la|les?|mon|ma|mes|notre|nos|votre|vos|ete|aucune?|encore))*"
    r" (?:[dl]')?\Z"
)
#: As far back as a denial is looked for.
_BEFORE_CHARS = 40


def folded(text: str) -> str:
    """Return the text in lower case, without accents, with straight apostrophes and single
    spaces: ``"L’ÉTÉ  où"`` becomes ``"l'ete ou"``. Invisible characters are dropped.
    """
    plain = text.casefold().translate(_APOSTROPHES)
    shown = (
        char
        for char in unicodedata.normalize("NFKD", plain)
        if not unicodedata.combining(char) and unicodedata.category(char) != "Cf"
    )
    return _SPACES.sub(" ", "".join(shown)).strip()


def whole_words(*alternatives: str) -> re.Pattern[str]:
    """Return a pattern that finds any of these expressions, each as whole words, once folded."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(alternatives)})(?!\w)")


def said(pattern: re.Pattern[str], text: str) -> str:
    """Return the first expression found in the text, folded, or ""."""
    match = pattern.search(folded(text))
    return match[0] if match else ""


def affirmed(pattern: re.Pattern[str], text: str) -> str:
    """Return the first expression found that is not denied just before it, or "".

    ``"ni tache ni accroc"`` and ``"n'a pas été déchiré"`` affirm nothing.
    """
    plain = folded(text)
    for match in pattern.finditer(plain):
        start = match.start()
        if not _DENIAL.search(plain[max(0, start - _BEFORE_CHARS) : start]):
            return match[0]
    return ""
