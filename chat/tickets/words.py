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
#: Unicode has a million signs; the table keeps no more than these.
_MAX_KNOWN = 4_000
#: What stands before a word that is denied: "pas de", "sans aucune", "n'a jamais été".
_DENIAL = re.compile(
    r"(?<!\w)(?:pas|plus|jamais|aucune?|sans|ni|zero)"
    r"(?: (?:du tout|de|une?|des|la|les?|mon|ma|mes|notre|nos|votre|vos|ete|aucune?|encore))*"
    r" (?:[dl]')?\Z"
)
#: As far back as a denial is looked for.
_BEFORE_CHARS = 40


class _Shown(dict[int, int | None]):
    """For ``str.translate``: drops accents and what cannot be seen."""

    def __missing__(self, code: int) -> int | None:
        char = chr(code)
        hidden = unicodedata.combining(char) or unicodedata.category(char) == "Cf"
        shown = None if hidden else code
        if len(self) < _MAX_KNOWN:
            self[code] = shown
        return shown


_SHOWN = _Shown()


def folded(text: str) -> str:
    """Return the text in lower case, without accents, with straight apostrophes and single
    spaces: ``"L’ÉTÉ  où"`` becomes ``"l'ete ou"``. Invisible characters are dropped.
    """
    plain = text.casefold().translate(_APOSTROPHES)
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain).translate(_SHOWN)
    return _SPACES.sub(" ", plain).strip()


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
