"""Proof of ownership of an order: its e-mail, or its postcode with the family name. Pure.

A postcode alone is not sufficient: a large share of the orders come from the shop's own town, and
order numbers have five digits.

Order numbers are read in all usual spellings: ``CMD-`` year ``-`` five digits, with or without
dashes, in any case. Source: the shop's rules.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable

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


#: Only the newest proofs of each kind in a conversation are used, which rules out lists of guesses.
MAX_OF_EACH = 2

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
#: French postcode, not adjacent to a letter or to a unit of price.
_POSTCODE = re.compile(
    r"(?<![\w.,/+-])(?:f-? ?)?([0-9]{2} ?[0-9]{3}|2[ab] ?[0-9]{3})"
    r"(?![\w/€]|[.,-][0-9]| ?(?:€|euro))"
)
_ANY_POSTCODE = re.compile(r"[a-z0-9]{4,10}")
_WORDS = re.compile(r"[^\W\d_]+")
_TITLES = frozenset({"m", "mr", "mme", "mlle", "dr", "monsieur", "madame", "mademoiselle", "et"})
#: Maximum number of words of a name; a longer text is a list of guesses.
MAX_NAME_WORDS = 5


def plain_proof(text: str) -> str:
    """Normalise a proof: ``" Camille@Example.FR"`` becomes ``"camille@example.fr"``."""
    folded = normalized("NFKC", text).casefold()
    return "".join(char for char in folded if not char.isspace())


def is_postcode(text: str) -> bool:
    """Return whether a text has the form of a postcode of a country that the shop delivers to."""
    return _ANY_POSTCODE.fullmatch(_bare(text)) is not None


def is_email(proof: str) -> bool:
    """Return whether a proof has the form of an e-mail; otherwise it is treated as a postcode."""
    return "@" in proof


def counted_proof(proof: str, name: str) -> str:
    """Return the key under which a wrong proof is counted: e-mail, or postcode with name."""
    plain = plain_proof(proof)
    return plain if is_email(plain) or not plain else f"{plain} {' '.join(name_words(name))}"


def proves(
    given: Iterable[str], name: str = "", *, email: str, postcode: str, customer_name: str
) -> bool:
    """Return whether ``given`` has the e-mail, or the postcode while ``name`` is the family name.

    Empty proofs are ignored. All proofs are compared in constant time.
    """
    right = [_digest(plain_proof(email)), _digest(_bare(postcode))]
    is_named = is_family_name(name, customer_name)
    is_right = False
    for text in given:
        found = [_digest(plain_proof(text)), _digest(_bare(text))]
        is_mail, is_place = (
            hmac.compare_digest(one, other) for one, other in zip(found, right, strict=True)
        )
        is_right |= (is_mail | (is_place & is_named)) and bool(_bare(text))
    return is_right


def is_family_name(given: str, customer_name: str) -> bool:
    """Return whether the given name begins or ends with the last word of the order's name.

    ``"Mme Lefèvre"``, ``"Marie LEFEVRE"`` and ``"Lefèvre Marie"`` match ``"Marie Lefèvre"``; a list
    of names never matches.
    """
    words, own = name_words(given), name_words(customer_name)
    if not words or not own or len(words) > MAX_NAME_WORDS:
        return False
    right = _digest(own[-1])
    same = [hmac.compare_digest(_digest(word), right) for word in (words[0], words[-1])]
    return any(same)


def name_words(name: str) -> list[str]:
    """Return the folded words of a name without titles: ``["d", "ete"]`` for ``"M. d'Été"``."""
    decomposed = normalized("NFKD", name.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return [word for word in _WORDS.findall(plain) if word not in _TITLES]


def proofs_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the newest e-mails and French postcodes in a customer's messages.

    ``texts``: newest first. Digits of an order number are not taken for a postcode.
    """
    emails: dict[str, None] = {}
    postcodes: dict[str, None] = {}
    for text in texts:
        plain = without_numbers(text)
        emails.update(dict.fromkeys(reversed(_EMAIL.findall(plain))))
        bare = _EMAIL.sub(" ", plain)
        found = [match[1].replace(" ", "") for match in _POSTCODE.finditer(bare)]
        postcodes.update(dict.fromkeys(reversed(found)))
        if len(emails) >= MAX_OF_EACH and len(postcodes) >= MAX_OF_EACH:
            break
    return (*list(emails)[:MAX_OF_EACH], *list(postcodes)[:MAX_OF_EACH])


def _bare(text: str) -> str:
    return plain_proof(text).replace("-", "")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
