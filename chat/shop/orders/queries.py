"""Queries on orders."""

from __future__ import annotations

from collections.abc import Sequence

from chat.shop.orders.models import Order, OrderLine
from chat.shop.orders.proof import proves


def find_order(number: str, proofs: Sequence[str], name: str = "") -> Order | None:
    """Return the order with this number if the proofs contain its e-mail, or its postcode and
    ``name`` is the customer's family name.

    None both for an unknown number and for a wrong proof, after the same work: one query and the
    same number of comparisons.
    """
    order = Order.objects.filter(number=number).first()
    is_right = proves(
        proofs,
        name,
        email=order.email if order else "",
        postcode=order.postcode if order else "",
        customer_name=order.customer_name if order else "",
    )
    return order if is_right and order is not None else None


def lines_of(order: Order, limit: int) -> tuple[list[OrderLine], int]:
    """Return the first ``limit`` lines of an order and their total number."""
    lines = order.lines.order_by("position")
    return list(lines[:limit]), lines.count()
