"""The link by which a customer follows a ticket without an account: signed, for that one only."""

from __future__ import annotations

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

_SALT = "chat.tickets.follow"
#: Longer ones are nobody's.
MAX_TOKEN_CHARS = 120


def token_of(number: str) -> str:
    """``"SAV-2026-00042:…"``, for the address of the ticket's page."""
    return Signer(salt=_SALT).sign(number)


def number_of(token: str) -> str | None:
    """Return the number that this token was made for, or None when nobody here made it."""
    if len(token) > MAX_TOKEN_CHARS:
        return None
    try:
        return Signer(salt=_SALT).unsign(token)
    except BadSignature:
        return None


def follow_path(number: str) -> str:
    """``"/suivi/SAV-2026-00042:…/"``: the customer's page of this ticket."""
    return reverse("chat:ticket", args=[token_of(number)])


def follow_url(number: str) -> str:
    """The same with the site's address, for e-mails."""
    return f"{settings.ENV.site_url}{follow_path(number)}"
