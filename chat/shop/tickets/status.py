"""Status of tickets for a conversation: its own ones, or one proved by its e-mail."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from chat.core.lookups import look_up
from chat.shop.orders.proof import plain_proof
from chat.shop.tickets.models import Ticket, TicketEntry
from chat.shop.tickets.phrases import full_moment
from chat.shop.tickets.states import CUSTOMER_LABELS, State

MAX_TICKETS = 5
_NUMBER = re.compile(r"(?<![^\W_])sav[\s._-]{0,3}(2\d{3})[\s._-]{0,3}(\d{1,7})(?![^\W_])", re.I)

Told = dict[str, str | None]


def numbers_in(text: str) -> tuple[str, ...]:
    """Return the ticket numbers in a text, in any spelling, as ``SAV-2026-00042``."""
    found = (f"SAV-{year}-{int(count):05d}" for year, count in _NUMBER.findall(text))
    return tuple(dict.fromkeys(found))


def proved(number: str, emails: Sequence[str]) -> Told | None:
    """Return the status of a ticket if ``emails`` contains its e-mail.

    None both for an unknown number and for a wrong e-mail, after the same work.
    """
    ticket = Ticket.objects.filter(number=number).first()
    right = _digest(ticket.email if ticket else "")
    same = [hmac.compare_digest(_digest(email), right) for email in emails if email.strip()]
    return _summary(ticket) if ticket is not None and any(same) else None


def of_conversation(session_ref: str) -> list[Told]:
    """Return the status of the tickets opened by a conversation, newest first."""
    tickets = Ticket.objects.filter(session_ref=session_ref)[:MAX_TICKETS]
    return [_summary(ticket) for ticket in tickets]


async def aproved(number: str, emails: Sequence[str]) -> Told | None:
    """Asynchronous form of ``proved``, with the timeout of ``look_up``."""
    return await look_up(proved, number, emails)


async def aof_conversation(session_ref: str) -> list[Told]:
    """Asynchronous form of ``of_conversation``, with the timeout of ``look_up``."""
    return await look_up(of_conversation, session_ref)


def _summary(ticket: Ticket) -> Told:
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
