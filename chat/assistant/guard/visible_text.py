"""Text as it is read, whatever signs it is written with. Pure.

A model can be talked into hiding its words from a filter: with invisible signs, letters of another
alphabet, marks of Markdown, entities, letters set apart. What the customer would read is judged.
"""

from __future__ import annotations

import html
import re
import unicodedata

from chat.core.text import GROWTH, FoldingTable

_ALIKE = {
    **dict(zip("абвгдезикмнорстухѕіјԁԛԝ", "abbrdesukmhopctyxsijdqw", strict=True)),
    **dict(zip("αβγεζηικνορτυχ", "abyeznikvoptux", strict=True)),
    **dict.fromkeys("‘’ʼ`´", "'"),
    **dict(zip("œæßıłøđ", ("oe", "ae", "ss", "i", "l", "o", "d"), strict=True)),
    **dict.fromkeys("‐‑‒–—−", "-"),
    **dict.fromkeys("*_~\\", ""),
    "|": " ",
}


def _fold(code: int) -> str:
    char = chr(code)
    if char == "`":
        return ""
    if char.isspace():
        return char if char == "\n" else " "
    plain = _ALIKE.get(char.casefold())
    if plain is not None:
        return plain
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    signs = unicodedata.normalize("NFKD", char).casefold()
    return "".join(_ALIKE.get(sign, sign) for sign in signs[:GROWTH] if _is_seen(sign))


def _is_seen(sign: str) -> bool:
    return unicodedata.category(sign) not in {"Cf", "Mn", "Me", "Cc", "Co", "Cn"}


_FOLDS = FoldingTable(_fold)
_SPACES = re.compile(r"[^\S\n]+")
#: Signs of which one may become none or several.
_UNEVEN = re.compile(
    r"[*_~\\`\x00-\x09\x0b-\x1f\x7f-\x9f\xad\xbc-\xbe\xdf\xe6\xc6]|[^\x00-\xff’‘–—€\u202f\u2009“”•→]"
)

#: No "[" within: a run of them would be read to its end from each of them.
_LINK = re.compile(r"!?\[([^\[\]\n]*)\](?:\([^)\n]*\)?|\[[^\[\]\n]*\])?")
_TAG = re.compile(r"<[^<>\n]{0,200}>")
APART = r"(?<!\w)[a-z](?:[ .·-]{1,4}[a-z](?!\w)){3,}"
_APART = re.compile(APART)
_BETWEEN_LETTERS = re.compile(r"\b[a-z]+(?:[\d@$]+[a-z]+)+[\d@$]*\b")
_DIGIT_LIKE = re.compile(r"[a-z][\d@$]")
_NO_LETTER = re.compile(r"[^a-z]")
_LEET = str.maketrans("01345678@$", "oieasgtbas")


def plain_signs(text: str) -> str:
    """Return lower case without accents, marks and what cannot be seen, sign by sign."""
    return text.translate(_FOLDS)


def letters(text: str) -> str:
    """Return the letters alone, digits that look like one included; "l" is "i", as "1" may be."""
    return _NO_LETTER.sub("", plain_signs(text).translate(_LEET)).replace("l", "i")


def sizes(text: str) -> list[int] | None:
    """Return how many signs ``plain_signs`` makes of each sign; None when one of each."""
    return [len(_FOLDS[ord(sign)]) for sign in text] if _UNEVEN.search(text) else None


def folded(text: str) -> str:
    """Return the same, every run of spaces a single one."""
    plain = text.translate(_FOLDS)
    return _SPACES.sub(" ", plain) if "  " in plain else plain


def visible_text(text: str) -> str:
    """Return what a reader sees of rendered Markdown, folded: entities, links, letters apart."""
    if "&" in text:
        text = html.unescape(text)
    if "[" in text:
        text = _LINK.sub(r"\1", text)
    if "<" in text:
        text = _TAG.sub("", text)
    plain = folded(text)
    plain = _APART.sub(lambda match: re.sub(r"[ .·-]", "", match.group()), plain)
    if not _DIGIT_LIKE.search(plain):
        return plain
    return _BETWEEN_LETTERS.sub(lambda match: match.group().translate(_LEET), plain)
