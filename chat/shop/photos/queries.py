from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from channels.db import database_sync_to_async

from chat.photos.models import Photo


def photos_of(session_ref: str) -> list[Photo]:
    """Those of a conversation, in the order in which they were sent."""
    return list(Photo.objects.filter(session_ref=session_ref))


def of_ticket(number: str) -> list[Photo]:
    """Those attached to a ticket, in the order in which they were sent."""
    return list(Photo.objects.filter(ticket_number=number)) if number else []


def find(photo_id: UUID) -> Photo | None:
    return Photo.objects.filter(pk=photo_id).first()


def evidence_state(
    wanted_photos: int, wanted_videos: int, photos: int
) -> Sequence[tuple[str, int, int]]:
    """Return ``(what, wanted, have)`` for each kind of evidence that a problem asks for.

    The wanted numbers are ``chat.tickets.problems.Evidence``'s. Videos are not taken here: they
    are asked for, never had.
    """
    rows = (("photos", wanted_photos, photos), ("vidéos", wanted_videos, 0))
    return [row for row in rows if row[1]]


aphotos_of = database_sync_to_async(photos_of, thread_sensitive=False)
afind = database_sync_to_async(find, thread_sensitive=False)
