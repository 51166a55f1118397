"""The files of photos: in ``MEDIA_DIR``, outside of what is served, readable by this user only."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from chat.photos.reencoding import Clean
from meuble_project.env import ROOT

_NAME = re.compile(r"([0-9a-f]{32})(-small)?\.jpg\Z")


def folder() -> Path:
    """``MEDIA_DIR/photos``, whether it exists or not."""
    return ROOT / settings.ENV.media_dir / "photos"


def path_of(name: str, *, small: bool = False) -> Path:
    return folder() / name[:2] / f"{name}{'-small' if small else ''}.jpg"


def write(clean: Clean) -> str:
    """Store both sizes under a name that nobody can guess; return it.

    Raises:
        OSError: no room, no right; nothing is left behind.
    """
    name = secrets.token_hex(16)
    path_of(name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        _write(path_of(name, small=True), clean.small)
        _write(path_of(name), clean.full)
    except OSError:
        remove(name)
        raise
    return name


def read(name: str, *, small: bool = False) -> bytes:
    """
    Raises:
        OSError:
    """
    return path_of(name, small=small).read_bytes()


def remove(name: str) -> None:
    """Remove what there is under this name; nothing when it is gone.

    Raises:
        OSError:
    """
    for small in (False, True):
        path_of(name, small=small).unlink(missing_ok=True)


def stored() -> Iterator[tuple[str, float]]:
    """Yield the name of every file there is, of both sizes, with the moment it was written."""
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
