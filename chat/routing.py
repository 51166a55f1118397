"""Where WebSockets lead."""

from __future__ import annotations

from typing import Any

from channels.routing import URLRouter
from django.urls import path, re_path

from chat.consumers.customer import CustomerConsumer

CLOSE_NOT_FOUND = 4404


async def nowhere(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Any other address: said with a code, since a refused handshake is a bare 1006 in browsers."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": CLOSE_NOT_FOUND})


# Channels routes with Django's path(), but the stubs of the two disagree on it.
websocket = URLRouter(
    [
        path("ws/chat/", CustomerConsumer.as_asgi()),  # type: ignore[arg-type, list-item]
        re_path(r"", nowhere),  # type: ignore[arg-type, list-item]
    ]
)
