"""Validation of each field of a ticket draft, from a customer's or the model's input. Pure.

Every function accepts a value of any type, and returns the normalised value or raises ``BadField``.
"""

from __future__ import annotations

import re
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from chat.shop.orders.numbers import read_number
from chat.shop.tickets.sanitize import line_of, lines_of
from chat.shop.tickets.vocabulary import folded

MAX_WORDS_CHARS = 4000
MAX_NAME_CHARS = 200
MAX_REFERENCE_CHARS = 20
MAX_EMAIL_CHARS = 254
#: Plausible years of a delivery.
_YEARS = range(1970, 2101)

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})")
_IN_WORDS = re.compile(r"(\d{1,2})(?:er)? ([a-z]+) (\d{4})")
#: Folded French names of the months.
_MONTHS = (
    *("janvier", "fevrier", "mars", "avril", "mai", "juin"),
    *("juillet", "aout", "septembre", "octobre", "novembre", "decembre"),
)


class BadField(Exception):
    """Invalid value. ``field``: its name; the text gives the reason in French."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


def words(value: object) -> str:
    """Return the description of the problem, with its line breaks."""
    return _bounded("words", lines_of(_text("words", value)), MAX_WORDS_CHARS)


def product_reference(value: object) -> str:
    text = line_of(_text("product_reference", value)).upper()
    return _bounded("product_reference", text, MAX_REFERENCE_CHARS)


def product_name(value: object) -> str:
    return _bounded("product_name", line_of(_text("product_name", value)), MAX_NAME_CHARS)


def customer_name(value: object) -> str:
    return _bounded("customer_name", line_of(_text("customer_name", value)), MAX_NAME_CHARS)


def email(value: object) -> str:
    """Return the e-mail address in lower case."""
    text = line_of(_text("email", value)).lower().removeprefix("mailto:")
    try:
        validate_email(text)
    except ValidationError as error:
        raise BadField("email", "Cette adresse e-mail n'est pas valide.") from error
    return _bounded("email", text, MAX_EMAIL_CHARS)


def order_number(value: object) -> str:
    """Return the canonical order number ``"CMD-2025-54321"`` from any usual spelling."""
    number = read_number(_text("order_number", value))
    if number is None:
        raise BadField("order_number", "Un numéro de commande s'écrit CMD-2025-54321.")
    return number


def delivered_on(value: object) -> str:
    """Return an ISO date from ``2026-03-12``, ``12/03/2026``, ``12.3.2026`` or ``12 mars 2026``."""
    text = folded(_text("delivered_on", value)).removeprefix("le ")
    try:
        day = _date_of(text)
    except ValueError as error:
        why = "Une date s'écrit comme 12/03/2026."
        raise BadField("delivered_on", why) from error
    if day.year not in _YEARS:
        raise BadField("delivered_on", "Cette date ne peut pas être celle d'une livraison.")
    return day.isoformat()


def no_order(value: object) -> bool:
    """Return whether the value is JSON's true or a ticked checkbox."""
    return value is True or value in ("on", "1", "true")


def _date_of(text: str) -> date:
    if found := _ISO.fullmatch(text):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := _DAY_FIRST.fullmatch(text):
        return date(int(found[3]), int(found[2]), int(found[1]))
    if (found := _IN_WORDS.fullmatch(text)) and found[2] in _MONTHS:
        return date(int(found[3]), _MONTHS.index(found[2]) + 1, int(found[1]))
    raise ValueError("no date")


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadField(field, "Ce champ doit être du texte.")
    return value


def _bounded(field: str, text: str, max_chars: int) -> str:
    if not text:
        raise BadField(field, "Ce champ est vide.")
    if len(text) > max_chars:
        raise BadField(field, f"Ce champ est limité à {max_chars} caractères.")
    return text
