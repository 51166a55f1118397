"""Photo files in ``MEDIA_DIR``, outside of all served folders, readable by this user only."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from chat.shop.photos.reencoding import ProcessedPhoto
from meuble_project.env import ROOT

_NAME = re.compile(r"([0-9a-f]{32})(-small)?\.jpg\Z")


def folder() -> Path:
    """Return ``MEDIA_DIR/photos``, which may not exist yet."""
    return ROOT / settings.ENV.media_dir / "photos"


def path_of(name: str, *, small: bool = False) -> Path:
    return folder() / name[:2] / f"{name}{'-small' if small else ''}.jpg"


def write(processed: ProcessedPhoto) -> str:
    """Store both sizes under an unguessable name; return the name.

    Raises:
        OSError: disk full or permission denied; partial files are removed.
    """
    name = secrets.token_hex(16)
    path_of(name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        _write(path_of(name, small=True), processed.small)
        _write(path_of(name), processed.full)
    except OSError:
        remove(name)
        raise
    return name


def read(name: str, *, small: bool = False) -> bytes:
    """Return the content of a file.

    Raises:
        OSError: the file is missing or unreadable.
    """
    return path_of(name, small=small).read_bytes()


def remove(name: str) -> None:
    """Remove both sizes of a photo, if they exist.

    Raises:
        OSError: a file could not be removed.
    """
    for small in (False, True):
        path_of(name, small=small).unlink(missing_ok=True)


def is_mounted() -> bool:
    """Return whether the folder holds files; an empty one may be a volume that is not mounted."""
    try:
        return next(folder().iterdir(), None) is not None
    except FileNotFoundError:
        return False


def stored() -> Iterator[tuple[str, float]]:
    """Yield name and modification time of every file, of both sizes."""
    for path in folder().glob("*/*.jpg"):
        found = _NAME.match(path.name)
        with suppress(FileNotFoundError):  # deleted meanwhile
            if found is not None:
                yield found[1], path.stat().st_mtime


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
