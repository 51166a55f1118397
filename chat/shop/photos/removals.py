"""Removal of the files of deleted photos, through an outbox table.

The transaction that deletes a photo's row records its file name; the file is removed afterwards. If
the process is killed in between, any worker removes the file later.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from chat.shop.photos import files
from chat.shop.photos.models import FileRemoval

logger = logging.getLogger(__name__)

#: Maximum number of files per call.
AT_ONCE = 100


def remove_files(names: Collection[str] | None = None) -> int:
    """Remove these files, or up to ``AT_ONCE`` pending ones; return the number of failures.

    Pending files are tried in random order, so that failing ones do not block the others.

    Raises:
        django.db.Error: the files are removed later.
    """
    waiting = FileRemoval.objects.order_by("?")
    if names is not None:
        waiting = waiting.filter(name__in=names)
    chosen = list(waiting[:AT_ONCE])
    if not chosen:
        return 0
    if not files.is_mounted():
        logger.warning("%d files wait to be removed: MEDIA_DIR has no photos", len(chosen))
        return len(chosen)
    removed = []
    for removal in chosen:
        try:
            files.remove(removal.name)
        except OSError as error:
            logger.warning("a file cannot be removed: %s", type(error).__name__)
        else:
            removed.append(removal.pk)
    FileRemoval.objects.filter(pk__in=removed).delete()
    return len(chosen) - len(removed)
