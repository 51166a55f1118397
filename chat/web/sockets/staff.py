"""Who looks at a conversation from the desk, read from the login anew each time."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

WATCH = "chat.view_chatsession"


@dataclass(frozen=True, slots=True)
class Viewer:
    """``id``: primary key of the user as text, as an ``Adviser`` has it."""

    id: str
    may_watch: bool


def viewer_of(session_key: str | None) -> Viewer | None:
    """Return who holds this login session now, None when nobody does any more.

    Django checks that the login was not ended, the password is still the one it began with and
    the user is active. Nothing is kept from one call to the next.
    """
    request: Any = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    if not user.is_authenticated:
        return None
    return Viewer(str(user.pk), user.is_staff and user.has_perm(WATCH))


# Not on the one thread that every other view waits for.
aviewer_of = database_sync_to_async(viewer_of, thread_sensitive=False)
