"""What is asked about API keys."""

from __future__ import annotations

from dataclasses import dataclass

from chat.web.access.models import ApiKey


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that is not revoked, as the gate keeps it. ``owner``: see ``ApiKey.owner``."""

    id: int
    owner: str
    secret_hash: str


def find_key(prefix: str) -> KnownKey | None:
    """Return the key with this prefix, unless it is revoked."""
    key = ApiKey.objects.filter(prefix=prefix, revoked_at=None).first()
    return KnownKey(key.pk, key.owner, key.secret_hash) if key else None
