"""Erases what was kept long enough: closed tickets, callback requests, e-mails that went."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.db import database_sync_to_async
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from chat.conversations.handover.models import ContactRequest
from chat.core import clock
from chat.shop.tickets.erasure import erase_tickets
from chat.shop.tickets.mailer import GIVEN_UP
from chat.shop.tickets.models import OutgoingMail, Ticket, TicketEntry
from chat.shop.tickets.states import OPEN

logger = logging.getLogger(__name__)

#: Rows of each kind erased in one run.
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Periods:
    """Days for which each is kept; 0 for ever."""

    tickets_days: int
    contacts_days: int
    mails_days: int

    @classmethod
    def configured(cls) -> Periods:
        env = settings.ENV
        return cls(
            env.tickets_retention_days, env.contacts_retention_days, env.mails_retention_days
        )


@dataclass(frozen=True, slots=True)
class Overdue:
    """How many rows of each are, or were, kept too long."""

    tickets: int
    contacts: int
    mails: int

    @property
    def count(self) -> int:
        return self.tickets + self.contacts + self.mails


def overdue(now: datetime, periods: Periods) -> Overdue:
    """Count what is kept too long. Changes nothing.

    Raises:
        django.db.Error:
    """
    return Overdue(
        tickets=_tickets(now, periods.tickets_days).count(),
        contacts=_contacts(now, periods.contacts_days).count(),
        mails=_mails(now, periods.mails_days).count(),
    )


def erase_overdue(now: datetime, periods: Periods, limit: int = AT_ONCE) -> Overdue:
    """Erase it, at most ``limit`` of each kind, and return how many.

    Raises:
        django.db.Error: the rest is erased at the next run.
    """
    over = _tickets(now, periods.tickets_days)
    tickets = list(over.values_list("pk", flat=True)[:limit])
    contacts = list(_contacts(now, periods.contacts_days).values_list("pk", flat=True)[:limit])
    mails = list(_mails(now, periods.mails_days).values_list("pk", flat=True)[:limit])
    for pk in tickets:  # one by one: a bad one leaves the others erased
        erase_tickets([pk], among=over)  # not if its customer wrote meanwhile
    ContactRequest.objects.filter(pk__in=contacts).delete()
    OutgoingMail.objects.filter(pk__in=mails).delete()
    return Overdue(len(tickets), len(contacts), len(mails))


async def apply_retention() -> None:
    """Erase some of what is overdue. For every worker, every 10 minutes.

    Raises:
        django.db.Error: as ``erase_overdue``.
    """
    erased = await _aerase_overdue(clock.now(), Periods.configured())
    if erased.count:
        logger.info(
            "retention: %d tickets, %d callback requests and %d e-mails were erased",
            *(erased.tickets, erased.contacts, erased.mails),
        )


_aerase_overdue = database_sync_to_async(erase_overdue, thread_sensitive=False)


def _tickets(now: datetime, days: int) -> QuerySet[Ticket]:
    """Tickets on which nothing is to be done and nothing happened for so long; never open ones."""
    if not days:
        return Ticket.objects.none()
    before = now - timedelta(days=days)
    later = TicketEntry.objects.filter(ticket=OuterRef("pk"), at__gte=before)
    over = Ticket.objects.filter(opened_at__lt=before).exclude(state__in=OPEN)
    return over.filter(~Exists(later)).order_by("pk")


def _contacts(now: datetime, days: int) -> QuerySet[ContactRequest]:
    """Callback requests that were handled, or left if nobody did, so long ago."""
    if not days:
        return ContactRequest.objects.none()
    before = now - timedelta(days=days)
    over = Q(handled_at__lt=before) | Q(handled_at=None, asked_at__lt=before)
    return ContactRequest.objects.filter(over).order_by("pk")


def _mails(now: datetime, days: int) -> QuerySet[OutgoingMail]:
    """E-mails that went, or were given up, so long ago; never one that is still to be sent."""
    if not days:
        return OutgoingMail.objects.none()
    before = now - timedelta(days=days)
    over = Q(sent_at__lt=before) | (GIVEN_UP & Q(due_at__lt=before))
    return OutgoingMail.objects.filter(over).order_by("pk")
