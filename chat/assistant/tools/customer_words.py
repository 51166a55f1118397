"""What the customer wrote in this conversation: the only place a number or a proof comes from.

A model can be talked into inventing arguments; it cannot put words into the transcript.
"""

from __future__ import annotations

from chat.orders.numbers import numbers_in
from chat.orders.proof import plain_proof, proofs_in
from chat.sessions.types import Author, Session

#: Messages that are looked at, the newest first.
MAX_MESSAGES = 50


def customer_texts(session: Session) -> list[str]:
    """Return what the customer wrote, the newest first."""
    texts = [entry.text for entry in reversed(session.messages) if entry.author is Author.CUSTOMER]
    return texts[:MAX_MESSAGES]


def wrote_number(session: Session, number: str) -> bool:
    """Whether the customer wrote this order number, in any typing."""
    return any(number in numbers_in(text) for text in customer_texts(session))


def wrote(session: Session, proof: str) -> bool:
    """Whether the customer wrote this e-mail or postcode."""
    plain = plain_proof(proof)
    return bool(plain) and any(plain in plain_proof(text) for text in customer_texts(session))


def proofs_written(session: Session) -> tuple[str, ...]:
    """Return the newest e-mails and postcodes that the customer wrote."""
    return proofs_in(customer_texts(session))
