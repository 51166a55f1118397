"""What the customer wrote in this conversation: the only place a number or a proof comes from.

A model can be talked into inventing arguments; it cannot put words into the transcript.
"""

from __future__ import annotations

from chat.conversations.types import Author, Session
from chat.shop.orders.numbers import numbers_in
from chat.shop.orders.proof import name_words, plain_proof, proofs_in

#: Messages that are looked at, the newest first, and their characters: a look-up reads them in one
#: step of the event loop. The newest message is always looked at.
MAX_MESSAGES = 50
MAX_CHARS = 12_000


def customer_texts(session: Session) -> list[str]:
    """Return what the customer wrote, the newest first."""
    texts: list[str] = []
    room = MAX_CHARS
    for entry in reversed(session.messages):
        if entry.author is not Author.CUSTOMER:
            continue
        room -= len(entry.text)
        if texts and (room < 0 or len(texts) == MAX_MESSAGES):
            break
        texts.append(entry.text)
    return texts


def wrote_number(session: Session, number: str) -> bool:
    """Whether the customer wrote this order number, in any typing."""
    return any(number in numbers_in(text) for text in customer_texts(session))


def wrote(session: Session, proof: str) -> bool:
    """Whether the customer wrote this e-mail or postcode."""
    plain = plain_proof(proof)
    return bool(plain) and any(plain in plain_proof(text) for text in customer_texts(session))


def wrote_name(session: Session, name: str) -> bool:
    """Whether each word of a name stands in what the customer wrote, as a whole one."""
    written = {word for text in customer_texts(session) for word in name_words(text)}
    wanted = name_words(name)
    return bool(wanted) and written.issuperset(wanted)


def proofs_written(session: Session) -> tuple[str, ...]:
    """Return the newest e-mails and postcodes that the customer wrote."""
    return proofs_in(customer_texts(session))
