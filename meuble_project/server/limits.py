"""How much the world may send to a worker, and make it hold."""

from __future__ import annotations

import json

from chat.errors import ChatError, Internal

KIB = 1024
MIB = 1024 * KIB

#: Bodies, and WebSocket messages. Source: specification, ``payload_too_large``.
MAX_BODY_BYTES = 64 * KIB
#: Where longer bodies are taken. The admin imports catalogues and photographs.
LONGER_BODIES = {"/admin/": 12 * MIB}
#: Where one photo of 10 MB is taken, at this very path, with what a form writes around it.
PHOTOS = "/photos/"
MAX_PHOTO_BODY_BYTES = 10 * MIB + 64 * KIB


def body_limit(path: str) -> int:
    """Return the longest body taken at this path, in bytes."""
    if path.partition("?")[0] == PHOTOS:
        return MAX_PHOTO_BODY_BYTES
    for prefix, limit in LONGER_BODIES.items():
        if path.startswith(prefix):
            return limit
    return MAX_BODY_BYTES


def problem(error: ChatError) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the headers and the body of the answer that tells this error, as the API writes them.

    Source: RFC 9457, with our ``code``.
    """
    told = {
        "type": f"/api/docs#{error.code}",
        "title": type(error).message,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
    }
    if isinstance(error, Internal):
        told["error_id"] = error.error_id
    body = json.dumps(told, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if error.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % error.retry_after_s))
    return headers, body
