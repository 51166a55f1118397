"""Processing of uploaded photos: checks the format, and re-encodes in sandboxed subprocesses."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import subprocess  # nosec B404
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from chat.core.errors import AssistantUnavailable, InvalidPhoto, PayloadTooLarge
from chat.core.runtime import Part
from chat.shop.photos.quota import PhotoQuota
from chat.shop.photos.reencoding import LONGEST_SIDE_PX, ProcessedPhoto

logger = logging.getLogger(__name__)

MAX_BYTES = 10 * 1024 * 1024
#: Concurrent subprocesses per worker; each takes a core for half a second, and ``MEMORY_BYTES``.
PLACES = 2
#: Maximum length of the queue.
MAX_WAITING = 8
#: Timeout after which a subprocess is killed.
LONGEST_S = 20.0
#: Maximum output of a subprocess. Both JPEGs of a photo of pure noise take 6 MB; more output means
#: that the decoder was compromised.
MAX_ANSWER_BYTES = 20 * 1024 * 1024
MAX_WORDS_BYTES = 4096
BUSY_RETRY_S = 5

_CONFINED = (sys.executable, "-I", str(Path(__file__).with_name("confinement.py")))
COMMAND = (*_CONFINED, str(Path(__file__).with_name("reencoding.py")))

_JPEG = b"\xff\xd8\xff"
#: Brands of still HEVC images and of image sequences. Source: ISO/IEC 23008-12, annex B.
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
    """The queue of photos is full."""

    message = "Beaucoup de photos arrivent en ce moment. Réessayez dans quelques secondes."

    def __init__(self) -> None:
        super().__init__(retry_after_s=BUSY_RETRY_S)


@dataclass(frozen=True, slots=True)
class Upload:
    """Uploaded file, checked as far as possible without decoding. ``sha256``: of the whole file."""

    file: IO[bytes]
    kind: str
    sha256: str


def read_upload(file: IO[bytes]) -> Upload:
    """Check size and magic bytes of an upload; file name and declared type are ignored.

    Reads the whole file to hash it.

    Raises:
        PhotoTooLarge: over ``MAX_BYTES``.
        InvalidPhoto: empty, or the magic bytes are not those of a photo.
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
    return Upload(file, kind, sha256.hexdigest())


def kind_of(head: bytes) -> str:
    """Return "jpeg", "png", "webp" or "heic" for the first 32 bytes of a file.

    Raises:
        InvalidPhoto: empty, animated, or another format.
    """
    if not head:
        raise InvalidPhoto(REFUSALS["empty"])
    if head.startswith(_JPEG):
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


def reencode_in_subprocess(
    photo: Upload, command: Sequence[str] = COMMAND, *, longest_s: float = LONGEST_S
) -> ProcessedPhoto:
    """Re-encode a photo in a subprocess. Blocks for up to ``longest_s``.

    The output is untrusted like the photo: its size is bounded and its content is checked.

    Raises:
        InvalidPhoto: animated, too many pixels, damaged, or the decoder crashed.
    """
    code, answer, tail = _run([*command, photo.kind], photo.file, longest_s)
    if code != 0:
        logger.warning("decoding a photo ended with %d: %s", code, tail)
        raise InvalidPhoto(REFUSALS["damaged"])
    try:
        return _parse_output(answer)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        logger.warning("a decoder of photos answered nonsense: %s", type(error).__name__)
        raise InvalidPhoto(REFUSALS["damaged"]) from error


def _run(command: Sequence[str], file: IO[bytes], longest_s: float) -> tuple[int, bytes, str]:
    """Return exit code, standard output and last line of standard error of a subprocess.

    It is killed when it writes too much or takes too long.
    """
    with (
        _on_disk(file) as stdin,
        subprocess.Popen(  # noqa: S603 - a command of ours # nosec B603
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},  # no secrets for the decoder
            cwd="/",
        ) as process,
    ):
        assert process.stdout is not None  # nosec B101
        assert process.stderr is not None  # nosec B101
        killer = threading.Timer(longest_s, process.kill)
        killer.start()
        try:
            answer = process.stdout.read(MAX_ANSWER_BYTES + 1)
            if len(answer) > MAX_ANSWER_BYTES:
                process.kill()
            tail = process.stderr.read(MAX_WORDS_BYTES).decode(errors="replace")
            process.stderr.close()
            code = process.wait()
        finally:
            process.kill()
            killer.cancel()
    return code, answer, "".join(tail.strip().splitlines()[-1:])


def _parse_output(answer: bytes) -> ProcessedPhoto:
    """Parse the output of the decoder.

    Raises:
        InvalidPhoto: the decoder refused the photo.
        ValueError, KeyError, TypeError, OverflowError, RecursionError: malformed output.
    """
    line, _, files = answer.partition(b"\n")
    header = json.loads(line)
    if "refused" in header:
        raise InvalidPhoto(REFUSALS[header["refused"]])
    cut, width, height = int(header["full_bytes"]), int(header["width"]), int(header["height"])
    photo = ProcessedPhoto(width, height, files[:cut], files[cut:])
    are_photos = all(file.startswith(_JPEG) for file in (photo.full, photo.small))
    if not are_photos or not all(0 < side <= LONGEST_SIDE_PX for side in (width, height)):
        raise ValueError("no photo")
    return photo


@contextmanager
def _on_disk(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """Yield a file with a descriptor, so that its content does not pass through our memory."""
    try:
        os.lseek(file.fileno(), 0, os.SEEK_SET)
    except OSError:  # a small upload, in memory
        with tempfile.TemporaryFile() as copy:
            file.seek(0)
            copy.write(file.read())
            copy.seek(0)
            yield copy
    else:
        yield file


#: Layers of which one suffices to deny a decoder files, sockets and processes.
SYSTEM_LAYERS = ("landlock", "seccomp")


def layers_of_confinement() -> list[str]:
    """Return the layers of ``confinement`` that are active on this machine.

    Blocks while a subprocess runs.

    Raises:
        OSError, ValueError, subprocess.SubprocessError: the subprocess could not be started.
    """
    done = subprocess.run(  # noqa: S603 - a command of ours # nosec B603
        _CONFINED, capture_output=True, env={}, cwd="/", timeout=LONGEST_S, check=True
    )
    layers: list[str] = json.loads(done.stdout)
    return layers


def _log_layers() -> None:
    """Log once which layers confine decoders on this machine."""
    try:
        layers = layers_of_confinement()
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        logger.warning("how photo decoders are confined is not known: %s", type(error).__name__)
        return
    told = logger.info if set(SYSTEM_LAYERS) & set(layers) else logger.warning
    told("photo decoders are confined by: %s", ", ".join(layers))


class PhotoProcessor:
    """Re-encodes ``places`` photos at once, with a queue of ``max_waiting``; refuses the others.

    ``quota``: disk quota of the stored photos.
    """

    def __init__(
        self,
        places: int = PLACES,
        max_waiting: int = MAX_WAITING,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.quota = PhotoQuota()
        self._has_logged_layers = False
        self._threads = ThreadPoolExecutor(places, thread_name_prefix="photos")
        self._slots = threading.BoundedSemaphore(places + max_waiting)
        self._command = command

    async def process(self, photo: Upload) -> ProcessedPhoto:
        """Re-encode a photo. When the caller is cancelled, the subprocess still runs to its end.

        Raises:
            PhotosBusy: the queue is full.
            InvalidPhoto: as ``reencode_in_subprocess``.
        """
        if not self._slots.acquire(blocking=False):
            raise PhotosBusy
        try:
            work = self._threads.submit(self._process, photo)
        except RuntimeError:  # the worker is shutting down
            self._slots.release()
            raise PhotosBusy from None
        work.add_done_callback(lambda _: self._slots.release())
        return await asyncio.wrap_future(work)

    def _process(self, photo: Upload) -> ProcessedPhoto:
        if not self._has_logged_layers:
            self._has_logged_layers = True
            _log_layers()
        return reencode_in_subprocess(photo, self._command)

    def close(self) -> None:
        self._threads.shutdown()


#: The photo processor of this worker.
PHOTO_PROCESSOR: Part[PhotoProcessor] = Part(
    "photo processor", PhotoProcessor, close=PhotoProcessor.close
)
