"""The door for photos: what is let in, how many at once, and what a decoder can reach."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from io import BytesIO

import pytest

from chat.core.errors import InvalidPhoto
from chat.shop.photos.processor import (
    COMMAND,
    MAX_BYTES,
    PhotoProcessor,
    PhotosBusy,
    PhotoTooLarge,
    kind_of,
    read_upload,
    reencode_in_subprocess,
)
from tests.shop.photos import pictures


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
        read_upload(BytesIO(data))


def test_ten_megabytes_are_taken_and_not_one_byte_more():
    start = pictures.photo()
    assert read_upload(BytesIO(start.ljust(MAX_BYTES, b"\0"))).kind == "jpeg"
    with pytest.raises(PhotoTooLarge):
        read_upload(BytesIO(start.ljust(MAX_BYTES + 1, b"\0")))


def test_file_on_disk_is_read_from_its_beginning():
    with tempfile.TemporaryFile() as file:
        file.write(pictures.photo())

        assert reencode_in_subprocess(read_upload(file)).width == 64


#: What a decoder writes when all is well.
GOOD_ANSWER = (
    "import sys; sys.stdout.buffer.write("
    r"""b'{"width": 1, "height": 1, "full_bytes": 3}\n\xff\xd8\xff\xff\xd8\xff')"""
)


def program(text):
    return (sys.executable, "-I", "-c", text)


def photo():
    return read_upload(BytesIO(pictures.photo()))


def test_decoder_reaches_no_secret(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "s3cr")
    told = tmp_path / "environment"
    reach = f"import os; open({str(told)!r}, 'w').write(repr(dict(os.environ)) + os.getcwd()); 1/0"
    with pytest.raises(InvalidPhoto):
        reencode_in_subprocess(photo(), program(reach))

    assert "s3cr" not in told.read_text()
    assert told.read_text().endswith("/")


@pytest.mark.parametrize("reach", ["open({path!r}, 'wb', 0).write(b'x')", "b'x' * (2 << 30)"])
def test_decoder_writes_no_file_and_takes_no_more_memory(reach, tmp_path):
    reach = reach.format(path=str(tmp_path / "x"))
    folder = COMMAND[-1].rpartition("/")[0]
    bound = f"import sys; sys.path.insert(0, {folder!r}); import confinement as c; "
    free = f"{bound} {GOOD_ANSWER}"
    assert reencode_in_subprocess(photo(), program(free)).width == 1
    with pytest.raises(InvalidPhoto):
        reencode_in_subprocess(photo(), program(f"{bound} c.limit(); f = {reach}; {free}"))


def test_decoder_that_does_not_end_is_killed():
    with pytest.raises(InvalidPhoto):
        reencode_in_subprocess(photo(), program("import time; time.sleep(600)"), longest_s=0.2)


def test_decoder_that_crashes_takes_nobody_along():
    with pytest.raises(InvalidPhoto):
        reencode_in_subprocess(photo(), program("import os; os.kill(os.getpid(), 11)"))


def test_decoder_that_floods_us_is_killed(tmp_path):
    """It has no memory of its own to fill: ours would be."""
    whole = tmp_path / "whole"
    flood = (
        f"import sys; [sys.stdout.write('x' * 2**20) for _ in range(40)]; open({str(whole)!r}, 'w')"
    )
    with pytest.raises(InvalidPhoto):
        reencode_in_subprocess(photo(), program(flood))

    assert not whole.exists()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"rubbish\n",
        b"[]\n",
        b'"refused"\n',
        b'{"refused": "because"}\n',
        b'{"refused": ["pixels"]}\n',
        b'{"width": 1, "height": 1}\n',
        b'{"width": 1, "height": 1, "full_bytes": 0}\n',
        b'{"width": 1, "height": 1, "full_bytes": "a lot"}\n',
        b'{"width": 1, "height": 1, "full_bytes": 10}\n<script></script>',
        b'{"width": 0, "height": 1, "full_bytes": 4}\n\xff\xd8\xff1\xff\xd8\xff2',
        b'{"width": 1e99, "height": 1, "full_bytes": 4}\n\xff\xd8\xff1\xff\xd8\xff2',
        b'{"width": Infinity, "height": 1, "full_bytes": 3}\n\xff\xd8\xff\xff\xd8\xff',
        b"[" * 100_000,
    ],
)
def test_decoder_is_not_believed(answer):
    with pytest.raises(InvalidPhoto):
        reencode_in_subprocess(photo(), program(f"import sys; sys.stdout.buffer.write({answer!r})"))


async def test_two_at_once_some_wait_the_others_are_sent_away(tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    waits = f"open({str(gate)!r}, 'rb').read(); {GOOD_ANSWER}"
    processor = PhotoProcessor(places=1, max_waiting=1, command=program(waits))
    tasks = [asyncio.create_task(processor.process(photo())) for _ in range(2)]
    await asyncio.sleep(0)  # both are handed over now
    with pytest.raises(PhotosBusy) as busy:
        await processor.process(photo())
    assert (busy.value.status, busy.value.retry_after_s) == (503, 5)

    for task in tasks:  # a reader that waits lets us open the other end
        await asyncio.to_thread(lambda: os.close(os.open(gate, os.O_WRONLY)))
        assert (await task).width == 1
    await asyncio.to_thread(processor.close)


async def test_room_comes_back_after_a_refusal(processor):
    for _ in range(processor._slots._value + 1):
        with pytest.raises(InvalidPhoto):
            await processor.process(read_upload(BytesIO(b"\xff\xd8\xff")))

    assert (await processor.process(photo())).width == 64


async def test_loop_goes_on_while_a_photo_is_decoded(processor):
    big = read_upload(BytesIO(pictures.photo("PNG", width=3000, height=3000)))
    task = asyncio.create_task(processor.process(big))
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1

    assert (await task).width == 2000
    assert turns > 10  # blocked, it would be two
