"""From a file of a stranger to clean JPEGs. Runs as a process of its own, which ``intake`` starts.

Decoders are native code, fed here by strangers: this process holds no secret, no connection and no
other customer's words, opens no file, and gets so much memory and time. Nothing but pixels comes
out of it: no EXIF, GPS, XMP, comment, colour profile, no second image, nothing behind the end.
It imports nothing of the project.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageCms

#: From the header, before anything is decoded. The biggest phones make 50 million.
MAX_PIXELS = 50_000_000
LONGEST_SIDE_PX = 2000
#: For thumbnails, and for a model that sees.
SMALL_SIDE_PX = 768
QUALITY = 85

#: One decoded copy of ``MAX_PIXELS`` is 200 MB; HEIC needs two and a half.
MEMORY_BYTES = 1 << 30
CPU_S = 15
#: Photos are in no hurry, answers are.
NICENESS = 10

#: Pillow's decoder for each kind; no other one is tried.
DECODERS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "heic": "HEIF"}
#: Files of one photo with others beside it (depth, brightness): the first is the photo.
WITH_COMPANIONS = {"MPO", "HEIF"}

_ORIENTATION = 0x0112  # tag of EXIF
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Refused(Exception):
    """``reason``: "animated", "pixels" or "damaged"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Clean:
    """``width``, ``height``: of ``full``, in pixels. Both are JPEG."""

    width: int
    height: int
    full: bytes
    small: bytes


def reencode(data: bytes, kind: str) -> Clean:
    """Return the photo upright, in sRGB, at most ``LONGEST_SIDE_PX`` long, with nothing else.

    Args:
        kind: one of ``DECODERS``, as the first bytes tell it.

    Raises:
        Refused: animated, or too many pixels.
        Exception: whatever a decoder says of data that is damaged.
    """
    image = _opened(data, kind)
    orientation = _orientation_of(image)
    image.draft("RGB", (LONGEST_SIDE_PX, LONGEST_SIDE_PX))  # JPEG decodes smaller at once
    image.load()
    full = _in_rgb(_fitted(image, LONGEST_SIDE_PX))
    if orientation in _UPRIGHT:
        full = full.transpose(_UPRIGHT[orientation])
    small = _fitted(full.copy(), SMALL_SIDE_PX)
    return Clean(full.width, full.height, _jpeg(full), _jpeg(small))


def _opened(data: bytes, kind: str) -> Image.Image:
    """Read the header.

    Raises:
        Refused:
    """
    Image.MAX_IMAGE_PIXELS = None  # ours is exact, and refuses rather than warns
    if kind == "heic":
        importlib.import_module("pillow_heif").register_heif_opener(thumbnails=False)
    image = Image.open(BytesIO(data), formats=[DECODERS[kind]])
    if image.width * image.height > MAX_PIXELS:
        raise Refused("pixels")
    if getattr(image, "n_frames", 1) > 1 and image.format not in WITH_COMPANIONS:
        raise Refused("animated")
    return image


def _orientation_of(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - EXIF of a stranger; the photo may be fine
        return 1


def _fitted(image: Image.Image, side_px: int) -> Image.Image:
    if image.mode not in ("RGB", "RGBA", "L", "CMYK"):
        has_alpha = image.has_transparency_data
        image = _as(image, "RGBA" if has_alpha else "RGB")
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    return image


def _in_rgb(image: Image.Image) -> Image.Image:
    """Colours as screens show them; what is transparent becomes white."""
    if image.mode == "RGBA":
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        ground.info = image.info
        image = ground
    profile = image.info.get("icc_profile")
    if profile:
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            given = ImageCms.ImageCmsProfile(BytesIO(profile))
            shown = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, given, shown, outputMode="RGB")
            image = converted or image
    return image if image.mode == "RGB" else _as(image, "RGB")


def _as(image: Image.Image, mode: str) -> Image.Image:
    converted = image.convert(mode)
    converted.info = image.info
    return converted


def _jpeg(image: Image.Image) -> bytes:
    image.info = {}  # Pillow would write the comment that stands there
    file = BytesIO()
    image.save(file, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return file.getvalue()


def bound_this_process() -> None:
    """Give this process little: memory, time, no file to write, no core to leave."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):  # a system that does not know it
            resource.setrlimit(what, (most, most))
    os.nice(NICENESS)


def main(kind: str) -> None:
    """Read a photo from standard input; write one line of JSON, then both JPEGs."""
    bound_this_process()
    data = sys.stdin.buffer.read()
    said: dict[str, object]
    try:
        clean = reencode(data, kind)
    except Refused as refused:
        said, files = {"refused": refused.reason}, b""
    except Exception:  # noqa: BLE001 - decoders raise anything, out of memory included
        said, files = {"refused": "damaged"}, b""
    else:
        said = {"width": clean.width, "height": clean.height, "full_bytes": len(clean.full)}
        files = clean.full + clean.small
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + files)


if __name__ == "__main__":
    main(sys.argv[1])
