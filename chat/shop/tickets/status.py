"""What a conversation may know of tickets: its own, or one that it proves to be its customer's."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from channels.db import database_sync_to_async

from chat.orders.proof import plain_proof
from chat.tickets.models import Ticket, TicketEntry
from chat.tickets.phrases import full_moment
from chat.tickets.states import CUSTOMER_LABELS, State

MAX_TICKETS = 5
_NUMBER = re.compile(r"(?<![^\W_])sav[\s._-]{0,3}(2\d{3})[\s._-]{0,3}(\d{1,7})(?![^\W_])", re.I)

Told = dict[str, str | None]


def numbers_in(text: str) -> tuple[str, ...]:
    """Return the ticket numbers that a text holds in any typing, as ``SAV-2026-00042``."""
    found = (f"SAV-{year}-{int(count):05d}" for year, count in _NUMBER.findall(text))
    return tuple(dict.fromkeys(found))


def proved(number: str, emails: Sequence[str]) -> Told | None:
    """Return how the ticket stands if one of these is its e-mail.

    None tells an unknown number and a wrong e-mail alike, after the same work.
    """
    ticket = Ticket.objects.filter(number=number).first()
    right = _digest(ticket.email if ticket else "")
    same = [hmac.compare_digest(_digest(email), right) for email in emails if email.strip()]
    return _told(ticket) if ticket is not None and any(same) else None


def of_conversation(session_ref: str) -> list[Told]:
    """Return how the tickets stand that this conversation opened, the newest first."""
    tickets = Ticket.objects.filter(session_ref=session_ref)[:MAX_TICKETS]
    return [_told(ticket) for ticket in tickets]


aproved = database_sync_to_async(proved)
aof_conversation = database_sync_to_async(of_conversation)


def _told(ticket: Ticket) -> Told:
    replies = ticket.entries.filter(kind=TicketEntry.Kind.REPLY).order_by("-at")
    last = replies.values_list("at", flat=True).first()
    is_awaited = ticket.first_answered_at is None and ticket.is_open
    return {
        "number": ticket.number,
        "state": CUSTOMER_LABELS[State(ticket.state)],
        "opened_on": full_moment(ticket.opened_at),
        "first_answer_before": full_moment(ticket.first_answer_due_at) if is_awaited else None,
        "last_reply_on": full_moment(last) if last else None,
        "source": f"Demande {ticket.number}",
    }


def _digest(text: str) -> bytes:
    return hashlib.sha256(plain_proof(text).encode("utf-8", "replace")).digest()
