"""Formats of ids and timestamps on the wire and in the store."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import UTC, datetime

#: Format of ids that are chosen by others: a session id by a program, a message id by a client.
ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,100}\Z")


def new_id() -> str:
    """Return an unguessable id: 160 random bits, 27 URL-safe characters."""
    return secrets.token_urlsafe(20)


def is_id(value: object) -> bool:
    return isinstance(value, str) and ID_PATTERN.match(value) is not None


def ref_of(session_id: str) -> str:
    """Return a hash of 16 hex digits that replaces a session id in logs and URLs."""
    return hashlib.blake2s(session_id.encode(), digest_size=8).hexdigest()


def isoformat(moment: datetime) -> str:
    """Format a timestamp for the wire and the store: ``2026-11-23T09:30:00.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
