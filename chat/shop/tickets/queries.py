"""Queries on tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from channels.db import database_sync_to_async
from django.conf import settings
from django.db.models import Max, Q

from chat.core import clock
from chat.shop.photos.links import link
from chat.shop.photos.queries import of_ticket
from chat.shop.tickets.links import LinkTarget, expires_at, verify_token
from chat.shop.tickets.models import Ticket, TicketEntry
from chat.shop.tickets.states import OPEN, State


@dataclass(frozen=True, slots=True)
class Followed:
    """Ticket for the customer's page. ``entries``: the public ones, oldest first.

    ``photos``: as ``photos_for``.
    """

    ticket: Ticket
    entries: tuple[TicketEntry, ...]
    photos: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of open tickets. ``late``, ``at_risk``: unanswered. ``mine``: of one adviser."""

    new: int
    late: int
    at_risk: int
    mine: int


def followed(token: str) -> Followed | None:
    """Return the ticket of a link; None alike for a forged, unknown, expired or revoked link.

    Raises:
        django.db.Error: the database is unavailable.
    """
    target = verify_token(token)
    ticket = _linked(target) if target else None
    if ticket is None:
        return None
    entries = ticket.entries.filter(kind__in=TicketEntry.PUBLIC).select_related("by")
    photos = photos_for(ticket, ticket.link_version)
    return Followed(ticket, tuple(entries.order_by("at", "pk")), photos)


def link_works(number: str, version: int) -> bool:
    """Return whether the customer's link of this version is valid for a ticket.

    Raises:
        django.db.Error: the database is unavailable.
    """
    return _linked(LinkTarget(number, version)) is not None


def link_expires_at(ticket: Ticket) -> datetime | None:
    """Return the expiry of the customer's link, also a past one; None for never."""
    public = ticket.entries.filter(kind__in=TicketEntry.PUBLIC)
    last_at = public.aggregate(last=Max("at"))["last"] or ticket.opened_at
    return expires_at(last_at, ticket.link_sent_at, settings.ENV.follow_link_days)


def _linked(target: LinkTarget) -> Ticket | None:
    """Return the ticket of a link; None if the link is revoked or expired."""
    ticket = Ticket.objects.filter(number=target.number, link_version=target.version).first()
    if ticket is None:
        return None
    until = link_expires_at(ticket)
    return ticket if until is None or clock.now() < until else None


def photos_for(ticket: Ticket, version: int | None = None) -> tuple[tuple[str, str], ...]:
    """Return (thumbnail, full) URLs of the attached photos, valid for an hour.

    ``version``: of the customer's link, whose revocation invalidates the URLs; None for staff.
    """
    attached = of_ticket(ticket.number or "")
    return tuple(
        (link(photo, small=True, version=version), link(photo, version=version))
        for photo in attached
    )


# Not thread-sensitive, so that a hung database does not block other customers.
afollowed = database_sync_to_async(followed, thread_sensitive=False)
alink_works = database_sync_to_async(link_works, thread_sensitive=False)


def is_late(now: datetime) -> Q:
    return _UNANSWERED & Q(first_answer_due_at__lt=now)


def is_at_risk(now: datetime) -> Q:
    """Return the condition for less than a quarter of the time left, but not late yet."""
    return _UNANSWERED & Q(first_answer_risk_at__lte=now, first_answer_due_at__gte=now)


def urgency(ticket: Ticket, now: datetime) -> str:
    """Return ``"late"``, ``"risk"`` or "" for a loaded row; see ``is_late`` and ``is_at_risk``."""
    if ticket.first_answered_at is not None or not ticket.is_open:
        return ""
    if ticket.first_answer_due_at < now:
        return "late"
    return "risk" if ticket.first_answer_risk_at <= now else ""


def counts(user_id: int | None) -> Counts:
    """Return the counts for the admin's home page."""
    now = clock.now()
    return Counts(
        new=Ticket.objects.filter(state=State.NEW).count(),
        late=Ticket.objects.filter(is_late(now)).count(),
        at_risk=Ticket.objects.filter(is_at_risk(now)).count(),
        mine=Ticket.objects.filter(state__in=OPEN, adviser=user_id).count() if user_id else 0,
    )


_UNANSWERED = Q(state__in=OPEN, first_answered_at=None)
