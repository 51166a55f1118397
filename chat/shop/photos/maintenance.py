"""What is left of photos that nobody wants any more, found and removed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from chat.photos import files
from chat.photos.models import Photo
from chat.photos.services import delete

#: Without a ticket, photos go after this.
LIFE = timedelta(days=30)
#: A younger file may be of a photo whose row is being written.
GRACE_S = 3600.0


class FolderLost(Exception):
    """There are photos in the database and not one file: a volume that is not mounted."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """``old``: without a ticket for ``LIFE``. ``lost``: rows without a file. ``stray``: names of
    files without a row.
    """

    old: tuple[Photo, ...]
    lost: tuple[Photo, ...]
    stray: tuple[str, ...]


def survey(now: datetime) -> Leftovers:
    """Look at every row and every file. Changes nothing.

    Raises:
        FolderLost: nothing can be said of the files.
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
    """Remove them. A photo that a ticket took meanwhile stays. May be stopped and repeated.

    Raises:
        OSError: a file resists.
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
