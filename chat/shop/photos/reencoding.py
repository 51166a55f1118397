"""Re-encoding of untrusted photos to JPEG, in a subprocess that ``processor`` starts.

Decoders are native code that parses untrusted data: this process holds no secret, no connection and
no data of other customers, and ``confinement`` drops its privileges before it reads a byte. The
output holds pixels only: no EXIF, GPS, XMP, comment, colour profile, second image or trailing data.
This module imports nothing of the project.
"""

from __future__ import annotations

import importlib
import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageCms

#: Checked in the header before decoding. The best phones take 50 million pixels.
MAX_PIXELS = 50_000_000
LONGEST_SIDE_PX = 2000
#: Size of thumbnails, which are also sent to a model with vision.
SMALL_SIDE_PX = 768
QUALITY = 85

#: Pillow's decoder for each kind; others are not tried.
DECODERS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "heic": "HEIF"}
#: Formats with auxiliary images (depth, brightness) after the photo, which is the first image.
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
    """The photo is not accepted. ``reason``: "animated", "pixels" or "damaged"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ProcessedPhoto:
    """Re-encoded photo in two sizes, both JPEG. ``width``, ``height``: of ``full``, in pixels."""

    width: int
    height: int
    full: bytes
    small: bytes


def reencode(data: bytes, kind: str) -> ProcessedPhoto:
    """Return the photo upright, in sRGB, at most ``LONGEST_SIDE_PX`` long, without metadata.

    Args:
        kind: one of ``DECODERS``, from the magic bytes.

    Raises:
        Refused: animated, or too many pixels.
        Exception: any exception of a decoder, for damaged data.
    """
    image = _opened(data, kind)
    orientation = _orientation_of(image)
    image.draft("RGB", (LONGEST_SIDE_PX, LONGEST_SIDE_PX))  # JPEG decodes smaller at once
    image.load()
    full = _in_rgb(_fitted(image, LONGEST_SIDE_PX))
    if orientation in _UPRIGHT:
        full = full.transpose(_UPRIGHT[orientation])
    small = _fitted(full.copy(), SMALL_SIDE_PX)
    return ProcessedPhoto(full.width, full.height, _jpeg(full), _jpeg(small))


def _opened(data: bytes, kind: str) -> Image.Image:
    """Open an image and check its header.

    Raises:
        Refused: animated, or too many pixels.
    """
    Image.MAX_IMAGE_PIXELS = None  # replaced by the check below, which refuses instead of warning
    image = Image.open(BytesIO(data), formats=[DECODERS[kind]])
    if image.width * image.height > MAX_PIXELS:
        raise Refused("pixels")
    if getattr(image, "n_frames", 1) > 1 and image.format not in WITH_COMPANIONS:
        raise Refused("animated")
    return image


def _orientation_of(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - untrusted EXIF; the photo itself may be valid
        return 1


def _fitted(image: Image.Image, side_px: int) -> Image.Image:
    if image.mode not in ("RGB", "RGBA", "L", "CMYK"):
        has_alpha = image.has_transparency_data
        image = _as(image, "RGBA" if has_alpha else "RGB")
    image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    return image


def _in_rgb(image: Image.Image) -> Image.Image:
    """Convert to sRGB; transparent pixels become white."""
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
    image.info = {}  # otherwise Pillow would write its comment
    file = BytesIO()
    image.save(file, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return file.getvalue()


def prepare(kind: str) -> bool:
    """Load all libraries that ``main`` needs, since no file can be opened afterwards.

    Return whether decoding starts threads, as the decoder of HEIC does.
    """
    Image.preinit()
    # A JPEG may be MPO; EXIF is parsed as TIFF.
    for name in ("MpoImagePlugin", "TiffImagePlugin", "WebPImagePlugin"):
        importlib.import_module(f"PIL.{name}")
    if kind == "heic":
        importlib.import_module("pillow_heif").register_heif_opener(thumbnails=False)
    return kind == "heic"


def main(kind: str) -> None:
    """Read a photo from standard input; write one line of JSON, then both JPEGs."""
    data = sys.stdin.buffer.read()
    said: dict[str, object]
    try:
        clean = reencode(data, kind)
    except Refused as refused:
        said, files = {"refused": refused.reason}, b""
    except Exception:  # noqa: BLE001 - decoders raise anything, including MemoryError
        said, files = {"refused": "damaged"}, b""
    else:
        said = {"width": clean.width, "height": clean.height, "full_bytes": len(clean.full)}
        files = clean.full + clean.small
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + files)
