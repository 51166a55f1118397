"""Validation of order rows from an import file. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from chat.shop.imports.cells import Cells
from chat.shop.imports.reading import RawRow, RowProblem
from chat.shop.orders.models import COMPONENTS
from chat.shop.orders.proof import is_postcode, read_number

MAX_LINES = 100
#: Maximum total of an order or price of an article: 200 000 €.
MAX_CENTS = 20_000_000

ORDER_FIELDS = (
    *("number", "email", "postcode", "customer_name", "ordered_at", "delivered_at"),
    *("is_distance_sale", "total_cents"),
)
LINE_FIELDS = (
    *("product_reference", "name", "quantity", "unit_price_cents"),
    *("components", "made_to_measure"),
)


class BadOrders(Exception):
    """The file has invalid rows, listed with their lines; nothing was stored."""

    def __init__(self, problems: Iterable[RowProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__(f"{len(self.problems)} problems")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLine:
    product_reference: str
    name: str
    quantity: int
    unit_price_cents: int
    components: tuple[str, ...]
    made_to_measure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """Order of an import file; fields as in ``Order``, timestamps in UTC."""

    number: str
    email: str
    postcode: str
    customer_name: str
    ordered_at: datetime
    delivered_at: datetime | None
    is_distance_sale: bool
    total_cents: int
    lines: tuple[NewLine, ...]


def orders_of(rows: Sequence[RawRow]) -> list[NewOrder]:
    """Return the orders of rows: JSON objects with ``lines``, or CSV lines, where consecutive lines
    with the same number form one order.

    Raises:
        BadOrders: with the errors of all rows.
    """
    faults: list[RowProblem] = []
    orders: list[NewOrder] = []
    first_lines: dict[str, int] = {}
    for group in _groups(rows):
        order, found = _order(group)
        faults += found
        before = first_lines.setdefault(order.number, group[0].line)
        if order.number and before != group[0].line:
            faults.append(RowProblem(group[0].line, "number", f"déjà donné à la ligne {before}"))
        orders.append(order)
    if faults:
        raise BadOrders(faults)
    return orders


def _groups(rows: Sequence[RawRow]) -> list[list[RawRow]]:
    groups: list[list[RawRow]] = []
    for row in rows:
        if groups and _continues(groups[-1][-1], row):
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _continues(before: RawRow, row: RawRow) -> bool:
    """Return whether a CSV line is a further article of the preceding order."""
    number = row.fields.get("number")
    return "lines" not in row.fields and bool(number) and before.fields.get("number") == number


def _order(group: Sequence[RawRow]) -> tuple[NewOrder, list[RowProblem]]:
    row = group[0]
    cells = Cells(row.line, row.fields)
    is_json = "lines" in row.fields
    cells.only((*ORDER_FIELDS, "lines") if is_json else (*ORDER_FIELDS, *LINE_FIELDS))
    articles = list(_json_lines(cells)) if is_json else [Cells(r.line, r.fields) for r in group]
    lines = tuple(_line(article) for article in articles)
    order = _read(cells, lines)
    for other in group[1:]:
        for name in ORDER_FIELDS:
            if other.fields.get(name) != row.fields.get(name):
                cells.faults.append(
                    RowProblem(other.line, name, f"n'est pas celui de la ligne {row.line}")
                )
    faults = list(cells.faults)
    for article in articles:
        faults += article.faults
    return order, faults


def _read(cells: Cells, lines: tuple[NewLine, ...]) -> NewOrder:
    ordered_at = cells.moment("ordered_at")
    delivered_at = cells.moment_or_none("delivered_at")
    if delivered_at is not None and delivered_at < ordered_at:
        cells.fault("delivered_at", "précède la commande")
    return NewOrder(
        number=_number(cells),
        email=_email(cells),
        postcode=_postcode(cells),
        customer_name=cells.text("customer_name", most=120),
        ordered_at=ordered_at.astimezone(UTC),
        delivered_at=delivered_at.astimezone(UTC) if delivered_at else None,
        is_distance_sale=cells.flag("is_distance_sale"),
        total_cents=cells.whole("total_cents", least=0, most=MAX_CENTS),
        lines=lines,
    )


def _json_lines(cells: Cells) -> Iterable[Cells]:
    given: Any = cells.data["lines"]
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_LINES:
        cells.fault("lines", f"une liste de 1 à {MAX_LINES} articles est attendue")
        return
    for index, article in enumerate(given):
        if not isinstance(article, dict):
            cells.fault(f"lines[{index}]", "un objet JSON est attendu")
            continue
        line = Cells(cells.line, article, prefix=f"lines[{index}].")
        line.only(LINE_FIELDS)
        yield line


def _line(cells: Cells) -> NewLine:
    return NewLine(
        product_reference=cells.text("product_reference", most=40),
        name=cells.text("name", most=160),
        quantity=cells.whole("quantity", least=1, most=1_000),
        unit_price_cents=cells.whole("unit_price_cents", least=0, most=MAX_CENTS),
        components=tuple(cells.words("components", among=COMPONENTS)),
        made_to_measure=cells.flag("made_to_measure"),
    )


def _number(cells: Cells) -> str:
    text = cells.text("number", most=40)
    number = read_number(text)
    if text and number is None:
        cells.fault("number", "un numéro comme CMD-2025-54321 est attendu")
    return number or ""


def _email(cells: Cells) -> str:
    text = cells.text("email", most=254)
    if text:
        try:
            validate_email(text)
        except ValidationError:
            cells.fault("email", "une adresse e-mail est attendue")
    return text


def _postcode(cells: Cells) -> str:
    text = cells.text("postcode", most=12)
    if text and not is_postcode(text):
        cells.fault("postcode", "un code postal est attendu")
    return text
