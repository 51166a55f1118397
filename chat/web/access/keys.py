"""API keys as text: made, taken apart, compared. Pure.

A key is ``mdf_<prefix>_<secret>``: the prefix finds its row, the secret proves it. The secret has
256 random bits, so one SHA-256 without salt keeps it; a slow hash guards guessable passwords.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

_KEY = re.compile(r"mdf_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class NewKey:
    """``text`` is shown to its holder once; only ``prefix`` and ``secret_hash`` are kept."""

    text: str
    prefix: str
    secret_hash: str


def new_key() -> NewKey:
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return NewKey(f"mdf_{prefix}_{secret}", prefix, hash_of(secret))


def split_key(text: str) -> tuple[str, str] | None:
    """Return prefix and secret, or None when this is no key of ours."""
    match = _KEY.fullmatch(text)
    return (match[1], match[2]) if match else None


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def is_same(one_hash: str, other_hash: str) -> bool:
    """Compare in a time that does not tell how much is right."""
    return hmac.compare_digest(one_hash, other_hash)
