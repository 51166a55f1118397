"""ASGI entry point: HTTP to Django by two ways, WebSockets to ``WEBSOCKET_ROUTES``."""

from __future__ import annotations

import os
import re
from functools import partial
from importlib import import_module
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
from django.utils.module_loading import import_string  # noqa: E402
from servestatic.middleware import ServeStaticMiddleware  # noqa: E402

from meuble_project.compression import PageGZipMiddleware  # noqa: E402
from meuble_project.headers import add_headers  # noqa: E402
from meuble_project.lifespan import WithBackground  # noqa: E402
from meuble_project.minimal_handler import (  # noqa: E402
    MinimalASGIHandler,
    add_policy,
    check_host,
    set_length,
    sync_middleware,
)
from server.body_limit import BodyLimit  # noqa: E402

#: What programs, probes and browsers ask without being anybody.
LEAN_PATHS = re.compile(rf"/(api|healthz|readyz|metrics)(/|\Z)|{re.escape(settings.STATIC_URL)}")

PROTECTING = [
    sync_middleware(SecurityMiddleware, XFrameOptionsMiddleware),
    add_policy,
    add_headers,
]
minimal = MinimalASGIHandler([*PROTECTING, ServeStaticMiddleware, set_length, check_host])
#: For the customers' page alone, which asks neither the database nor who is logged in.
page = MinimalASGIHandler(
    [*PROTECTING, set_length, sync_middleware(PageGZipMiddleware, CsrfViewMiddleware), check_host]
)


async def http(scope: Any, receive: Any, send: Any) -> None:
    """Send the request the short way where it needs no more."""
    await _handler_for(scope)(scope, receive, send)


def _handler_for(scope: Any) -> Any:
    if LEAN_PATHS.match(scope["path"]):
        return minimal
    is_page = scope["path"] == "/" and scope["method"] in ("GET", "HEAD")
    return page if is_page else pages


# The product is named by the settings, never imported.
tasks: Any = import_module(settings.WORKER_TASKS)
connections = ProtocolTypeRouter(
    {
        "http": BodyLimit(http, import_string(settings.BODY_ADMISSION)),
        "websocket": CookieMiddleware(import_string(settings.WEBSOCKET_ROUTES)),
    }
)
application = WithBackground(
    connections,
    ensure_started=tasks.ensure_started,
    is_started=tasks.is_started,
    refuses=not settings.ENV.debug,
    stop=partial(tasks.stop_worker, settings.ENV.shutdown_grace_s),
)
