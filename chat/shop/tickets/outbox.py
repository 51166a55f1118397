"""Queues e-mails about tickets in the transaction of the change; ``mailer`` sends them later.

E-mails to customers contain no text typed by the person who opened the ticket, so that nobody can
use the shop to send text of their choice to a stranger.
"""

from __future__ import annotations

from django.conf import settings
from django.template.loader import render_to_string

from chat.core import clock
from chat.shop.tickets.draft import line_of
from chat.shop.tickets.links import follow_url
from chat.shop.tickets.models import OutgoingMail, Ticket, TicketEntry
from chat.shop.tickets.phrases import full_moment

MAX_SUBJECT_CHARS = 200


def queue_opened(ticket: Ticket) -> None:
    """Notify the customer and the shop of a new ticket."""
    _to_customer(ticket, "opened", f"Votre demande {ticket.number} est enregistrée")
    _to_shop(ticket, "opened_shop", f"[{ticket.priority}] {ticket.number} · {ticket.product}")


def queue_reply(ticket: Ticket, entry: TicketEntry) -> None:
    """Send an adviser's reply to the customer."""
    _to_customer(ticket, "reply", f"Réponse à votre demande {ticket.number}", entry)


def queue_resolved(ticket: Ticket, entry: TicketEntry) -> None:
    """Notify the customer that the ticket is resolved."""
    _to_customer(ticket, "resolved", f"Votre demande {ticket.number} est résolue", entry)


def queue_link(ticket: Ticket, entry: TicketEntry) -> None:
    """Send the customer a new link to the ticket page."""
    _to_customer(ticket, "link", f"Votre lien pour suivre la demande {ticket.number}", entry)


def replace_link(ticket: Ticket, old_url: str) -> None:
    """Replace the link in unsent e-mails by the ticket's current one."""
    for mail in ticket.mails.filter(sent_at=None, body__contains=old_url):
        mail.body = mail.body.replace(old_url, follow_url(ticket))
        mail.save(update_fields=["body"])


def queue_customer_wrote(ticket: Ticket, entry: TicketEntry) -> None:
    """Notify the shop of a customer's reply."""
    _to_shop(ticket, "customer_wrote", f"{ticket.number} : le client a écrit", entry)


def _to_customer(
    ticket: Ticket, template: str, subject: str, entry: TicketEntry | None = None
) -> None:
    _queue(ticket, template, (ticket.email, settings.ENV.shop_email), subject, entry)


def _to_shop(ticket: Ticket, template: str, subject: str, entry: TicketEntry | None = None) -> None:
    """Queue an e-mail to the shop, unless its address is not configured."""
    if settings.ENV.shop_email:
        _queue(ticket, template, (settings.ENV.shop_email, ticket.email), subject, entry)


def _queue(
    ticket: Ticket,
    template: str,
    addresses: tuple[str, str],
    subject: str,
    entry: TicketEntry | None,
) -> None:
    """Queue one e-mail. ``addresses``: recipient and ``Reply-To``."""
    now = clock.now()
    to, reply_to = addresses
    context = {
        "ticket": ticket,
        "entry": entry,
        "due": full_moment(ticket.first_answer_due_at),
        "env": settings.ENV,
        "url": follow_url(ticket),
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
