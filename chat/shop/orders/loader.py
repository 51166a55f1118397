"""Orders of a file, stored: all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from chat.imports.reading import read_file
from chat.orders.models import Order, OrderLine
from chat.orders.rows import (
    LINE_FIELDS,
    ORDER_FIELDS,
    BadOrders,
    NewLine,
    NewOrder,
    orders_of,
)

#: A dozen invented orders for the demonstration and for tests.
DEMO_ORDERS = Path(__file__).with_name("demo.json")

#: An order has a list of lines, which are objects with a list of components.
_DEPTH = 5
#: SQLite takes a bounded number of values in one query.
_AT_ONCE = 200


@dataclass(slots=True)
class Loaded:
    """How many orders were new, changed, or already there as the file has them."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


def read_orders(path: Path) -> list[NewOrder]:
    """Return the orders of a file, all checked.

    Raises:
        Unreadable: the file as a whole cannot be read.
        BadOrders: some of its rows are wrong.
    """
    rows, problems = read_file(path, max_depth=_DEPTH)
    if problems:
        raise BadOrders(problems)
    return orders_of(rows)


def load_orders(path: Path, *, dry_run: bool = False) -> Loaded:
    """Store the orders of a ``.json`` or ``.csv`` file; a second time nothing changes.

    An order that is already there gets the values and the lines of the file. Orders that the
    file does not name stay. ``dry_run``: check and count only.

    Raises:
        Unreadable, BadOrders: nothing was stored.
    """
    return store_orders(read_orders(path), dry_run=dry_run)


def store_orders(orders: Sequence[NewOrder], *, dry_run: bool = False) -> Loaded:
    """As ``load_orders``, of orders that were read."""
    loaded = Loaded()
    with transaction.atomic():
        for start in range(0, len(orders), _AT_ONCE):
            _store(orders[start : start + _AT_ONCE], loaded, dry_run=dry_run)
    return loaded


def _store(orders: Sequence[NewOrder], loaded: Loaded, *, dry_run: bool) -> None:
    numbers = [order.number for order in orders]
    rows = Order.objects.filter(number__in=numbers).prefetch_related("lines")
    known = {row.number: row for row in rows}
    new = [order for order in orders if order.number not in known]
    changed = [
        order
        for order in orders
        if order.number in known and not _is_same(known[order.number], order)
    ]
    loaded.created += len(new)
    loaded.updated += len(changed)
    loaded.unchanged += len(orders) - len(new) - len(changed)
    if dry_run:
        return
    for order in changed:
        row = known[order.number]
        for name in ORDER_FIELDS:
            setattr(row, name, getattr(order, name))
        row.save(update_fields=ORDER_FIELDS)
        row.lines.all().delete()
        _add_lines([(row, order)])
    made = Order.objects.bulk_create(
        Order(**{name: getattr(order, name) for name in ORDER_FIELDS}) for order in new
    )
    _add_lines(list(zip(made, new, strict=True)))


def _add_lines(orders: Sequence[tuple[Order, NewOrder]]) -> None:
    OrderLine.objects.bulk_create(
        (
            OrderLine(
                order=row,
                position=position,
                **{**_values(line), "components": list(line.components)},
            )
            for row, order in orders
            for position, line in enumerate(order.lines)
        ),
        batch_size=_AT_ONCE,
    )


def _is_same(row: Order, order: NewOrder) -> bool:
    if any(getattr(row, name) != getattr(order, name) for name in ORDER_FIELDS):
        return False
    stored = sorted(row.lines.all(), key=lambda line: line.position)
    return [_values(line) for line in stored] == [_values(line) for line in order.lines]


def _values(line: OrderLine | NewLine) -> dict[str, object]:
    return {
        name: tuple(value) if isinstance(value := getattr(line, name), list) else value
        for name in LINE_FIELDS
    }
