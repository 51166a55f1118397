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
from csp.middleware import CSPMiddleware  # noqa: E402
from django.conf import settings  # noqa: E402
from django.middleware.clickjacking import XFrameOptionsMiddleware  # noqa: E402
from django.middleware.security import SecurityMiddleware  # noqa: E402
from servestatic.middleware import ServeStaticMiddleware  # noqa: E402

from chat.routing import websocket  # noqa: E402
from meuble_project.body_limit import BodyLimit  # noqa: E402
from meuble_project.headers import add_headers  # noqa: E402
from meuble_project.lean import LeanHandler, check_host, on_the_loop, set_length  # noqa: E402

#: What programs, probes and browsers ask without being anybody.
LEAN_PATHS = re.compile(rf"/(api|healthz|readyz|metrics)(/|\Z)|{re.escape(settings.STATIC_URL)}")

lean = LeanHandler(
    [
        on_the_loop(SecurityMiddleware, XFrameOptionsMiddleware, CSPMiddleware),
        add_headers,
        ServeStaticMiddleware,
        set_length,
        check_host,
    ]
)


async def http(scope: Any, receive: Any, send: Any) -> None:
    """Send the request the short way where it needs no more."""
    handler = lean if LEAN_PATHS.match(scope["path"]) else pages
    await handler(scope, receive, send)


application = ProtocolTypeRouter(
    {"http": BodyLimit(http), "websocket": CookieMiddleware(websocket)}
)
