"""Atomic import of an order file into the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from chat.shop.imports.reading import read_file
from chat.shop.orders.import_rows import (
    LINE_FIELDS,
    ORDER_FIELDS,
    BadOrders,
    NewLine,
    NewOrder,
    orders_of,
)
from chat.shop.orders.models import Order, OrderLine

#: Nesting: an order with a list of lines, which are objects with a list of components.
_DEPTH = 5
#: Orders per query; SQLite limits the number of parameters.
_AT_ONCE = 200


@dataclass(slots=True)
class Loaded:
    """Numbers of created, updated and unchanged orders."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0


def read_orders(path: Path) -> list[NewOrder]:
    """Read and validate the orders of a file.

    Raises:
        Unreadable: the file as a whole cannot be read.
        BadOrders: some rows are invalid.
    """
    rows, problems = read_file(path, max_depth=_DEPTH)
    if problems:
        raise BadOrders(problems)
    return orders_of(rows)


def load_orders(path: Path, *, dry_run: bool = False) -> Loaded:
    """Store the orders of a ``.json`` or ``.csv`` file. Idempotent.

    An existing order gets the values and lines of the file. Orders that are missing from the file
    are unchanged. ``dry_run``: validate and count only.

    Raises:
        Unreadable, BadOrders: nothing was stored.
    """
    return store_orders(read_orders(path), dry_run=dry_run)


def store_orders(orders: Sequence[NewOrder], *, dry_run: bool = False) -> Loaded:
    """Store validated orders; see ``load_orders``."""
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
