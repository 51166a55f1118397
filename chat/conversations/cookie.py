"""Which session a browser owns: one signed cookie, read by views and consumers alike."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.core import signing
from django.http import HttpResponse

from chat.core.ids import new_id

NAME = "chat_session"
#: Browsers take a cookie of such a name from this very host over HTTPS only: no other page of the
#: shop's domain can have a customer write in a session of its own. Source: RFC 6265bis, 4.1.3.2.
SECURE_NAME = f"__Host-{NAME}"
_signer = signing.Signer(salt="chat.sessions.cookie")


def new_session_id() -> str:
    """Return an unguessable id."""
    return new_id()


def sign(session_id: str) -> str:
    return _signer.sign(session_id)


def name() -> str:
    return SECURE_NAME if settings.ENV.cookie_secure else NAME


def session_id_from(cookies: Mapping[str, str]) -> str | None:
    """Return the session id, or None when the cookie is absent or was tampered with."""
    try:
        return _signer.unsign(cookies[name()])
    except (KeyError, signing.BadSignature):
        return None


def give(response: HttpResponse, session_id: str) -> None:
    """Have the browser keep this session, a little longer than the session itself lives:
    so its owner can be told that it expired.
    """
    response.set_cookie(
        name(),
        sign(session_id),
        max_age=2 * settings.ENV.session_ttl_s,
        httponly=True,
        samesite="Lax",
        secure=settings.ENV.cookie_secure,
    )
