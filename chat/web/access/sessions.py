"""Login sessions of the staff: ended everywhere at once."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.cached_db import KEY_PREFIX
from django.contrib.sessions.models import Session
from django.core.cache import caches

from chat.core import clock

_PROBE = "chat:logins-probe"
CHUNK = 200


class LoginsUnreachable(Exception):
    """Redis did not answer: some logins of this user may go on. To be tried again."""


def end_logins(user_id: int, *, chunk: int = CHUNK) -> int:
    """Log this user out of every browser, in all workers; return how many logins ended.

    ``chunk``: rows read, and logins ended, at a time.

    Raises:
        LoginsUnreachable:
    """
    keys = list(_keys_of(user_id, chunk))
    for start in range(0, len(keys), chunk):
        _end(keys[start : start + chunk])
    return len(keys)


def _keys_of(user_id: int, chunk: int) -> Iterator[str]:
    """Only the staff has rows: what is read is bounded by the logins of 24 hours."""
    live = Session.objects.filter(expire_date__gt=clock.now())
    for row in live.iterator(chunk_size=chunk):
        if str(row.get_decoded().get(SESSION_KEY)) == str(user_id):
            yield row.session_key


def _end(session_keys: list[str]) -> None:
    """Forget them in the cache, then in the database: an error in between can be repeated.

    Raises:
        LoginsUnreachable: nothing was forgotten in the database.
    """
    forget_cached(session_keys)
    Session.objects.filter(session_key__in=session_keys).delete()
    forget_cached(session_keys)  # a page that was loading may have put one back


def forget_cached(session_keys: list[str]) -> None:
    """Forget these logins in the cache, and see that it was done: its errors pass in silence.

    Raises:
        LoginsUnreachable:
    """
    cache, token = caches[settings.SESSION_CACHE_ALIAS], secrets.token_hex(8)
    cache_keys = [KEY_PREFIX + key for key in session_keys]
    cache.delete_many(cache_keys)
    cache.set(_PROBE, token, 10)
    if cache.get_many([*cache_keys, _PROBE]) != {_PROBE: token}:
        raise LoginsUnreachable
