"""Export of tickets as JSON and CSV. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chat.core.ids import isoformat
from chat.core.reporting.tables import csv_table
from chat.shop.tickets.models import Ticket

FIELDS = (
    *("number", "state", "priority", "points", "problem", "severity", "danger"),
    *("product_reference", "product_name", "order_number", "order_is_theirs", "delivered_on"),
    *("customer_name", "email", "words", "adviser", "opened_at", "first_answer_due_at"),
    *("first_answered_at", "closed_at"),
)


def row_of(ticket: Ticket) -> dict[str, Any]:
    """Return the exported fields of a ticket; timestamps in UTC."""
    values = {name: getattr(ticket, name) for name in FIELDS if name != "adviser"}
    values["adviser"] = ticket.adviser.get_username() if ticket.adviser else ""
    return {name: _plain(values[name]) for name in FIELDS}


def as_json(tickets: Iterable[Ticket]) -> str:
    return json.dumps([row_of(ticket) for ticket in tickets], ensure_ascii=False, indent=2)


def as_csv(tickets: Iterable[Ticket]) -> str:
    """Return CSV with one line per ticket; formulas are escaped."""
    return csv_table(FIELDS, ([row_of(ticket)[name] for name in FIELDS] for ticket in tickets))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return isoformat(value)
    return value.isoformat() if hasattr(value, "isoformat") else value
