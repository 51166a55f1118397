"""Ticket draft: the fields collected in a conversation, and the next one to ask for. Pure.

Stored in the session as JSON. No ticket exists before the customer confirms the draft.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from chat.core.ids import new_id
from chat.core.json import JSON
from chat.shop.orders.proof import read_number
from chat.shop.tickets.problems import folded, problem_in, severity_in

#: Control characters except line feed and tab, surrogates, and bidirectional controls: databases
#: refuse some, and others spoof the display of pages and e-mails.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]")


def lines_of(text: str) -> str:
    """Return the sanitised, trimmed text with ``\\n`` as line break."""
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def line_of(text: str) -> str:
    """Return the sanitised text on one line, with single spaces."""
    return _UNWANTED.sub("", " ".join(text.split())).strip()


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


__all__ = ["ASKS", "BadField", "RecapRow", "Step", "TicketDraft"]


class Step(StrEnum):
    """Steps of the dialogue, in the order in which they are asked."""

    PROBLEM = "problem"
    PRODUCT = "product"
    ORDER = "order"
    EMAIL = "email"
    RECAP = "recap"


ASKS: dict[Step, str] = {
    Step.PROBLEM: "Que se passe-t-il, avec vos mots ?",
    Step.PRODUCT: "De quel meuble s'agit-il (nom ou référence) ?",
    Step.ORDER: "Quel est le numéro de la commande (CMD-2025-54321) ou, à défaut, la date de "
    "livraison ?",
    Step.EMAIL: "À quelle adresse e-mail pouvons-nous vous répondre ?",
}


@dataclass(frozen=True, slots=True)
class RecapRow:
    """Row of the recap. ``value``: of the input; ``shown``: formatted for reading."""

    field: str
    label: str
    value: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDraft:
    """Draft of one ticket. ``id`` is constant until the ticket exists.

    ``version`` is incremented by every change, so that a button of an earlier version is refused.
    ``delivered_on``: ISO date or "". ``no_order``: the customer has no order number at hand.
    """

    id: str
    version: int = 1
    words: str = ""
    product_reference: str = ""
    product_name: str = ""
    order_number: str = ""
    delivered_on: str = ""
    no_order: bool = False
    customer_name: str = ""
    email: str = ""

    @classmethod
    def new(cls) -> TicketDraft:
        return cls(id=new_id())

    @classmethod
    def from_json(cls, data: JSON) -> TicketDraft:
        """Decode a draft from ``to_json``, also one written by another release."""
        return replace(_BLANK, **{n: v for n, v in data.items() if type(v) is _TYPES.get(n)})

    def to_json(self) -> JSON:
        return asdict(self)

    @property
    def step(self) -> Step:
        """The next step of the dialogue."""
        if not self.words:
            return Step.PROBLEM
        if not self.product_name and not self.product_reference:
            return Step.PRODUCT
        if not (self.order_number or self.delivered_on or self.no_order):
            return Step.ORDER
        return Step.RECAP if self.email else Step.EMAIL

    @property
    def is_complete(self) -> bool:
        return self.step is Step.RECAP

    def with_fields(self, given: Mapping[str, Any]) -> TicketDraft:
        """Return the draft with values found in the conversation; blank and unknown fields are
        ignored. Returns ``self`` when nothing changes.

        Raises:
            BadField: the first invalid field.
        """
        said = {
            name: reader(value)
            for name, reader in _READERS.items()
            if (value := given.get(name)) is not None and not _is_blank(value)
        }
        return self._with(said)

    def with_edits(self, given: Mapping[str, Any]) -> TicketDraft:
        """Return the draft with the customer's edits in the recap: a blank value clears the field,
        a missing one leaves it unchanged.

        Raises:
            BadField: the first invalid field, or required field that is blank.
        """
        edits: dict[str, Any] = {}
        for name in (*_EDITABLE, "no_order"):
            if (value := given.get(name)) is None:
                continue
            if not _is_blank(value):
                edits[name] = _READERS[name](value)
            elif name in _REQUIRED:
                raise BadField(name, _REQUIRED[name])
            elif name != "no_order":
                edits[name] = ""
        if not self.product_name and edits.get("product_name") == self.product_reference:
            del edits["product_name"]  # the recap shows the reference in place of the name
        if edits.get("product_name", self.product_name) != self.product_name:
            # The reference belongs to another product.
            edits.setdefault("product_reference", "")
        if not any(_value(edits, self, name) for name in ("order_number", "delivered_on")):
            edits["no_order"] = True
        return self._with(edits)

    def _with(self, values: dict[str, Any]) -> TicketDraft:
        if any(values.get(name) for name in ("order_number", "delivered_on")):
            values["no_order"] = False
        changed = {name: value for name, value in values.items() if getattr(self, name) != value}
        return replace(self, **changed, version=self.version + 1) if changed else self

    def recap(self) -> list[RecapRow]:
        """Return the rows that the customer checks, edits and confirms."""
        delivered = date.fromisoformat(self.delivered_on) if self.delivered_on else None
        name = self.product_name or self.product_reference
        product = " · ".join(dict.fromkeys(filter(None, (name, self.product_reference))))
        order, day, who = self.order_number, self.delivered_on, self.customer_name
        day_shown = f"{delivered:%d/%m/%Y}" if delivered else "non précisée"
        return [
            RecapRow("words", "Problème", self.words, self.words),
            RecapRow("product_name", "Produit", name, product),
            RecapRow("order_number", "Commande", order, order or "non précisée"),
            RecapRow("delivered_on", "Date de livraison", day, day_shown),
            RecapRow("customer_name", "Nom", who, who or "non précisé"),
            RecapRow("email", "E-mail", self.email, self.email),
        ]

    def reading(self) -> JSON:
        """Return the classification of the description: ``{"problem": "structure", …}``."""
        return {"problem": problem_in(self.words).value, "severity": severity_in(self.words).value}


def _is_blank(value: object) -> bool:
    return value is False or (isinstance(value, str) and not value.strip())


def _value(edits: Mapping[str, Any], form: TicketDraft, name: str) -> Any:
    return edits[name] if name in edits else getattr(form, name)


_BLANK = TicketDraft(id="")
_TYPES = {item.name: type(getattr(_BLANK, item.name)) for item in fields(TicketDraft)}

_READERS: dict[str, Callable[[object], object]] = {
    "words": words,
    "product_reference": product_reference,
    "product_name": product_name,
    "order_number": order_number,
    "delivered_on": delivered_on,
    "no_order": no_order,
    "customer_name": customer_name,
    "email": email,
}
_EDITABLE = ("words", "product_name", "order_number", "delivered_on", "customer_name", "email")
#: Required fields, and the French message for a blank one.
_REQUIRED = {
    "words": "Décrivez le problème en quelques mots.",
    "product_name": "Dites de quel meuble il s'agit.",
    "email": "Une adresse e-mail est nécessaire pour vous répondre.",
}
