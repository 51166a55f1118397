"""Which requests may send a long body: judged by their head, before any of the body is read.

A photo takes megabytes of disk before Django looks at its form. So the conversation's cookie,
where the request comes from, the room that is left and the rates are looked at first.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, HttpResponse
from django.http.cookie import parse_cookie
from django.middleware.csrf import CsrfViewMiddleware

from chat.conversations import cookie
from chat.core import rate_limits
from chat.core.client_address import (
    network_prefix,
    origin_allowed,
    request_origin,
    scope_address,
    scope_headers,
)
from chat.core.errors import AssistantUnavailable, ChatError, Forbidden, SessionNotFound
from chat.core.lookups import look_up
from chat.shop.photos.processor import MAX_BYTES, PHOTO_PROCESSOR
from chat.shop.photos.quota import check_disk

logger = logging.getLogger(__name__)

Scope = Mapping[str, Any]

PHOTOS = "/photos/"
#: What anybody may send in the admin, like the form of the login.
MAX_ANONYMOUS_BYTES = 64 * 1024
LONGEST_CHECK_S = 5.0


class PhotosAway(AssistantUnavailable):
    """The database or the disk does not answer."""

    message = "Les photos sont momentanément indisponibles. Réessayez dans quelques minutes."

    def __init__(self) -> None:
        super().__init__(retry_after_s=60)


async def admit(scope: Scope) -> str:
    """Judge the head of a request that may have a long body.

    Returns:
        Whom the body counts for: the network that the client's address belongs to.

    Raises:
        ChatError: it is not taken, and why.
    """
    headers = scope_headers(scope)
    address = scope_address(scope)
    if scope["path"] == PHOTOS:
        session_id = cookie.session_id_from(parse_cookie(headers.get("cookie", "")))
        if session_id is None:
            raise SessionNotFound
        check_source(scope, headers)
        await count_photo(session_id, address, _declared_bytes(headers, MAX_BYTES))
    elif _declared_bytes(headers, MAX_ANONYMOUS_BYTES + 1) > MAX_ANONYMOUS_BYTES:
        key = parse_cookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
        if key is None or not await _query(_is_staff, key):
            raise Forbidden
        await _query(check_disk)
    return network_prefix(address)


def sender_of(scope: Scope) -> str:
    """Return whom a body counts for: the network that the client's address belongs to."""
    return network_prefix(scope_address(scope))


async def count_photo(session_id: str, address: str, size_bytes: int) -> None:
    """Look whether there is room, and count one photo of so many bytes.

    Raises:
        PhotosFull, PhotosAway:
        RateLimited: for this visitor, or for the address.
    """
    await _query(_check_room)
    await rate_limits.check_photo(session_id, address)
    await rate_limits.check_photo_bytes(address, size_bytes)


def check_source(scope: Scope, headers: Mapping[str, str]) -> None:
    """Refuse a form of another site by what its head says.

    A script's request has its token in a header, which is checked as Django does. A form's token
    is in its body and is checked later; its head must come from a page of ours as far as it says
    from where, and a browser always does.

    Raises:
        Forbidden:
    """
    if "x-csrftoken" in headers:
        is_good = _has_good_token(scope, headers)
    else:
        own = request_origin(headers, scope["scheme"], settings.ENV.trusted_proxies)
        source = headers.get("origin", _origin_of(headers.get("referer")))
        has_cookie = settings.CSRF_COOKIE_NAME in parse_cookie(headers.get("cookie", ""))
        is_good = has_cookie and origin_allowed(source, own, settings.CSRF_TRUSTED_ORIGINS)
    if not is_good:
        raise Forbidden("Rechargez la page, puis envoyez à nouveau.")


def _has_good_token(scope: Scope, headers: Mapping[str, str]) -> bool:
    request = HttpRequest()
    request.method = "POST"
    request.path = scope["path"]
    request.COOKIES = parse_cookie(headers.get("cookie", ""))
    request.META = {f"HTTP_{name.upper().replace('-', '_')}": headers[name] for name in headers}
    middleware = CsrfViewMiddleware(_answer)
    middleware.process_request(request)
    return middleware.process_view(request, _answer, (), {}) is None


def _answer(_request: HttpRequest) -> HttpResponse:
    """Stand for the view, which nobody calls here."""
    return HttpResponse()


def _origin_of(referer: str | None) -> str | None:
    """``"https://shop.example/photos/"`` becomes ``"https://shop.example"``."""
    return None if referer is None else "/".join(referer.split("/", 3)[:3])


def _declared_bytes(headers: Mapping[str, str], otherwise: int) -> int:
    declared = headers.get("content-length", "")
    return int(declared) if declared.isdigit() else otherwise


def _is_staff(session_key: str) -> bool:
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return bool(user.is_active and getattr(user, "is_staff", False))


def _check_room() -> None:
    PHOTO_PROCESSOR.get().quota.check()


async def _query(ask: Callable[..., Any], *arguments: str) -> Any:
    """Return what database and disk answer.

    Raises:
        PhotosAway: they do not.
    """
    try:
        return await look_up(ask, *arguments, longest_s=LONGEST_CHECK_S)
    except ChatError:
        raise
    except Exception as error:
        logger.warning("a long body is refused: %s", type(error).__name__)
        raise PhotosAway from error
