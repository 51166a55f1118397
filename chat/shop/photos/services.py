"""Store photos, attach them to a ticket, and delete them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from channels.db import database_sync_to_async
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from chat.core.errors import Forbidden, TooManyPhotos
from chat.shop.photos import files
from chat.shop.photos.models import MAX_PHOTOS, FileRemoval, Photo
from chat.shop.photos.reencoding import ProcessedPhoto
from chat.shop.photos.removals import remove_files

MAX_PROBLEM_CHARS = 20


def find_same(session_ref: str, sha256: str) -> Photo | None:
    """Return the conversation's photo with this hash; None if it is new and there is room.

    Raises:
        TooManyPhotos: it is new and there is no room.
    """
    photos = list(Photo.objects.filter(session_ref=session_ref))
    same = next((photo for photo in photos if photo.sha256 == sha256), None)
    if same is None and len(photos) >= MAX_PHOTOS:
        raise TooManyPhotos
    return same


def keep(
    session_ref: str,
    sha256: str,
    processed: ProcessedPhoto,
    problem: str = "",
    *,
    has_conversation: bool = False,
) -> Photo:
    """Store a photo. Idempotent per file; concurrent calls never exceed ``MAX_PHOTOS``.

    ``has_conversation``: as in ``Photo``.

    Raises:
        TooManyPhotos: the conversation has ``MAX_PHOTOS`` others.
        OSError: the files could not be written; nothing is stored.
    """
    name = files.write(processed)
    photo = None
    row = Photo(
        session_ref=session_ref,
        problem=problem[:MAX_PROBLEM_CHARS],
        name=name,
        width=processed.width,
        height=processed.height,
        bytes=len(processed.full),
        stored_bytes=len(processed.full) + len(processed.small),
        has_conversation=has_conversation,
        sha256=sha256,
    )
    try:
        photo = _inserted(row)
    finally:
        if photo is None or photo.name != name:
            files.remove(name)
    return photo


def _inserted(photo: Photo) -> Photo:
    """Insert the row in a free slot, or return the row with the same file."""
    session_ref = photo.session_ref
    for _ in range(2 * MAX_PHOTOS):
        same = find_same(session_ref, photo.sha256)
        if same is not None:
            return same
        taken = set(Photo.objects.filter(session_ref=session_ref).values_list("slot", flat=True))
        slot = next((slot for slot in range(MAX_PHOTOS) if slot not in taken), None)
        if slot is None:
            break
        photo.slot = slot
        try:
            with transaction.atomic():
                photo.save(force_insert=True)
        except IntegrityError:  # a concurrent insert took the slot: retry
            continue
        return photo
    raise TooManyPhotos


def attach(session_ref: str, ticket_number: str) -> int:
    """Attach the conversation's photos to a ticket, permanently. Return their number."""
    free = Photo.objects.filter(session_ref=session_ref, ticket_number="")
    return free.update(ticket_number=ticket_number)


def remove_own(session_ref: str, photo_id: UUID) -> None:
    """Delete a photo of this conversation, if it exists.

    Raises:
        Forbidden: it is attached to a ticket.
    """
    photo = Photo.objects.filter(pk=photo_id, session_ref=session_ref).first()
    if photo is not None and not delete(photo):
        raise Forbidden("Cette photo est jointe à un dossier : elle ne peut plus être retirée.")


def delete(photo: Photo) -> bool:
    """Delete row and files of a photo. Return False if it is attached to a ticket.

    The row is deleted first, so that no row refers to a missing file. Files that cannot be removed
    now are removed later, by any worker.
    """
    with transaction.atomic():
        names = _delete_rows(Photo.objects.filter(pk=photo.pk, ticket_number=""))
    if not names:
        return not Photo.objects.filter(pk=photo.pk).exists()
    remove_files(names)
    return True


def forget(session_ref: str) -> list[str]:
    """Delete the photos of an erased conversation that have no ticket, inside a transaction.

    Return the names of their files, for ``remove_files`` after the commit.
    """
    return _delete_rows(Photo.objects.filter(session_ref=session_ref, ticket_number=""))


def forget_ticket(number: str) -> list[str]:
    """Delete the photos of a deleted ticket; see ``forget``."""
    return _delete_rows(Photo.objects.filter(ticket_number=number)) if number else []


def _delete_rows(photos: QuerySet[Photo]) -> list[str]:
    """Delete rows and queue their files for removal. A row that changes meanwhile is skipped."""
    names = []
    for photo in photos:
        count, _ = photos.filter(pk=photo.pk).delete()
        if count:
            FileRemoval.objects.get_or_create(name=photo.name)
            names.append(photo.name)
    return names


def unclaimed_refs(before: datetime, limit: int) -> list[str]:
    """Return the conversations with photos older than ``before`` but no recorded message, oldest
    first.
    """
    rows = Photo.objects.filter(has_conversation=False, ticket_number="", sent_at__lt=before)
    refs = rows.order_by("sent_at").values_list("session_ref", flat=True)
    return list(dict.fromkeys(refs[:limit]))


def claim(session_ref: str) -> None:
    """Record that a conversation has its first message."""
    Photo.objects.filter(session_ref=session_ref, has_conversation=False).update(
        has_conversation=True
    )


afind_same = database_sync_to_async(find_same, thread_sensitive=False)
akeep = database_sync_to_async(keep, thread_sensitive=False)
aremove_own = database_sync_to_async(remove_own, thread_sensitive=False)
