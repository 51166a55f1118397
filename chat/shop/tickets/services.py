"""Changes to an existing ticket: replies, notes, states, assignment, links.

Each function is one transaction that locks the ticket's row, so that concurrent changes are
serialised, and records the change in the history.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.db import transaction

from chat.core import clock
from chat.core.ids import is_id
from chat.shop.tickets import outbox
from chat.shop.tickets.deadline import deadline
from chat.shop.tickets.draft import lines_of
from chat.shop.tickets.links import follow_url
from chat.shop.tickets.models import CannedAnswer, Ticket, TicketEntry
from chat.shop.tickets.open_hours import risk_starts
from chat.shop.tickets.priority import Priority
from chat.shop.tickets.states import LABELS, NotAllowed, State, after_reply, check_change

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Kind = TicketEntry.Kind

MAX_TEXT_CHARS = 4000
MAX_KEY_CHARS = 60
_MARKS = re.compile(r"\{(client|numero|produit)\}")


class BadText(Exception):
    """A text is refused; the message gives the reason in French."""


def checked_text(text: str) -> str:
    """Return the sanitised form of a text for storage.

    Raises:
        BadText: blank, or over ``MAX_TEXT_CHARS``.
    """
    plain = lines_of(text)
    if not plain:
        raise BadText("Écrivez quelques mots avant d'envoyer.")
    if len(plain) > MAX_TEXT_CHARS:
        raise BadText(f"Ce texte dépasse {MAX_TEXT_CHARS} caractères.")
    return plain


@transaction.atomic
def reply(ticket_id: int, text: str, user: User, key: str | None = None) -> TicketEntry:
    """Add a reply to the customer, shown on the ticket page and sent by e-mail.

    ``key``: idempotency key, for a form submitted twice.

    Raises:
        BadText: see ``checked_text``.
        NotAllowed: the ticket is closed.
    """
    text = checked_text(text)
    ticket = _locked(ticket_id)
    known = _known(ticket, Kind.REPLY, key)
    if known is not None:
        return known
    if State(ticket.state) is State.CLOSED:
        raise NotAllowed("Un ticket clos ne reçoit plus de réponse.")
    state = after_reply(State(ticket.state), by_customer=False)
    entry = _add(ticket, Kind.REPLY, text, user, key, state)
    if ticket.first_answered_at is None:
        ticket.first_answered_at = entry.at
    if ticket.adviser is None:
        ticket.adviser = user
    ticket.state = state
    ticket.save(update_fields=["first_answered_at", "adviser", "state"])
    outbox.queue_reply(ticket, entry)
    return entry


@transaction.atomic
def add_customer_message(ticket_id: int, text: str, key: str) -> TicketEntry:
    """Add a customer's message from the ticket page. Idempotent per ``key``.

    Raises:
        BadText: see ``checked_text``.
        NotAllowed: the ticket is closed.
    """
    text = checked_text(text)
    ticket = _locked(ticket_id)
    known = _known(ticket, Kind.CUSTOMER, key)
    if known is not None:
        return known
    if State(ticket.state) is State.CLOSED:
        raise NotAllowed("Cette demande est close. Ouvrez-en une nouvelle dans la conversation.")
    state = after_reply(State(ticket.state), by_customer=True)
    entry = _add(ticket, Kind.CUSTOMER, text, None, key, state)
    ticket.state = state
    ticket.save(update_fields=["state"])
    outbox.queue_customer_wrote(ticket, entry)
    return entry


@transaction.atomic
def add_note(ticket_id: int, text: str, user: User, key: str | None = None) -> TicketEntry:
    """Add an internal note, visible to staff only. Idempotent per ``key``.

    Raises:
        BadText: see ``checked_text``.
    """
    text = checked_text(text)
    ticket = _locked(ticket_id)
    return _known(ticket, Kind.NOTE, key) or _add(ticket, Kind.NOTE, text, user, key)


@transaction.atomic
def change_state(ticket_id: int, new: State, user: User | None) -> bool:
    """Change the state of a ticket; e-mail the customer when it is resolved. Return False if the
    ticket already had this state.

    Raises:
        NotAllowed: not from its current state.
    """
    ticket = _locked(ticket_id)
    old = State(ticket.state)
    if old is new:
        return False
    check_change(old, new)
    ticket.state = new
    ticket.closed_at = clock.now() if new is State.CLOSED else None
    ticket.save(update_fields=["state", "closed_at"])
    entry = _add(ticket, Kind.STATE, f"{LABELS[old]} → {LABELS[new]}", user, None, new)
    if new is State.RESOLVED:
        outbox.queue_resolved(ticket, entry)
    return True


@transaction.atomic
def assign(ticket_id: int, adviser: User | None, user: User) -> bool:
    """Assign a ticket to an adviser, or to nobody. Return False if nothing changed."""
    ticket = _locked(ticket_id)
    if ticket.adviser == adviser:
        return False
    ticket.adviser = adviser
    ticket.save(update_fields=["adviser"])
    name = (adviser.get_full_name() or adviser.get_username()) if adviser else "personne"
    _add(ticket, Kind.ASSIGNED, f"Confié à {name}", user)
    return True


@transaction.atomic
def change_priority(ticket_id: int, priority: Priority, user: User) -> bool:
    """Set the priority manually. Return False if nothing changed.

    The deadline, counted from the opening, is recomputed as long as the ticket is unanswered, so
    that an answer in time stays in time.
    """
    ticket = _locked(ticket_id)
    if ticket.priority == priority:
        return False
    text = f"{ticket.priority} → {priority}"
    ticket.priority = priority
    if ticket.first_answered_at is None:
        ticket.first_answer_due_at = deadline(ticket.opened_at, priority)
        ticket.first_answer_risk_at = risk_starts(ticket.opened_at, priority)
    ticket.save(update_fields=["priority", "first_answer_due_at", "first_answer_risk_at"])
    _add(ticket, Kind.PRIORITY, text, user)
    return True


@transaction.atomic
def revoke_link(ticket_id: int, user: User, key: str | None = None) -> bool:
    """Revoke all links to the customer's page, including those of its photos.

    Unsent e-mails get the new link; the customer is not notified. ``key``: as in ``reply``. Return
    False if ``key`` was already used.
    """
    return _renew_link(ticket_id, user, "Lien de suivi révoqué.", key)[1]


@transaction.atomic
def send_new_link(ticket_id: int, user: User, key: str | None = None) -> bool:
    """Send the customer a new link, and revoke the earlier ones.

    ``key``: as in ``reply``. Return False if ``key`` was already used.
    """
    entry, is_new = _renew_link(ticket_id, user, "Nouveau lien de suivi envoyé au client.", key)
    if is_new:
        ticket = entry.ticket
        ticket.link_sent_at = entry.at
        ticket.save(update_fields=["link_sent_at"])
        outbox.queue_link(ticket, entry)
    return is_new


def _renew_link(ticket_id: int, user: User, what: str, key: str | None) -> tuple[TicketEntry, bool]:
    ticket = _locked(ticket_id)
    known = _known(ticket, Kind.NOTE, key)
    if known is not None:
        return known, False
    old_url = follow_url(ticket)
    ticket.link_version += 1
    ticket.save(update_fields=["link_version"])
    outbox.replace_link(ticket, old_url)
    return _add(ticket, Kind.NOTE, what, user, key), True


def filled_in(answer: CannedAnswer, ticket: Ticket) -> str:
    """Fill in the placeholders of a canned answer from a ticket."""
    words = {
        "client": ticket.customer_name or "Madame, Monsieur",
        "numero": ticket.number or "",
        "produit": ticket.product,
    }
    return _MARKS.sub(lambda mark: words[mark[1]], answer.text)


def _locked(ticket_id: int) -> Ticket:
    return Ticket.objects.select_for_update().get(pk=ticket_id)


def _key(ticket: Ticket, kind: TicketEntry.Kind, key: str | None) -> str | None:
    """Scope an idempotency key to its ticket and kind of entry."""
    if key is None or not is_id(key) or len(key) > MAX_KEY_CHARS:
        return None
    return f"{kind}:{ticket.pk}:{key}"


def _known(ticket: Ticket, kind: TicketEntry.Kind, key: str | None) -> TicketEntry | None:
    whole = _key(ticket, kind, key)
    return TicketEntry.objects.filter(key=whole).first() if whole else None


def _add(
    ticket: Ticket,
    kind: TicketEntry.Kind,
    text: str,
    user: User | None,
    key: str | None = None,
    state: State | None = None,
) -> TicketEntry:
    """Add an entry to the history. ``state``: new state of the ticket, if it changes."""
    return TicketEntry.objects.create(
        ticket=ticket,
        at=clock.now(),
        kind=kind,
        text=text,
        state=state if state is not None and (state != ticket.state or kind is Kind.STATE) else "",
        by=user,
        key=_key(ticket, kind, key),
    )
