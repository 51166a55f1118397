"""Answers that are no answer: what a client gets in place of one."""

from __future__ import annotations

from aiohttp import web

from chat.simulator import wire
from chat.simulator.faults import Fault, Kind

_PAGE = """\
<!DOCTYPE html>
<html lang="fr"><head><title>Maintenance</title></head>
<body><h1>Service en maintenance</h1><p>Merci de revenir dans quelques minutes.</p></body></html>
"""


def json_response(
    data: object, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    return web.Response(
        body=wire.dumps(data), status=status, content_type="application/json", headers=headers
    )


def refusal(fault: Fault) -> web.Response | None:
    """Return the response that takes the place of any answer, streamed or not, or None."""
    match fault.kind:
        case Kind.RATE_LIMIT:
            return _rate_limited(fault)
        case Kind.ERROR:
            message = "The server had an error while processing your request. Sorry about that!"
            return json_response(wire.error(message, "server_error"), fault.status)
        case Kind.AUTH:
            return unauthorized("Incorrect API key provided.", "invalid_api_key")
        case Kind.HTML:
            return web.Response(text=_PAGE, content_type="text/html")
    return None


def unauthorized(message: str, code: str | None = None) -> web.Response:
    return json_response(wire.error(message, "invalid_request_error", code), 401)


def _rate_limited(fault: Fault) -> web.Response:
    message = f"Rate limit reached. Please try again in {fault.retry_after_s}s."
    return json_response(
        wire.error(message, "requests", "rate_limit_exceeded"),
        429,
        {"Retry-After": str(fault.retry_after_s)},
    )


def broken_body(kind: Kind, body: bytes) -> bytes:
    """Return what is sent in place of ``body``, a whole completion that was not to be streamed."""
    match kind:
        case Kind.WRONG_JSON:
            return b'{"status":"ok"}'
        case Kind.EMPTY:
            return b""
        case Kind.GARBAGE:
            return body[: len(body) // 2]
        case Kind.BAD_UTF8:
            return body.replace(b'"content":"', b'"content":"\xff\xfe\xc3', 1)
        case Kind.ERROR_MIDSTREAM:
            return wire.dumps(wire.error("The server had an error.", "server_error"))
    return body
