"""What erased conversations left in SQL and on disk, found by comparing, without any intent.

For ``cleanup_report``. A conversation that expired keeps its contact requests: somebody is still
to be called back. So a request counts as left only when its conversation is being erased, or is
gone before it could have expired while Redis has had all its data since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from chat.conversations.handover.models import ContactRequest
from chat.conversations.store.maintenance import Fates
from chat.shop.photos.models import FileRemoval, Photo
from chat.shop.photos.removals import AT_ONCE, remove_files
from chat.shop.photos.services import delete
from chat.shop.tickets.models import Ticket

#: Photos may come before the first word of a conversation.
YOUNG = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Primary keys of rows; ``files``: how many wait to be removed.

    ``of_no_ticket``: photos that name a ticket which was erased while they were attached to it.
    """

    contacts: tuple[int, ...]
    photos: tuple[UUID, ...]
    of_no_ticket: tuple[UUID, ...]
    files: int


def references() -> list[str]:
    """Return the references of all conversations that have something in SQL of their own.

    Raises:
        django.db.Error:
    """
    of_contacts = ContactRequest.objects.values_list("session_ref", flat=True)
    of_photos = Photo.objects.filter(ticket_number="").values_list("session_ref", flat=True)
    return sorted({*of_contacts, *of_photos})


def find_leftovers(fates: Fates, now: datetime) -> Leftovers:
    """Compare SQL with what the store knows. Changes nothing.

    Raises:
        django.db.Error:
    """
    contacts = ContactRequest.objects.all()
    photos = Photo.objects.filter(ticket_number="")
    return Leftovers(
        tuple(
            c.pk for c in contacts if is_left(c.session_ref, c.asked_at, c.lives_until, fates, now)
        ),
        tuple(p.pk for p in photos if is_stranded(p.session_ref, p.sent_at, fates, now)),
        tuple(_of_no_ticket().values_list("pk", flat=True)),
        FileRemoval.objects.count(),
    )


def _of_no_ticket() -> QuerySet[Photo]:
    numbers = Ticket.objects.filter(number=OuterRef("ticket_number"))
    return Photo.objects.exclude(ticket_number="").filter(~Exists(numbers))


def is_left(
    ref: str, asked_at: datetime, lives_until: datetime | None, fates: Fates, now: datetime
) -> bool:
    """Whether a contact request is of an erased conversation. Pure."""
    if ref in fates.erasing:
        return True
    is_early = lives_until is not None and now < lives_until
    return is_early and _is_gone(ref, asked_at, fates)


def is_stranded(ref: str, sent_at: datetime, fates: Fates, now: datetime) -> bool:
    """Whether nobody can see or use a photo without a ticket any more. Pure."""
    return ref in fates.erasing or (sent_at < now - YOUNG and _is_gone(ref, sent_at, fates))


def _is_gone(ref: str, at: datetime, fates: Fates) -> bool:
    """Whether the store would know the conversation of that moment if it were there."""
    return fates.since is not None and fates.since < at and ref not in fates.alive


def remove_found(found: Leftovers) -> int:
    """Remove them; what a ticket took meanwhile stays. Return how many files resist.

    Raises:
        django.db.Error: the rest is removed when the command is repeated.
    """
    ContactRequest.objects.filter(pk__in=found.contacts).delete()
    for photo in Photo.objects.filter(pk__in=found.photos):
        delete(photo)
    _of_no_ticket().filter(pk__in=found.of_no_ticket).update(ticket_number="")
    for photo in Photo.objects.filter(pk__in=found.of_no_ticket):
        delete(photo)
    resisting = remove_files()
    while FileRemoval.objects.count() > AT_ONCE > resisting:
        resisting = remove_files()
    return resisting
