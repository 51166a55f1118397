"""What can be done to an API key. Everything that writes one is here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q

from chat.core import clock
from chat.web.access.keys import new_key
from chat.web.access.models import ApiKey

#: ``last_used_at`` is not written more often.
USE_PRECISION_S = 60


def create_key(name: str) -> tuple[ApiKey, str]:
    """Make a key; return its row and its text, which cannot be had again."""
    new = new_key()
    row = ApiKey.objects.create(
        name=name, prefix=new.prefix, secret_hash=new.secret_hash, created_at=clock.now()
    )
    return row, new.text


def revoke_keys(ids: Iterable[int]) -> int:
    """Refuse these keys from now on; workers know within a second. Return how many changed."""
    live = ApiKey.objects.filter(pk__in=list(ids), revoked_at=None)
    return live.update(revoked_at=clock.now())


def note_use(key_id: int) -> None:
    """Keep when the key was last used, to the minute, whichever worker it was."""
    now = clock.now()
    before = now - timedelta(seconds=USE_PRECISION_S)
    stale = Q(last_used_at=None) | Q(last_used_at__lt=before)
    ApiKey.objects.filter(stale, pk=key_id).update(last_used_at=now)
