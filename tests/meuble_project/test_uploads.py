"""Files of forms while they are looked at."""

from __future__ import annotations

import os
from io import BytesIO

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import load_handler
from django.http.multipartparser import MultiPartParser
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart


def uploaded(data):
    body = encode_multipart(BOUNDARY, {"photo": SimpleUploadedFile("a.jpg", data, "image/jpeg")})
    meta = {"CONTENT_TYPE": MULTIPART_CONTENT, "CONTENT_LENGTH": len(body)}
    handlers = [load_handler(name, None) for name in settings.FILE_UPLOAD_HANDLERS]
    return MultiPartParser(meta, BytesIO(body), handlers).parse()[1]["photo"]


def test_long_file_waits_on_disk_without_a_name():
    """A worker that is killed leaves nothing: only an open handle holds such a file."""
    data = os.urandom(200_000)
    file = uploaded(data)

    assert (file.name, file.size, file.content_type) == ("a.jpg", len(data), "image/jpeg")
    assert file.read() == data
    assert os.fstat(file.fileno()).st_nlink == 0
    file.close()


def test_short_file_waits_in_memory():
    assert uploaded(b"short").read() == b"short"
