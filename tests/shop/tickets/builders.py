"""Forms and tickets as tests need them."""

from __future__ import annotations

from typing import Any

from chat.shop.tickets.draft import TicketDraft
from chat.shop.tickets.models import Ticket
from chat.shop.tickets.opening import open_ticket

COMPLETE: dict[str, Any] = {
    "words": "Mon canapé grince quand je m'assois.",
    "product_name": "Canapé OSLO",
    "delivered_on": "2026-09-01",
    "customer_name": "Camille Martin",
    "email": "camille@example.test",
}
DANGER = "Le canapé s'est effondré, je me suis blessé."
REF = "0123456789abcdef"


def complete(**fields: Any) -> TicketDraft:
    """A form of its own to which nothing is lacking."""
    return TicketDraft.new().with_fields({**COMPLETE, **fields})


def opened(**fields: Any) -> Ticket:
    """A ticket of such a form."""
    ticket, created = open_ticket(complete(**fields), REF)
    assert created
    return ticket
