"""Where WebSockets lead."""

from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from django.urls import path, re_path

from chat.web.sockets.adviser import AdviserConsumer
from chat.web.sockets.customer import CustomerConsumer

CLOSE_NOT_FOUND = 4404


async def nowhere(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Any other address: said with a code, since a refused handshake is a bare 1006 in browsers."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": CLOSE_NOT_FOUND})


# Logins are read for the desk alone: a customer's socket costs no session and no query.
# Channels routes with Django's path(), but the stubs of the two disagree on it.
websocket = URLRouter(
    [
        path("ws/chat/", CustomerConsumer.as_asgi()),  # type: ignore[arg-type, list-item]
        re_path(
            r"^ws/desk/(?P<ref>[0-9a-f]{16})/\Z",
            AuthMiddlewareStack(AdviserConsumer.as_asgi()),  # type: ignore[arg-type, list-item]
        ),
        re_path(r"", nowhere),  # type: ignore[arg-type, list-item]
    ]
)
