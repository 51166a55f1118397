"""Tickets as files for other programs. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from chat.sessions.types import isoformat
from chat.tickets.models import Ticket

FIELDS = (
    *("number", "state", "priority", "points", "problem", "severity", "danger"),
    *("product_reference", "product_name", "order_number", "order_is_theirs", "delivered_on"),
    *("customer_name", "email", "words", "adviser", "opened_at", "first_answer_due_at"),
    *("first_answered_at", "closed_at"),
)
#: A spreadsheet takes a cell that begins so for a formula. Source: OWASP, "CSV Injection".
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def row_of(ticket: Ticket) -> dict[str, Any]:
    """Return what leaves of a ticket; moments in UTC."""
    values = {name: getattr(ticket, name) for name in FIELDS if name != "adviser"}
    values["adviser"] = ticket.adviser.get_username() if ticket.adviser else ""
    return {name: _plain(values[name]) for name in FIELDS}


def as_json(tickets: Iterable[Ticket]) -> str:
    return json.dumps([row_of(ticket) for ticket in tickets], ensure_ascii=False, indent=2)


def as_csv(tickets: Iterable[Ticket]) -> str:
    """One line a ticket; no cell is a formula."""
    return csv_of(FIELDS, ([row_of(ticket)[name] for name in FIELDS] for ticket in tickets))


def csv_of(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table that spreadsheets read as text and numbers, never as formulas."""
    buffer = io.StringIO()
    write = csv.writer(buffer, lineterminator="\r\n").writerow
    write(head)
    for row in rows:
        write([safe_cell(value) for value in row])
    return buffer.getvalue()


def safe_cell(value: Any) -> Any:
    """Return text that no spreadsheet runs: with an apostrophe where it would."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return isoformat(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
