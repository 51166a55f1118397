"""Disk quota of photos, and a minimum of free disk space."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import Sum

from chat.core.errors import AssistantUnavailable
from chat.shop.photos import files
from chat.shop.photos.models import Photo

MB = 1_000_000
#: Cache lifetime of the sum over all rows; photos of other workers are missed for that long.
FRESH_S = 10.0
RETRY_AFTER_S = 600


class PhotosFull(AssistantUnavailable):
    """The quota is used up, or the disk is nearly full."""

    message = (
        "Nous ne pouvons plus recevoir de photos pour le moment. Décrivez ce que l'on y voit, "
        "ou réessayez plus tard."
    )

    def __init__(self) -> None:
        super().__init__(retry_after_s=RETRY_AFTER_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Disk usage in bytes. ``max_bytes``, ``min_free_bytes``: 0 for no limit."""

    used_bytes: int
    max_bytes: int
    free_bytes: int
    min_free_bytes: int

    @property
    def is_full(self) -> bool:
        return self.is_over_quota or self.is_disk_full

    @property
    def is_over_quota(self) -> bool:
        return 0 < self.max_bytes <= self.used_bytes

    @property
    def is_disk_full(self) -> bool:
        return self.free_bytes < self.min_free_bytes


class PhotoQuota:
    """Cached disk usage of photos: queried every ``FRESH_S``, incremented in between."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._used_bytes = 0
        self._fresh_until: float | None = None

    def check(self) -> None:
        """Check that there is room for a photo. Blocks on the database and the file system.

        Raises:
            PhotosFull: there is not.
        """
        if self.space().is_full:
            raise PhotosFull

    def space(self) -> Space:
        with self._lock:
            now = self._clock()
            if self._fresh_until is None or now >= self._fresh_until:
                self._used_bytes = used_bytes()
                self._fresh_until = now + FRESH_S
            used = self._used_bytes
        return _space(used)

    def forget(self) -> None:
        """Invalidate the cached sum."""
        with self._lock:
            self._fresh_until = None

    def add(self, size_bytes: int) -> None:
        """Add the size of a photo that this worker just stored."""
        with self._lock:
            self._used_bytes += size_bytes


def space() -> Space:
    """Return the current disk usage, uncached."""
    return _space(used_bytes())


def used_bytes() -> int:
    """Return the size of all files according to their rows."""
    return Photo.objects.aggregate(sum=Sum("stored_bytes"))["sum"] or 0


def free_bytes() -> int:
    """Return the free space of the photo folder or of the upload folder, whichever is less."""
    folders = (files.folder(), Path(tempfile.gettempdir()))
    return min(_free_in(folder) for folder in folders)


def check_disk() -> None:
    """Check that the disk is not nearly full, before any long upload.

    Raises:
        PhotosFull: it is.
    """
    if free_bytes() < settings.ENV.photos_min_free_mb * MB:
        raise PhotosFull


def _space(used: int) -> Space:
    env = settings.ENV
    return Space(
        used_bytes=used,
        max_bytes=env.photos_max_total_mb * MB,
        free_bytes=free_bytes(),
        min_free_bytes=env.photos_min_free_mb * MB,
    )


def _free_in(folder: Path) -> int:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    system = os.statvfs(folder)
    return system.f_bavail * system.f_frsize
