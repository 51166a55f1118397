"""E-mails about tickets, queued with the row they tell of; ``postman`` sends them later.

What customers get repeats nothing that a stranger typed: whoever opens a request in another's
name cannot have the shop write to them what they like.
"""

from __future__ import annotations

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from chat.tickets.links import follow_url
from chat.tickets.models import OutgoingMail, Ticket, TicketEntry
from chat.tickets.phrases import full_moment
from chat.tickets.plain import line_of

MAX_SUBJECT_CHARS = 200


def queue_opened(ticket: Ticket) -> None:
    """Tell the customer and the shop that the ticket exists."""
    _to_customer(ticket, "opened", f"Votre demande {ticket.number} est enregistrée")
    _to_shop(ticket, "opened_shop", f"[{ticket.priority}] {ticket.number} · {ticket.product}")


def queue_reply(ticket: Ticket, entry: TicketEntry) -> None:
    """Send the customer what an adviser answered."""
    _to_customer(ticket, "reply", f"Réponse à votre demande {ticket.number}", entry)


def queue_resolved(ticket: Ticket, entry: TicketEntry) -> None:
    """Tell the customer that the shop takes the request for done."""
    _to_customer(ticket, "resolved", f"Votre demande {ticket.number} est résolue", entry)


def queue_customer_wrote(ticket: Ticket, entry: TicketEntry) -> None:
    """Tell the shop that the customer answered."""
    _to_shop(ticket, "customer_wrote", f"{ticket.number} : le client a écrit", entry)


def _to_customer(
    ticket: Ticket, template: str, subject: str, entry: TicketEntry | None = None
) -> None:
    _queue(ticket, template, (ticket.email, settings.ENV.shop_email), subject, entry)


def _to_shop(ticket: Ticket, template: str, subject: str, entry: TicketEntry | None = None) -> None:
    """Nothing is written while the shop has not said where it reads."""
    if settings.ENV.shop_email:
        _queue(ticket, template, (settings.ENV.shop_email, ticket.email), subject, entry)


def _queue(
    ticket: Ticket,
    template: str,
    addresses: tuple[str, str],
    subject: str,
    entry: TicketEntry | None,
) -> None:
    """``addresses``: to whom, and who reads what they answer."""
    now = timezone.now()
    to, reply_to = addresses
    context = {
        "ticket": ticket,
        "entry": entry,
        "due": full_moment(ticket.first_answer_due_at),
        "env": settings.ENV,
        "url": follow_url(ticket.number or ""),
    }
    OutgoingMail.objects.get_or_create(
        key=f"{template}:{ticket.pk}:{entry.pk if entry else ''}",
        defaults={
            "ticket": ticket,
            "to": to,
            "reply_to": reply_to,
            "subject": line_of(subject)[:MAX_SUBJECT_CHARS],
            "body": render_to_string(f"tickets/mail/{template}.txt", context).strip() + "\n",
            "created_at": now,
            "due_at": now,
        },
    )
