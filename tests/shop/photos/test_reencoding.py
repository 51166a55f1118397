"""What comes out of the decoder's process: pixels, upright, and nothing else."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image, ImageCms

from chat.core.errors import InvalidPhoto
from chat.shop.photos.processor import REFUSALS, Upload, read_upload, reencode_in_subprocess
from chat.shop.photos.reencoding import MAX_PIXELS, SMALL_SIDE_PX
from tests.shop.photos import pictures

RED, BLUE = (200, 30, 30), (30, 30, 200)


def sent(data):
    return reencode_in_subprocess(read_upload(BytesIO(data)))


def shown(data):
    image = Image.open(BytesIO(data))
    image.load()
    return image


def is_near(colour, wanted):
    return all(abs(a - b) < 12 for a, b in zip(colour, wanted, strict=True))


@pytest.mark.parametrize(
    "data",
    [
        pictures.photo(),
        pictures.photo("PNG"),
        pictures.photo("PNG", mode="RGBA"),
        pictures.photo("WEBP", lossless=True),
        pictures.photo(mode="CMYK"),
        pictures.photo("PNG", mode="P"),
        pictures.heic(quality=90),
    ],
    ids=["jpeg", "png", "png-alpha", "webp", "cmyk", "png-palette", "heic"],
)
def test_every_kind_becomes_a_jpeg_of_the_same_picture(data):
    clean = sent(data)

    image = shown(clean.full)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (64, 48))
    assert (clean.width, clean.height) == (64, 48)
    if data[:4] != b"\x89PNG" or b"PLTE" not in data:  # a palette has its own red
        assert is_near(image.getpixel((3, 3)), RED)
        assert is_near(image.getpixel((60, 44)), BLUE)


@pytest.mark.parametrize(
    "data",
    [
        pictures.photo(exif=pictures.exif(), comment=b"dit par Camille", xmp=b"<x:xmpmeta/>"),
        pictures.photo("WEBP", exif=pictures.exif(), xmp=b"<x:xmpmeta/>"),
        pictures.photo("PNG", exif=pictures.exif()),
        pictures.heic(exif=pictures.exif(), xmp=b"<x:xmpmeta/>"),
    ],
    ids=["jpeg", "webp", "png", "heic"],
)
def test_place_and_camera_are_gone(data):
    given = b"Appareil de Camille"
    assert given in data  # with the place beside it
    clean = sent(data)

    for kept in (clean.full, clean.small):
        image = shown(kept)
        assert dict(image.getexif()) == {}
        assert set(image.info) <= {
            *("jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression")
        }
        assert not [word for word in (given, b"GPS", b"Exif", b"xmp", b"Camille") if word in kept]


def test_place_was_there_before():
    image = Image.open(BytesIO(pictures.photo(exif=pictures.exif())))

    assert image.getexif().get_ifd(pictures.GPS_TAG)[2] == (48.0, 51.0, 24.0)


@pytest.mark.parametrize(
    "orientation, size, first",
    [(1, (64, 48), RED), (3, (64, 48), BLUE), (6, (48, 64), RED), (8, (48, 64), BLUE)],
)
def test_photo_stands_upright(orientation, size, first):
    clean = sent(pictures.photo(exif=pictures.exif(orientation)))

    assert (clean.width, clean.height) == size
    assert is_near(shown(clean.full).getpixel((3, 3)), first)


def test_heic_is_turned_once():
    clean = sent(pictures.heic(exif=pictures.exif(6)))

    assert (clean.width, clean.height) == (48, 64)


def test_sides_are_bounded():
    clean = sent(pictures.photo(width=3000, height=600))

    assert shown(clean.full).size == (2000, 400)
    assert max(shown(clean.small).size) == SMALL_SIDE_PX


def test_small_photo_is_not_made_bigger():
    assert shown(sent(pictures.photo()).small).size == (64, 48)


def test_transparent_becomes_white():
    file = BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(file, "PNG")

    assert shown(sent(file.getvalue()).full).getpixel((10, 10)) == (255, 255, 255)


def test_colours_of_a_profile_are_kept_and_the_profile_is_not():
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    clean = sent(pictures.photo(icc_profile=lab))

    assert "icc_profile" not in shown(clean.full).info
    assert is_near(shown(clean.full).getpixel((3, 3)), RED)


def test_damaged_profile_does_no_harm():
    assert sent(pictures.photo(icc_profile=b"profil" * 50)).width == 64


def test_what_stands_behind_the_picture_is_gone():
    payload = b"PK\x03\x04<script>alert(1)</script>"
    clean = sent(pictures.photo() + payload)

    assert b"script" not in clean.full + clean.small
    assert shown(clean.full).size == (64, 48)


def test_photo_with_companions_is_its_first():
    clean = sent(pictures.animated("MPO"))

    assert is_near(shown(clean.full).getpixel((8, 8)), (255, 0, 0))


@pytest.mark.parametrize("format_", ["WEBP", "PNG"])
def test_animated_is_refused(format_):
    with pytest.raises(InvalidPhoto) as refused:
        sent(pictures.animated(format_))

    assert refused.value.message == REFUSALS["animated"]


@pytest.mark.parametrize("rows", [10, 5001], ids=["header-alone", "whole"])
def test_bomb_is_refused_from_its_header(rows):
    assert MAX_PIXELS < 10_000 * 5_001
    with pytest.raises(InvalidPhoto) as refused:
        sent(pictures.png_of(10_000, 5_001, rows))

    assert refused.value.message == REFUSALS["pixels"]


def test_biggest_photo_is_taken():
    clean = sent(pictures.png_of(10_000, 5_000, 5_000))

    assert (clean.width, clean.height) == (2000, 1000)


CUT = {
    "jpeg": pictures.photo(width=800, height=600)[:2000],
    "jpeg-head": pictures.photo()[:20],
    "png": pictures.photo("PNG", width=800, height=600)[:-100],
    "webp": pictures.photo("WEBP", width=800, height=600)[:-100],
    "heic": pictures.heic()[:-100],
    "png-of-no-width": pictures.png_of(0, 10, 1),
    "noise": b"\xff\xd8\xff" + bytes(range(256)) * 20,
    "noise-heic": b"\0\0\0\x18ftypheic" + bytes(range(256)) * 20,
}


@pytest.mark.parametrize("data", CUT.values(), ids=CUT)
def test_damaged_is_refused(data):
    with pytest.raises(InvalidPhoto) as refused:
        sent(data)

    assert refused.value.message == REFUSALS["damaged"]


def test_kind_of_the_first_bytes_is_the_only_decoder_asked():
    with pytest.raises(InvalidPhoto):
        reencode_in_subprocess(Upload(BytesIO(pictures.photo("PNG")), "jpeg", ""))
