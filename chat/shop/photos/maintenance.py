"""Maintenance of photos: finds and removes old rows, rows without files and orphaned files."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from chat.shop.photos import files
from chat.shop.photos.models import Photo
from chat.shop.photos.services import delete

#: Retention of photos without a ticket.
LIFE = timedelta(days=30)
#: Minimum age of an orphaned file; the row of a younger one may still be being written.
GRACE_S = 3600.0


class FolderLost(Exception):
    """The database has photos but the folder has no file: the volume is probably not mounted."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Photos to remove. ``old``: without a ticket for ``LIFE``. ``lost``: rows without a file.
    ``stray``: names of files without a row.
    """

    old: tuple[Photo, ...]
    lost: tuple[Photo, ...]
    stray: tuple[str, ...]


def scan(now: datetime) -> Leftovers:
    """Compare all rows with all files. Read-only.

    Raises:
        FolderLost: the folder is empty although there are rows.
    """
    written_at = dict(files.stored())
    photos = list(Photo.objects.all())
    if photos and not written_at:
        raise FolderLost
    old = tuple(p for p in photos if not p.ticket_number and p.sent_at < now - LIFE)
    lost = tuple(p for p in photos if p not in old and not files.path_of(p.name).exists())
    names = {photo.name for photo in photos}
    young = time.time() - GRACE_S
    stray = tuple(sorted(n for n, at in written_at.items() if n not in names and at < young))
    return Leftovers(old, lost, stray)


def clear(found: Leftovers) -> None:
    """Remove the leftovers, except photos attached to a ticket meanwhile. Safe to interrupt and
    repeat.

    Raises:
        OSError: a file could not be removed.
    """
    for photo in found.old:
        delete(photo)
    for photo in found.lost:
        if not files.path_of(photo.name).exists():
            Photo.objects.filter(pk=photo.pk).delete()
            files.remove(photo.name)
    for name in found.stray:
        if not Photo.objects.filter(name=name).exists():
            files.remove(name)
