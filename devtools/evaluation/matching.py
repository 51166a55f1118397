"""Matching of expected phrases, amounts and dates in an answer. Pure.

Case, accents, Markdown asterisks and kinds of blanks are ignored.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from chat.shop.tickets.rules import in_french
from devtools.evaluation.types import Phrase

_SIGNS = str.maketrans(
    {"’": "'", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "œ": "oe", "Œ": "OE"}
)


def plain(text: str) -> str:
    """Normalise a text: no accents, asterisks or unusual blanks; line breaks are preserved."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_SIGNS))
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return re.sub(r"\*\*|[ \t]+(?=[ \t])", "", bare)


def phrase(written: str) -> Phrase:
    """Compile a phrase.

    Raises:
        re.error: it is not a valid regular expression.
    """
    decomposed = unicodedata.normalize("NFKD", written.translate(_SIGNS))
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return Phrase(written, re.compile(bare, re.IGNORECASE))


def is_in(wanted: Phrase, text: str) -> bool:
    return wanted.pattern.search(plain(text)) is not None


def states_amount(cents: int, text: str) -> bool:
    """Return whether a text states an amount: "1 290 €", "1290,00 euros", "34,50 €"."""
    whole, rest = divmod(cents, 100)
    digits = f"{whole:,}".replace(",", "[ .]?")
    decimals = rf"[.,]{rest:02}" if rest else r"(?:[.,]00)?"
    pattern = rf"(?<![\d.,])(?<!\d ){digits}{decimals} ?(?:€|euros?\b|EUR\b)"
    return re.search(pattern, plain(text), re.IGNORECASE) is not None


def states_date(day: date, text: str) -> bool:
    """Return whether a text states a date: "12 mars 2027", "12/03/2027" or "2027-03-12"."""
    number, _, month = in_french(day).partition(" ")
    month = plain(month)
    first = r"1(?:er)?" if day.day == 1 else f"0?{number}"
    forms = (
        rf"(?<!\d){first} {month}\b",
        rf"(?<!\d)0?{day.day}/0?{day.month}/{day.year}\b",
        rf"\b{day.isoformat()}\b",
    )
    return re.search("|".join(forms), plain(text), re.IGNORECASE) is not None
