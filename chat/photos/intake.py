"""A file from outside is looked at and made clean, in processes of their own, few at a time."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import subprocess  # nosec B404
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

from chat.errors import AssistantUnavailable, InvalidPhoto, PayloadTooLarge
from chat.photos.reencoding import Clean

logger = logging.getLogger(__name__)

MAX_BYTES = 10 * 1024 * 1024
#: At once in this worker; each takes a core for half a second, and up to ``MEMORY_BYTES``.
PLACES = 2
#: How many more may wait for a place.
MAX_WAITING = 8
#: A process that takes longer is killed.
LONGEST_S = 20.0
BUSY_RETRY_S = 5

COMMAND = (sys.executable, "-I", str(Path(__file__).with_name("reencoding.py")))

#: Source: ISO/IEC 23008-12, annex B: brands of still HEVC images, and of sequences of them.
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1"}
_MOVING_BRANDS = {b"hevc", b"hevx", b"hevm", b"hevs", b"msf1"}

UNREADABLE = "Ce fichier n'est pas une photo JPEG, PNG, WebP ou HEIC."
REFUSALS = {
    "empty": "Ce fichier est vide.",
    "animated": "Cette image est animée. Envoyez une photo fixe.",
    "pixels": "Cette photo a trop de pixels (50 millions au plus).",
    "damaged": "Cette photo est abîmée ou incomplète. Envoyez-la à nouveau ou prenez-en une autre.",
}


class PhotoTooLarge(PayloadTooLarge):
    message = "Cette photo dépasse 10 Mo."


class PhotosBusy(AssistantUnavailable):
    """Too many photos wait already."""

    message = "Beaucoup de photos arrivent en ce moment. Réessayez dans quelques secondes."

    def __init__(self) -> None:
        super().__init__(retry_after_s=BUSY_RETRY_S)


@dataclass(frozen=True, slots=True)
class Received:
    """What came, checked as far as it can be without decoding. ``sha256``: of the whole file."""

    file: IO[bytes]
    kind: str
    sha256: str


def received(file: IO[bytes]) -> Received:
    """Look at size and first bytes; its name and the type it claims are not asked. Reads it all.

    Raises:
        PhotoTooLarge: over ``MAX_BYTES``.
        InvalidPhoto: empty, or the first bytes are not those of a photo.
    """
    size = file.seek(0, 2)
    if size > MAX_BYTES:
        raise PhotoTooLarge
    file.seek(0)
    kind = kind_of(file.read(32))
    file.seek(0)
    sha256 = hashlib.sha256()
    while chunk := file.read(1 << 16):
        sha256.update(chunk)
    file.seek(0)
    return Received(file, kind, sha256.hexdigest())


def kind_of(head: bytes) -> str:
    """Return "jpeg", "png", "webp" or "heic" for the first bytes of a file, 32 of them or all.

    Raises:
        InvalidPhoto: empty, moving, or anything else.
    """
    if not head:
        raise InvalidPhoto(REFUSALS["empty"])
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return _heic(head)
    if head.startswith((b"GIF87a", b"GIF89a")):
        raise InvalidPhoto("Les images GIF ne sont pas acceptées. Envoyez une photo.")
    raise InvalidPhoto(UNREADABLE)


def _heic(head: bytes) -> str:
    if head[8:12] in _MOVING_BRANDS:
        raise InvalidPhoto(REFUSALS["animated"])
    if head[8:12] in _HEIC_BRANDS:
        return "heic"
    raise InvalidPhoto(UNREADABLE)


def reencoded(photo: Received, command: Sequence[str] = COMMAND) -> Clean:
    """Have another process decode the photo. Blocks for up to ``LONGEST_S``.

    Raises:
        InvalidPhoto: animated, too many pixels, damaged, or the decoder died of it.
    """
    try:
        done = subprocess.run(  # noqa: S603 - a command of ours # nosec B603
            [*command, photo.kind],
            **_input(photo.file),
            capture_output=True,
            env={},  # no secret is within a decoder's reach
            cwd="/",
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        logger.warning("a photo took more than %d s to decode", LONGEST_S)
        raise InvalidPhoto(REFUSALS["damaged"]) from error
    if done.returncode != 0:
        tail = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        logger.warning("decoding a photo ended with %d: %s", done.returncode, "".join(tail))
        raise InvalidPhoto(REFUSALS["damaged"])
    line, _, files = done.stdout.partition(b"\n")
    said = json.loads(line)
    if "refused" in said:
        raise InvalidPhoto(REFUSALS[said["refused"]])
    cut = said["full_bytes"]
    return Clean(said["width"], said["height"], files[:cut], files[cut:])


def _input(file: IO[bytes]) -> dict[str, Any]:
    """Hand over the file itself where it is one: it does not pass through our memory."""
    try:
        os.lseek(file.fileno(), 0, os.SEEK_SET)
    except OSError:  # a small one, in memory
        file.seek(0)
        return {"input": file.read()}
    return {"stdin": file}


class Intake:
    """``PLACES`` photos at once, ``MAX_WAITING`` more in a queue, the others are sent away."""

    def __init__(
        self,
        places: int = PLACES,
        max_waiting: int = MAX_WAITING,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._threads = ThreadPoolExecutor(places, thread_name_prefix="photos")
        self._room = threading.BoundedSemaphore(places + max_waiting)
        self._command = command

    async def clean(self, photo: Received) -> Clean:
        """Return the photo, clean. Whoever stops waiting leaves a process that ends by itself.

        Raises:
            PhotosBusy: at once.
            InvalidPhoto: as ``reencoded``.
        """
        if not self._room.acquire(blocking=False):
            raise PhotosBusy
        try:
            work = self._threads.submit(reencoded, photo, self._command)
        except RuntimeError:  # the process is ending
            self._room.release()
            raise PhotosBusy from None
        work.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(work)

    def close(self) -> None:
        self._threads.shutdown()


@cache
def default_intake() -> Intake:
    """The one of this process."""
    return Intake()
