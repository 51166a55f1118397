"""Bodies have a limit whatever server runs the application; ours refuses them earlier."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chat.errors import PayloadTooLarge
from meuble_project.server.limits import body_limit, problem

Event = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


class BodyLimit:
    """ASGI middleware: answers 413 once a body is too long, and reads no more of it."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        limit = body_limit(scope["path"])
        received_bytes = 0

        async def counted() -> Event:
            nonlocal received_bytes
            event = await receive()
            received_bytes += len(event.get("body", b""))
            if received_bytes > limit:
                raise PayloadTooLarge
            return event

        try:
            if _declared_bytes(scope) > limit:
                raise PayloadTooLarge
            await self._inner(scope, counted, send)
        except PayloadTooLarge as error:
            headers, body = problem(error)
            start = {"type": "http.response.start", "status": error.status, "headers": headers}
            await send(start)
            await send({"type": "http.response.body", "body": body})


def _declared_bytes(scope: Mapping[str, Any]) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
