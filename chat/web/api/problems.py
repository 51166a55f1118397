"""Errors as the API tells them: RFC 9457 ``application/problem+json`` with our ``code``."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterable

from django.http import HttpResponse

from chat.core import metrics
from chat.core.errors import BY_CODE, OF_PHOTOS, ChatError, Internal

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
#: 429 and 503 always say when to come back; this when nobody knows better.
RETRY_AFTER_S = 5
#: Where the ``type`` of a problem leads: the row of its code.
DOCS_PATH = "/api/docs"


class NotFound(ChatError):
    """No such address."""

    code = "not_found"
    status = 404
    message = "Cette adresse n'existe pas."


class MethodNotAllowed(ChatError):
    code = "method_not_allowed"
    status = 405
    message = "Cette adresse ne répond pas à cette méthode."

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        super().__init__()
        self.allowed = ", ".join(allowed)


#: Every error the API may tell, by code: those of all doors and those of HTTP alone.
ALL_BY_CODE: dict[str, type[ChatError]] = {
    **BY_CODE,
    NotFound.code: NotFound,
    MethodNotAllowed.code: MethodNotAllowed,
}


def problem(error: ChatError) -> HttpResponse:
    """Return the answer that tells a program what went wrong."""
    metrics.api_errors.labels(code=error.code).inc()
    body = {
        "type": f"{DOCS_PATH}#{error.code}",
        "title": (ALL_BY_CODE | OF_PHOTOS)[error.code].message,
        "status": error.status,
        "detail": error.message,
        "code": error.code,
    }
    if isinstance(error, Internal):
        body["error_id"] = error.error_id
    return HttpResponse(
        json.dumps(body, ensure_ascii=False),
        status=error.status,
        content_type=CONTENT_TYPE,
        headers=_headers(error),
    )


def _headers(error: ChatError) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    retry_after_s = error.retry_after_s
    if retry_after_s is None and error.status in (429, 503):
        retry_after_s = RETRY_AFTER_S
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = error.allowed
    return headers


def logged(error: Exception) -> Internal:
    """Log a bug with its traceback; return what its user is told, with the id to find it."""
    error_id = secrets.token_hex(6)
    logger.error("a request failed, error_id=%s", error_id, exc_info=error)
    return Internal(error_id)
