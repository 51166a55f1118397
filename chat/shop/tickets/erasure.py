"""Permanent erasure of tickets with their history, e-mails and photos."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import Error as DatabaseFailure
from django.db import transaction
from django.db.models import Model, QuerySet

from chat.shop.photos.models import Photo
from chat.shop.photos.removals import remove_files
from chat.shop.photos.services import forget_ticket
from chat.shop.tickets.models import OutgoingMail, Ticket, TicketEntry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Extent:
    """Numbers of rows to erase. ``open_numbers``: of tickets that are still open."""

    numbers: tuple[str, ...] = ()
    open_numbers: tuple[str, ...] = ()
    entries: int = 0
    mails: int = 0
    photos: int = 0


def extent_of(tickets: Sequence[Ticket]) -> Extent:
    """Count the rows that belong to these tickets. Read-only."""
    pks = [ticket.pk for ticket in tickets]
    numbers = tuple(str(ticket) for ticket in tickets)
    return Extent(
        numbers=numbers,
        open_numbers=tuple(str(ticket) for ticket in tickets if ticket.is_open),
        entries=TicketEntry.objects.filter(ticket__in=pks).count(),
        mails=OutgoingMail.objects.filter(ticket__in=pks).count(),
        photos=Photo.objects.filter(ticket_number__in=numbers).count(),
    )


def erase_tickets(
    ticket_ids: Sequence[int],
    *,
    among: QuerySet[Ticket] | None = None,
    user_id: int | None = None,
    reason: str = "",
) -> Extent:
    """Erase tickets in one transaction; missing ones are skipped.

    An e-mail that is being sent at that moment still arrives. ``among``: condition that is checked
    again in the erasing transaction; tickets outside it are skipped. ``user_id``: author of the
    entries in the admin's log, which hold the ticket number and ``reason``, no customer data.

    Raises:
        django.db.Error: nothing was erased.
    """
    with transaction.atomic():
        chosen = Ticket.objects.all() if among is None else among
        tickets = list(chosen.select_for_update().filter(pk__in=ticket_ids).order_by("pk"))
        extent = extent_of(tickets)
        names = [name for ticket in tickets for name in forget_ticket(ticket.number or "")]
        if user_id is not None:
            log_deletions(
                tickets, user_id, reason or "Ticket effacé, avec ses photos, e-mails et notes."
            )
        Ticket.objects.filter(pk__in=[ticket.pk for ticket in tickets]).delete()
        transaction.on_commit(lambda: remove_files_soon(names))
    return extent


def remove_files_soon(names: Sequence[str]) -> None:
    """Remove files of deleted photos; after a failure any worker removes them later."""
    try:
        remove_files(names)
    except DatabaseFailure as error:
        logger.warning("files of deleted photos stay for now: %s", type(error).__name__)


def log_deletions(rows: Sequence[Model], user_id: int, message: str) -> None:
    """Log the deletion of rows in the admin's log, which stores ``str`` of each."""
    for row in rows:
        LogEntry.objects.create(
            user_id=user_id,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr=str(row),
            action_flag=DELETION,
            change_message=message,
        )
