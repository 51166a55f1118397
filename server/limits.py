"""How much the world may send to a worker, and make it hold."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape

from chat.core.errors import ChatError, Internal

KIB = 1024
MIB = 1024 * KIB

#: Bodies, and WebSocket messages. Source: specification, ``payload_too_large``.
MAX_BODY_BYTES = 64 * KIB
#: Where longer bodies are taken. The admin imports catalogues and photographs.
LONGER_BODIES = {"/admin/": 12 * MIB}
#: Where one photo of 10 MB is taken, at this very path, with what a form writes around it.
PHOTOS = "/photos/"
MAX_PHOTO_BODY_BYTES = 10 * MIB + 64 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How long a worker waits for its clients and its application, and what it holds of bodies.

    ``idle_s``: between two requests. Longer than proxies keep theirs (nginx: 60 s): where the
    proxy closes first, it never meets a connection that we close under its request.
    ``head_s``, ``body_s``: for the whole head, and for the whole of a short body.
    ``long_body_start_s``: for a long body, and one second more for each ``SLOW_PACE`` bytes that
    came, ``long_body_s`` at most.
    ``stalled_s``: a client that takes nothing of its answer for so long is dropped.
    ``linger_s``: how long a client may go on sending after it was refused: closing at once would
    destroy the answer on its way (RFC 9112, section 9.6). Also how long the last bytes may take.
    ``flood_s``: an application that makes no room in its queue for so long will not, for this
    client.
    ``ping_s``, ``pong_s``: between two pings of a WebSocket, and until its answer.
    ``application_close_s``: an application may take so long to end after its client left.
    ``check_s``: how often these times are looked at.
    ``max_photo_bytes``: of photos under way, which wait on disk.
    ``max_short_bytes``: of all short bodies under way, which wait in memory.
    """

    idle_s: float = 75
    head_s: float = 20
    body_s: float = 60
    long_body_start_s: float = 20
    long_body_s: float = 300
    stalled_s: float = 30
    linger_s: float = 5
    flood_s: float = 10
    ping_s: float = 20
    pong_s: float = 30
    application_close_s: float = 10
    check_s: float = 1
    max_photo_bytes: int = 64 * MIB
    max_short_bytes: int = 32 * MIB


#: Those of the product.
BOUNDS = Bounds()


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


def refusal(error: ChatError, accepted: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return headers and body for who sends this ``Accept``: a page for browsers' own forms."""
    return page(error) if accepted.startswith(b"text/html") else problem(error)


def page(error: ChatError) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the same for a browser without JavaScript, whose form was refused unread."""
    body = (
        '<!doctype html><html lang="fr"><meta charset="utf-8"><title>Envoi refusé</title>'
        f"<h1>Envoi refusé</h1><p>{escape(error.message)}</p>"
        "<p>Revenez à la page précédente pour continuer.</p></html>"
    ).encode()
    headers, _ = problem(error)
    changed = {
        b"content-type": b"text/html; charset=utf-8",
        b"content-length": b"%d" % len(body),
    }
    policy = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
    return [*((name, changed.get(name, value)) for name, value in headers), policy], body
