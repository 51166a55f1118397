from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from channels.db import database_sync_to_async

from chat.shop.photos.models import Photo


def photos_of(session_ref: str) -> list[Photo]:
    """Return the photos of a conversation in the order of upload."""
    return list(Photo.objects.filter(session_ref=session_ref))


def of_ticket(number: str) -> list[Photo]:
    """Return the photos attached to a ticket in the order of upload."""
    return list(Photo.objects.filter(ticket_number=number)) if number else []


def find(photo_id: UUID) -> Photo | None:
    return Photo.objects.filter(pk=photo_id).first()


def evidence_state(
    wanted_photos: int, wanted_videos: int, photos: int
) -> Sequence[tuple[str, int, int]]:
    """Return ``(kind, wanted, present)`` for each kind of evidence that a problem requires.

    The numbers wanted are those of ``chat.shop.tickets.problems.Evidence``. Videos cannot be
    uploaded, so the number present is always 0.
    """
    rows = (("photos", wanted_photos, photos), ("vidéos", wanted_videos, 0))
    return [row for row in rows if row[1]]


aphotos_of = database_sync_to_async(photos_of, thread_sensitive=False)
afind = database_sync_to_async(find, thread_sensitive=False)
