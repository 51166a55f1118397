"""Files as customers send them, good and bad, made here."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import pillow_heif
from PIL import Image

PARIS = {1: "N", 2: (48.0, 51.0, 24.0), 3: "E", 4: (2.0, 21.0, 3.0)}
GPS_TAG, MAKE_TAG, ORIENTATION_TAG = 0x8825, 0x010F, 0x0112


def picture(width: int = 64, height: int = 48, mode: str = "RGB") -> Image.Image:
    """Red on the left, blue on the right: which way is up can be told."""
    image = Image.new("RGB", (width, height), (200, 30, 30))
    image.paste((30, 30, 200), (width // 2, 0, width, height))
    return image.convert(mode)


def photo(
    format_: str = "JPEG", *, width: int = 64, height: int = 48, mode: str = "RGB", **options: Any
) -> bytes:
    file = BytesIO()
    picture(width, height, mode).save(file, format_, **options)
    return file.getvalue()


def exif(orientation: int = 1) -> bytes:
    """With a place, a camera and an orientation."""
    data = Image.Exif()
    data[MAKE_TAG] = "Appareil de Camille"
    data[ORIENTATION_TAG] = orientation
    data.get_ifd(GPS_TAG).update(PARIS)
    return data.tobytes()


def heic(**options: Any) -> bytes:
    file = BytesIO()
    pillow_heif.from_pillow(picture()).save(file, **options)
    return file.getvalue()


def animated(format_: str) -> bytes:
    file = BytesIO()
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    frames[0].save(file, format_, save_all=True, append_images=frames[1:], duration=100)
    return file.getvalue()


def png_of(width: int, height: int, rows: int) -> bytes:
    """A PNG whose header claims so many pixels and which holds so many rows of zeros."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    body = zlib.compress(bytes(width + 1) * rows, 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )
