"""Numbers written out in French or English, as far as a price or a duration needs them. Pure."""

from __future__ import annotations

import re

_UNITS = {
    word: value
    for value, word in enumerate(
        (
            *("zero", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf"),
            *("dix", "onze", "douze", "treize", "quatorze", "quinze", "seize"),
        )
    )
}
_UNITS |= {"une": 1, "vingt": 20, "vingts": 20, "trente": 30, "quarante": 40, "cinquante": 50}
_UNITS |= {"soixante": 60, "septante": 70, "huitante": 80, "octante": 80, "nonante": 90}
_UNITS |= {
    word: value
    for value, word in enumerate(
        (
            *("one", "two", "three", "four", "five", "_", "seven", "eight", "nine", "ten"),
            *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
            *("eighteen", "nineteen", "twenty"),
        ),
        start=1,
    )
    if word != "_"
}
_UNITS |= {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80}
_UNITS |= {"ninety": 90}
_UNITS |= {"zwei": 2, "drei": 3, "vier": 4, "funf": 5, "zehn": 10, "zwanzig": 20}
_UNITS |= {"tre": 3, "quattro": 4, "cinque": 5, "dieci": 10, "venti": 20}
_SCALES = {"cent": 100, "cents": 100, "hundred": 100}
_THOUSANDS = {"mille", "thousand"}
#: Words that make a number; one alone that may be an article or an adverb is none.
ALONE = frozenset({"un", "une", "one"})

#: Every word that a number may be made of.
_COUNTING = frozenset({*_UNITS, *_SCALES, *_THOUSANDS} - ALONE)
WORDS = tuple(sorted(_COUNTING, key=len, reverse=True))
_WORD = "|".join(sorted({*_UNITS, *_SCALES, *_THOUSANDS}, key=len, reverse=True))
_LATIN = re.compile(r"[a-z]+")
#: Sixteen words at most: "neuf cent quatre-vingt-dix-neuf mille neuf cent quatre-vingt-dix-neuf"
#: has 13, and Python refuses to write a number of thousands of digits ("cent cent cent…").
_RUN = re.compile(rf"\b(?:{_WORD})(?:(?:[ -]|[ -](?:et|and)[ -])(?:{_WORD})){{0,15}}\b")


def digits_for_words(text: str) -> str:
    """Return ``text``, which is folded (lower case, no accents), with its numbers in digits.

    ``"mille deux cent cinquante euros"`` becomes ``"1250 euros"``; "un" and "une" stay.
    """
    if _COUNTING.isdisjoint(_LATIN.findall(text)):
        return text
    return _RUN.sub(_in_digits, text)


def _in_digits(match: re.Match[str]) -> str:
    run = match.group()
    words = re.split(r"[ -]", run)
    return run if _COUNTING.isdisjoint(words) else str(_value(words))


def _value(words: list[str]) -> int:
    total = below = 0
    for word in words:
        if word in {"et", "and"}:
            continue
        if word in _THOUSANDS:
            total, below = total + max(below, 1) * 1000, 0
        elif word in _SCALES:
            below = max(below, 1) * 100
        elif word in {"vingt", "vingts"} and below % 100 == 4:
            below += 76  # quatre-vingts
        else:
            below += _UNITS[word]
    return total + below
