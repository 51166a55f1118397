"""The door for photos: what is let in, how many at once, and what a decoder can reach."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from io import BytesIO

import pytest

from chat.errors import InvalidPhoto
from chat.photos import intake as door
from chat.photos.intake import (
    COMMAND,
    MAX_BYTES,
    Intake,
    PhotosBusy,
    PhotoTooLarge,
    kind_of,
    received,
    reencoded,
)
from tests.photos import pictures


@pytest.mark.parametrize(
    "data, kind",
    [
        (pictures.photo(), "jpeg"),
        (pictures.photo("PNG"), "png"),
        (pictures.photo("WEBP"), "webp"),
        (pictures.heic(), "heic"),
    ],
)
def test_kind_is_told_by_content(data, kind):
    assert kind_of(data[:32]) == kind


DISGUISED = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "svg-with-declaration": b'<?xml version="1.0"?><svg/>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "html-naming-a-photo": b"<!--\xff\xd8\xff-->",
    "gif": pictures.animated("GIF"),
    "gif-that-is-a-script": b"GIF89a/*" + b"\0" * 20 + b"*/=1;alert(1)",
    "pdf": b"%PDF-1.7",
    "tiff": pictures.photo("TIFF"),
    "bmp": pictures.photo("BMP"),
    "avif": b"\0\0\0\x20ftypavif" + b"\0" * 20,
    "video": b"\0\0\0\x20ftypisom" + b"\0" * 20,
    "sequence": b"\0\0\0\x20ftypmsf1" + b"\0" * 20,
    "riff-sound": b"RIFF\0\0\0\0WAVEfmt ",
    "empty": b"",
    "one-byte": b"\xff",
}


@pytest.mark.parametrize("data", DISGUISED.values(), ids=DISGUISED)
def test_anything_else_is_refused_unread(data):
    with pytest.raises(InvalidPhoto):
        received(BytesIO(data))


def test_ten_megabytes_are_taken_and_not_one_byte_more():
    start = pictures.photo()
    assert received(BytesIO(start.ljust(MAX_BYTES, b"\0"))).kind == "jpeg"
    with pytest.raises(PhotoTooLarge):
        received(BytesIO(start.ljust(MAX_BYTES + 1, b"\0")))


def test_file_on_disk_is_read_from_its_beginning():
    with tempfile.TemporaryFile() as file:
        file.write(pictures.photo())

        assert reencoded(received(file)).width == 64


def program(text):
    return (sys.executable, "-I", "-c", text)


def photo():
    return received(BytesIO(pictures.photo()))


def test_decoder_reaches_no_secret(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "s3cr")
    told = tmp_path / "environment"
    reach = f"import os; open({str(told)!r}, 'w').write(repr(dict(os.environ)) + os.getcwd()); 1/0"
    with pytest.raises(InvalidPhoto):
        reencoded(photo(), program(reach))

    assert "s3cr" not in told.read_text()
    assert told.read_text().endswith("/")


@pytest.mark.parametrize("reach", ["open({path!r}, 'wb', 0).write(b'x')", "b'x' * (2 << 30)"])
def test_decoder_writes_no_file_and_takes_no_more_memory(reach, tmp_path):
    reach = reach.format(path=str(tmp_path / "x"))
    folder = COMMAND[-1].rpartition("/")[0]
    bound = f"import sys; sys.path.insert(0, {folder!r}); import reencoding as r; "
    free = bound + 'print(\'{"width": 1, "height": 1, "full_bytes": 0}\')'
    assert reencoded(photo(), program(free)).width == 1
    with pytest.raises(InvalidPhoto):
        reencoded(photo(), program(f"{bound} r.bound_this_process(); f = {reach}; {free}"))


def test_decoder_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(door, "LONGEST_S", 0.2)
    with pytest.raises(InvalidPhoto):
        reencoded(photo(), program("import time; time.sleep(600)"))


def test_decoder_that_crashes_takes_nobody_along():
    with pytest.raises(InvalidPhoto):
        reencoded(photo(), program("import os; os.kill(os.getpid(), 11)"))


async def test_two_at_once_some_wait_the_others_are_sent_away(tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    waits = (
        f"open({str(gate)!r}, 'rb').read(); "
        'print(\'{"width": 1, "height": 1, "full_bytes": 0}\')'
    )
    intake = Intake(places=1, max_waiting=1, command=program(waits))
    tasks = [asyncio.create_task(intake.clean(photo())) for _ in range(2)]
    await asyncio.sleep(0)  # both are handed over now
    with pytest.raises(PhotosBusy) as busy:
        await intake.clean(photo())
    assert (busy.value.status, busy.value.retry_after_s) == (503, 5)

    for task in tasks:  # a reader that waits lets us open the other end
        await asyncio.to_thread(lambda: os.close(os.open(gate, os.O_WRONLY)))
        assert (await task).width == 1
    await asyncio.to_thread(intake.close)


async def test_room_comes_back_after_a_refusal(intake):
    for _ in range(intake._room._value + 1):
        with pytest.raises(InvalidPhoto):
            await intake.clean(received(BytesIO(b"\xff\xd8\xff")))

    assert (await intake.clean(photo())).width == 64


async def test_loop_goes_on_while_a_photo_is_decoded(intake):
    big = received(BytesIO(pictures.photo("PNG", width=3000, height=3000)))
    task = asyncio.create_task(intake.clean(big))
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1

    assert (await task).width == 2000
    assert turns > 10  # blocked, it would be two
