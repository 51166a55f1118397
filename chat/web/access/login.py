"""Who tries passwords is stopped: after five for one name from one address, for 15 minutes.

Each try is counted before the password is looked at, so tries sent together are not let pass
together. Counted in the cache by all workers, or by each worker alone while Redis is away. Names
and addresses are kept as keyed hashes: people type passwords into the field of the name.
"""

from __future__ import annotations

import logging
import unicodedata
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.cache import BaseCache, cache
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.deprecation import MiddlewareMixin

from chat.core.client_address import network_prefix, request_address
from chat.core.rate_limits import hashed
from chat.core.runtime import Part

logger = logging.getLogger(__name__)

TRIES = 5
LOCKED_S = 15 * 60
KEY_PREFIX = "chat:login:"


@dataclass(frozen=True, slots=True)
class LoginRules:
    """How many tries are allowed in ``LOCKED_S``.

    ``tries``: for one name from one address. ``tries_of_address``: whatever the names, since each
    costs a slow hash, and names can be guessed too.
    """

    tries: int = TRIES
    tries_of_address: int = 50


LOGIN_RULES: Part[LoginRules] = Part("login rules", LoginRules)


def build_login_tries() -> LocMemCache:
    return LocMemCache("login", {"MAX_ENTRIES": 10_000})


#: Tries that this worker counts alone while Redis does not answer. Closing clears it: Django keeps
#: the values of a ``LocMemCache`` for the process, by its name.
LOGIN_TRIES: Part[LocMemCache] = Part("login tries", build_login_tries, close=LocMemCache.clear)


class LoginLocked(Exception):
    """Too many tries: the password was not looked at."""


class ThrottledBackend(ModelBackend):
    """Django's users and rights, with tries counted for whoever comes with a request."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Return the user whose password this is.

        Raises:
            LoginLocked:
        """
        if request is None:
            return super().authenticate(request, username, password, **kwargs)
        tries = LoginTries(username or "", request_address(request))
        tries.begin()
        user = super().authenticate(request, username, password, **kwargs)
        if user is not None:
            tries.forget()
        return user

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        return await sync_to_async(self.authenticate)(request, username, password, **kwargs)


class LoginTries:
    """The tries for one name from one address."""

    def __init__(self, username: str, address: str) -> None:
        self._rules = LOGIN_RULES.get()
        near = network_prefix(address)
        name = unicodedata.normalize("NFKC", username).strip().casefold()
        self._of_name = KEY_PREFIX + hashed(f"{near} {name}")
        self._of_address = KEY_PREFIX + hashed(near)

    def begin(self) -> None:
        """Count one try.

        Raises:
            LoginLocked:
        """
        try:
            allowed = self._count_in(cache)
        except Exception as error:  # noqa: BLE001 - no failure of Redis may open or close this door
            logger.warning("logins are counted by this worker alone: %s", type(error).__name__)
            allowed = self._count_in(LOGIN_TRIES.get())
        if not allowed:
            logger.warning("a login is locked: too many tries")
            raise LoginLocked

    def forget(self) -> None:
        """The last try was right: forgive those for this name, and take it off the address."""
        for store in (cache, LOGIN_TRIES.get()):
            try:
                store.delete(self._of_name)
                store.decr(self._of_address)
            except Exception as error:  # noqa: BLE001 - as far as can be
                logger.debug("tries were not forgiven: %s", type(error).__name__)

    def _count_in(self, store: BaseCache) -> bool:
        """Return whether this try is one of those allowed."""
        rules = self._rules
        of_address = _increment(store, self._of_address, rules.tries_of_address)
        of_name = _increment(store, self._of_name, rules.tries)
        return of_address <= rules.tries_of_address and of_name <= rules.tries


def _increment(store: BaseCache, key: str, allowed: int) -> int:
    """Count one more; the last that is allowed begins the full time of the lock."""
    store.add(key, 0, LOCKED_S)
    try:
        count = store.incr(key)
    except ValueError:  # it ended in between
        store.set(key, 1, LOCKED_S)
        return 1
    if count == allowed:
        store.touch(key, LOCKED_S)
    return count


class LockedPage(MiddlewareMixin):
    """Answers ``LoginLocked`` with a page that says when to come back."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, LoginLocked):
            return None
        return TemplateResponse(
            request,
            "admin/login_locked.html",
            {"minutes": LOCKED_S // 60, "title": "Connexion suspendue"},
            status=429,
            headers={"Retry-After": str(LOCKED_S), "Cache-Control": "no-store"},
        )
