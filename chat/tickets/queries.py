"""What is asked about tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from channels.db import database_sync_to_async
from django.db.models import Q, QuerySet
from django.utils import timezone

from chat.photos.links import link
from chat.photos.queries import of_ticket
from chat.tickets.links import number_of
from chat.tickets.models import Ticket, TicketEntry
from chat.tickets.states import OPEN, State


@dataclass(frozen=True, slots=True)
class Followed:
    """A ticket as its customer sees it. ``entries``: the public ones, the oldest first.

    ``photos``: as ``photos_for``.
    """

    ticket: Ticket
    entries: tuple[TicketEntry, ...]
    photos: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """``late``, ``at_risk``: without a first answer. ``mine``: open ones of one adviser."""

    new: int
    late: int
    at_risk: int
    mine: int


def followed(token: str) -> Followed | None:
    """Return what this link shows, or None: nobody can tell a forged one from an unknown one.

    Raises:
        django.db.Error:
    """
    number = number_of(token)
    ticket = Ticket.objects.filter(number=number).first() if number else None
    if ticket is None:
        return None
    entries = ticket.entries.filter(kind__in=TicketEntry.PUBLIC).select_related("by")
    return Followed(ticket, tuple(entries.order_by("at", "pk")), photos_for(ticket))


def photos_for(ticket: Ticket) -> tuple[tuple[str, str], ...]:
    """Return the addresses of the attached photos, small and whole, good for an hour."""
    attached = of_ticket(ticket.number or "")
    return tuple((link(photo, small=True), link(photo)) for photo in attached)


# A thread of its own: a database that hangs holds up no other customer.
afollowed = database_sync_to_async(followed, thread_sensitive=False)


def unanswered() -> QuerySet[Ticket]:
    """Return open tickets that nobody answered yet."""
    return Ticket.objects.filter(_UNANSWERED)


def is_late(now: datetime) -> Q:
    return _UNANSWERED & Q(first_answer_due_at__lt=now)


def is_at_risk(now: datetime) -> Q:
    """Less than a quarter of the time is left, and it is not late yet."""
    return _UNANSWERED & Q(first_answer_risk_at__lte=now, first_answer_due_at__gte=now)


def urgency(ticket: Ticket, now: datetime) -> str:
    """``"late"``, ``"risk"`` or "": as ``is_late`` and ``is_at_risk``, of a row that was read."""
    if ticket.first_answered_at is not None or not ticket.is_open:
        return ""
    if ticket.first_answer_due_at < now:
        return "late"
    return "risk" if ticket.first_answer_risk_at <= now else ""


def counts(user_id: int | None) -> Counts:
    """Return what waits, for the admin's first page."""
    now = timezone.now()
    return Counts(
        new=Ticket.objects.filter(state=State.NEW).count(),
        late=Ticket.objects.filter(is_late(now)).count(),
        at_risk=Ticket.objects.filter(is_at_risk(now)).count(),
        mine=Ticket.objects.filter(state__in=OPEN, adviser=user_id).count() if user_id else 0,
    )


_UNANSWERED = Q(state__in=OPEN, first_answered_at=None)
