"""What happens to a ticket once it exists: answers, notes, states, assignment.

Each function is one transaction that holds the ticket's row, so that two at once follow one
another; what it did stands in the history.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from chat.sessions.types import is_id
from chat.tickets import outbox
from chat.tickets.deadline import deadline
from chat.tickets.models import CannedAnswer, Ticket, TicketEntry
from chat.tickets.open_hours import risk_starts
from chat.tickets.plain import lines_of
from chat.tickets.priority import Priority
from chat.tickets.states import LABELS, NotAllowed, State, after_reply, check_change

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Kind = TicketEntry.Kind

MAX_TEXT_CHARS = 4000
MAX_KEY_CHARS = 60
_MARKS = re.compile(r"\{(client|numero|produit)\}")


class BadText(Exception):
    """What was written cannot be taken; the text says why, in French."""


def checked_text(text: str) -> str:
    """Return what somebody wrote, as it is stored.

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
    """Answer the customer: it stands on their page, and goes to them by e-mail.

    ``key``: names this answer, so that a form sent twice answers once.

    Raises:
        BadText:
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
def hear_customer(ticket_id: int, text: str, key: str) -> TicketEntry:
    """Take what the customer wrote on their page; the same key is taken once.

    Raises:
        BadText:
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
    """Write something that only the staff sees; the same key is taken once.

    Raises:
        BadText:
    """
    text = checked_text(text)
    ticket = _locked(ticket_id)
    return _known(ticket, Kind.NOTE, key) or _add(ticket, Kind.NOTE, text, user, key)


@transaction.atomic
def change_state(ticket_id: int, new: State, user: User | None) -> bool:
    """Move a ticket on; the customer is told by e-mail when it is resolved. False: it was there.

    Raises:
        NotAllowed: from its present state.
    """
    ticket = _locked(ticket_id)
    old = State(ticket.state)
    if old is new:
        return False
    check_change(old, new)
    ticket.state = new
    ticket.closed_at = timezone.now() if new is State.CLOSED else None
    ticket.save(update_fields=["state", "closed_at"])
    entry = _add(ticket, Kind.STATE, f"{LABELS[old]} → {LABELS[new]}", user, None, new)
    if new is State.RESOLVED:
        outbox.queue_resolved(ticket, entry)
    return True


@transaction.atomic
def assign(ticket_id: int, adviser: User | None, user: User) -> bool:
    """Give a ticket to an adviser, or to nobody. False: it was so."""
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
    """Set another priority by hand. False: it had this one.

    The deadline, counted from the opening, follows as long as nobody answered: an answer that
    came in time stays in time.
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


def filled_in(answer: CannedAnswer, ticket: Ticket) -> str:
    """Return the text with the ticket's own words in place of ``{client}`` and the like."""
    words = {
        "client": ticket.customer_name or "Madame, Monsieur",
        "numero": ticket.number or "",
        "produit": ticket.product,
    }
    return _MARKS.sub(lambda mark: words[mark[1]], answer.text)


def _locked(ticket_id: int) -> Ticket:
    return Ticket.objects.select_for_update().get(pk=ticket_id)


def _key(ticket: Ticket, kind: TicketEntry.Kind, key: str | None) -> str | None:
    """A form's key counts within its ticket only: nobody can hit on that of another."""
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
    """``state``: the one into which this brings the ticket, if it is another."""
    return TicketEntry.objects.create(
        ticket=ticket,
        at=timezone.now(),
        kind=kind,
        text=text,
        state=state if state is not None and (state != ticket.state or kind is Kind.STATE) else "",
        by=user,
        key=_key(ticket, kind, key),
    )
