"""What is asked about orders."""

from __future__ import annotations

from collections.abc import Sequence

from chat.orders.models import Order, OrderLine
from chat.orders.proof import proves


def find_order(number: str, proofs: Sequence[str]) -> Order | None:
    """Return the order with this number if one of the proofs is its e-mail or its postcode.

    None tells an unknown number and a wrong proof alike, after the same work: one query and as
    many comparisons.
    """
    order = Order.objects.filter(number=number).first()
    email, postcode = (order.email, order.postcode) if order else ("", "")
    is_right = proves(proofs, email, postcode)
    return order if is_right and order is not None else None


def lines_of(order: Order, limit: int) -> tuple[list[OrderLine], int]:
    """Return the first lines of an order and how many it has."""
    lines = order.lines.order_by("position")
    return list(lines[:limit]), lines.count()
