"""What the customer wrote in this conversation: the only place a number or a proof comes from.

A model can be talked into inventing arguments; it cannot put words into the transcript. A
value that the model reports of the customer counts only if the customer wrote it.
"""

from __future__ import annotations

import re
from datetime import date

from chat.conversations.types import Author, Session
from chat.core.clock import now
from chat.shop import hours
from chat.shop.orders.proof import name_words, numbers_in, plain_proof, proofs_in, read_number
from chat.shop.tickets import draft
from chat.shop.tickets.draft import BadField
from chat.shop.tickets.draft_dialogue import names_problem
from chat.shop.tickets.problems import folded

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


_MIN_QUOTE_CHARS = 3
#: Lines of a quote that are looked for.
_MAX_LINES = 40
_MONTHS = (
    *("janvier", "fevrier", "mars", "avril", "mai", "juin"),
    *("juillet", "aout", "septembre", "octobre", "novembre", "decembre"),
)


_YEAR = re.compile(r"[/. -]{0,2}(\d{4}|\d{2})(?!\d)")


def messages_quoted(session: Session, quote: str) -> str:
    """Return the whole messages of the customer out of which a line of this is quoted, or "".

    The whole ones: what the model leaves out may be that somebody was hurt. Of several, those
    that say what is wrong; a paraphrase stands for the newest one that does.
    """
    texts = [text for text in reversed(customer_texts(session)) if text.strip()]
    read = [line for line in map(folded, quote.splitlines()) if len(line) >= _MIN_QUOTE_CHARS]
    lines = list(dict.fromkeys(read))[:_MAX_LINES]
    quoted = [text for text in texts if _has_any(folded(text), lines)]
    if not quoted:
        return next((text for text in reversed(texts) if names_problem(text)), "")
    telling = [text for text in quoted if names_problem(text)]
    return "\n".join(dict.fromkeys(text.strip() for text in telling or quoted))


def _has_any(text: str, lines: list[str]) -> bool:
    return any(line in text for line in lines)


def wrote_words(session: Session, words: str) -> bool:
    """Whether each of these words stands in what the customer wrote, as a whole one."""
    wanted = re.findall(r"\w+", folded(words))
    written = set(re.findall(r"\w+", folded("\n".join(customer_texts(session)))))
    return bool(wanted) and written.issuperset(wanted)


def wrote_order_number(session: Session, number: str) -> bool:
    """Whether the customer wrote this order number, in any typing."""
    canonical = read_number(number)
    return canonical is not None and wrote_number(session, canonical)


def wrote_email(session: Session, email: str) -> bool:
    """Whether it is, whole, one of the newest addresses that the customer wrote."""
    return plain_proof(email) in map(plain_proof, proofs_written(session))


def wrote_day(session: Session, text: str) -> bool:
    """Whether one message of the customer has its day and month; without a year, the last such."""
    try:
        day = date.fromisoformat(draft.delivered_on(text))
    except BadField:
        return False
    return any(_has_day(folded(written), day) for written in customer_texts(session))


def _has_day(text: str, day: date) -> bool:
    month = rf"(?:{_MONTHS[day.month - 1]}|0?{day.month})"
    if re.search(rf"(?<!\d){day.year}-0?{day.month}-0?{day.day}(?!\d)", text):
        return True
    for found in re.finditer(rf"(?<!\d)0?{day.day}(?:er)?[/. -]{month}(?!\w)", text):
        year = _YEAR.match(text, found.end())
        if year is None and day == _last(day):
            return True
        if year is not None and year[1] in (str(day.year), f"{day.year % 100:02}"):
            return True
    return False


def _last(day: date) -> date:
    """Return the last such day of a year that is not to come."""
    today = now().astimezone(hours.PARIS).date()
    year = today.year if (day.month, day.day) <= (today.month, today.day) else today.year - 1
    try:
        return day.replace(year=year)
    except ValueError:  # 29 February
        return day
