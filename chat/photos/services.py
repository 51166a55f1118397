"""Keeping photos, giving them to a ticket, letting go of them."""

from __future__ import annotations

from uuid import UUID

from channels.db import database_sync_to_async
from django.db import IntegrityError, transaction

from chat.errors import Forbidden, TooManyPhotos
from chat.photos import files
from chat.photos.models import MAX_PHOTOS, Photo
from chat.photos.reencoding import Clean

MAX_PROBLEM_CHARS = 20


def find_same(session_ref: str, sha256: str) -> Photo | None:
    """Return this very file if the conversation has it, None if there is room for it.

    Raises:
        TooManyPhotos: it would be one too many.
    """
    photos = list(Photo.objects.filter(session_ref=session_ref))
    same = next((photo for photo in photos if photo.sha256 == sha256), None)
    if same is None and len(photos) >= MAX_PHOTOS:
        raise TooManyPhotos
    return same


def keep(session_ref: str, sha256: str, clean: Clean, problem: str = "") -> Photo:
    """Store a photo; the same file again is the same photo. Many at once never make too many.

    Raises:
        TooManyPhotos:
        OSError: the files could not be written; nothing is left of it.
    """
    name = files.write(clean)
    photo = None
    try:
        photo = _row(session_ref, sha256, clean, problem, name)
    finally:
        if photo is None or photo.name != name:
            files.remove(name)
    return photo


def _row(session_ref: str, sha256: str, clean: Clean, problem: str, name: str) -> Photo:
    for _ in range(2 * MAX_PHOTOS):
        same = find_same(session_ref, sha256)
        if same is not None:
            return same
        taken = set(Photo.objects.filter(session_ref=session_ref).values_list("slot", flat=True))
        slot = next((slot for slot in range(MAX_PHOTOS) if slot not in taken), None)
        if slot is None:
            break
        try:
            with transaction.atomic():
                return Photo.objects.create(
                    session_ref=session_ref,
                    slot=slot,
                    problem=problem[:MAX_PROBLEM_CHARS],
                    name=name,
                    width=clean.width,
                    height=clean.height,
                    bytes=len(clean.full),
                    sha256=sha256,
                )
        except IntegrityError:  # another one was quicker: look again
            continue
    raise TooManyPhotos


def attach(session_ref: str, ticket_number: str) -> int:
    """Give the conversation's photos to this ticket, with which they stay. Return how many."""
    free = Photo.objects.filter(session_ref=session_ref, ticket_number="")
    return free.update(ticket_number=ticket_number)


def remove_own(session_ref: str, photo_id: UUID) -> None:
    """Delete a photo of this conversation; nothing when it is gone.

    Raises:
        Forbidden: it belongs to a ticket.
    """
    photo = Photo.objects.filter(pk=photo_id, session_ref=session_ref).first()
    if photo is not None and not delete(photo):
        raise Forbidden("Cette photo est jointe à un dossier : elle ne peut plus être retirée.")


def delete(photo: Photo) -> bool:
    """Delete row and files, unless a ticket has it. The row first: what it names is never gone.

    Return False when a ticket has it. Files that resist are left to ``delete_photos``.
    """
    count, _ = Photo.objects.filter(pk=photo.pk, ticket_number="").delete()
    if count == 0:
        return not Photo.objects.filter(pk=photo.pk).exists()
    files.remove(photo.name)
    return True


def forget(session_ref: str) -> int:
    """Delete what an erased conversation left to no ticket. Return how many photos."""
    return sum(
        delete(photo) for photo in Photo.objects.filter(session_ref=session_ref, ticket_number="")
    )


afind_same = database_sync_to_async(find_same, thread_sensitive=False)
akeep = database_sync_to_async(keep, thread_sensitive=False)
aremove_own = database_sync_to_async(remove_own, thread_sensitive=False)
