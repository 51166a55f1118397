"""ASGI entry point: HTTP to Django by two ways, WebSockets to ``chat.routing``."""

from __future__ import annotations

import os
import re
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meuble_project.settings")
pages = get_asgi_application()  # before anything that imports models

from channels.routing import ProtocolTypeRouter  # noqa: E402
from channels.sessions import CookieMiddleware  # noqa: E402
from django.conf import settings  # noqa: E402
from django.middleware.clickjacking import XFrameOptionsMiddleware  # noqa: E402
from django.middleware.csrf import CsrfViewMiddleware  # noqa: E402
from django.middleware.security import SecurityMiddleware  # noqa: E402
from servestatic.middleware import ServeStaticMiddleware  # noqa: E402

from chat.routing import websocket  # noqa: E402
from meuble_project.body_limit import BodyLimit  # noqa: E402
from meuble_project.compression import PageGZipMiddleware  # noqa: E402
from meuble_project.headers import add_headers  # noqa: E402
from meuble_project.lean import (  # noqa: E402
    LeanHandler,
    add_policy,
    check_host,
    on_the_loop,
    set_length,
)

#: What programs, probes and browsers ask without being anybody.
LEAN_PATHS = re.compile(rf"/(api|healthz|readyz|metrics)(/|\Z)|{re.escape(settings.STATIC_URL)}")

PROTECTING = [
    on_the_loop(SecurityMiddleware, XFrameOptionsMiddleware),
    add_policy,
    add_headers,
]
lean = LeanHandler([*PROTECTING, ServeStaticMiddleware, set_length, check_host])
#: For the customers' page alone, which asks neither the database nor who is logged in.
page = LeanHandler(
    [*PROTECTING, set_length, on_the_loop(PageGZipMiddleware, CsrfViewMiddleware), check_host]
)


async def http(scope: Any, receive: Any, send: Any) -> None:
    """Send the request the short way where it needs no more."""
    await _handler_for(scope)(scope, receive, send)


def _handler_for(scope: Any) -> Any:
    if LEAN_PATHS.match(scope["path"]):
        return lean
    is_page = scope["path"] == "/" and scope["method"] in ("GET", "HEAD")
    return page if is_page else pages


application = ProtocolTypeRouter(
    {"http": BodyLimit(http), "websocket": CookieMiddleware(websocket)}
)
