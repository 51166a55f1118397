"""Ticket draft: the fields collected in a conversation, and the next one to ask for. Pure.

Stored in the session as JSON. No ticket exists before the customer confirms the draft.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from enum import StrEnum
from typing import Any

from chat.core.ids import new_id
from chat.core.json import JSON
from chat.shop.tickets import fields as readers
from chat.shop.tickets.fields import BadField
from chat.shop.tickets.problems import problem_in, severity_in

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
    "words": readers.words,
    "product_reference": readers.product_reference,
    "product_name": readers.product_name,
    "order_number": readers.order_number,
    "delivered_on": readers.delivered_on,
    "no_order": readers.no_order,
    "customer_name": readers.customer_name,
    "email": readers.email,
}
_EDITABLE = ("words", "product_name", "order_number", "delivered_on", "customer_name", "email")
#: Required fields, and the French message for a blank one.
_REQUIRED = {
    "words": "Décrivez le problème en quelques mots.",
    "product_name": "Dites de quel meuble il s'agit.",
    "email": "Une adresse e-mail est nécessaire pour vous répondre.",
}
