"""What proves that an order is the customer's: its e-mail or its postcode. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable

from chat.orders.numbers import without_numbers

#: In a conversation only the newest of each kind count: a list of guesses is no proof.
MAX_OF_EACH = 2

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
#: As France writes them. A word or a price beside it is none.
_POSTCODE = re.compile(
    r"(?<![\w.,/+-])(?:f-? ?)?([0-9]{2} ?[0-9]{3}|2[ab] ?[0-9]{3})"
    r"(?![\w/€]|[.,-][0-9]| ?(?:€|euro))"
)
_ANY_POSTCODE = re.compile(r"[a-z0-9]{4,10}")


def plain_proof(text: str) -> str:
    """Return a proof as it is compared: ``" Camille@Example.FR"`` is ``"camille@example.fr"``."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if not char.isspace())


def is_postcode(text: str) -> bool:
    """Whether it may be a postcode, of any country that the shop delivers to."""
    return _ANY_POSTCODE.fullmatch(_bare(text)) is not None


def proves(given: Iterable[str], email: str, postcode: str) -> bool:
    """Whether one of what was given is the e-mail or the postcode; blanks prove nothing.

    All are compared, in a time that does not tell which or how much was right.
    """
    right = [_digest(plain_proof(email)), _digest(_bare(postcode))]
    is_right = False
    for text in given:
        found = [_digest(plain_proof(text)), _digest(_bare(text))]
        same = [hmac.compare_digest(one, other) for one, other in zip(found, right, strict=True)]
        is_right |= any(same) and bool(_bare(text))
    return is_right


def proofs_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the newest e-mails and French postcodes in what a customer wrote.

    ``texts``: the newest first. The digits of an order number are no postcode.
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
