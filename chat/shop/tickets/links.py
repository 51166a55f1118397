"""Signed link with which a customer follows one ticket without an account.

The link expires some time after the last public event of the ticket, and is revoked by changing
the ticket's ``link_version``. Links of version 0 have the format that existed before versions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

if TYPE_CHECKING:
    from chat.shop.tickets.models import Ticket

_SALT = "chat.tickets.follow"
#: Maximum length of a token; longer ones are refused.
MAX_TOKEN_CHARS = 120
_CLAIM = re.compile(r"(?P<number>[^.]+)(?:\.(?P<version>[1-9]\d{0,8}))?\Z")


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """Verified content of a link."""

    number: str
    version: int


def sign_token(number: str, version: int = 0) -> str:
    """Sign a token for the page's URL: ``"SAV-2026-00042:…"``, or ``"SAV-2026-00042.3:…"``."""
    return Signer(salt=_SALT).sign(f"{number}.{version}" if version else number)


def verify_token(token: str) -> LinkTarget | None:
    """Verify a token; return its content, None if the signature is invalid."""
    if len(token) > MAX_TOKEN_CHARS:
        return None
    try:
        signed = _CLAIM.match(Signer(salt=_SALT).unsign(token))
    except BadSignature:
        return None
    return LinkTarget(signed["number"], int(signed["version"] or 0)) if signed else None


def follow_path(ticket: Ticket) -> str:
    """Return the path of the customer's page of a ticket: ``"/suivi/SAV-2026-00042:…/"``."""
    return reverse("chat:ticket", args=[sign_token(ticket.number or "", ticket.link_version)])


def follow_url(ticket: Ticket) -> str:
    """Return the absolute URL of the customer's page of a ticket, for e-mails."""
    return f"{settings.ENV.site_url}{follow_path(ticket)}"


def expires_at(last_event_at: datetime, sent_at: datetime | None, days: int) -> datetime | None:
    """Return when a ticket's link expires; None for never. Pure.

    ``last_event_at``: time of the last public event. ``sent_at``: when staff last sent a new link.
    """
    if not days:
        return None
    return max(last_event_at, sent_at or last_event_at) + timedelta(days=days)
