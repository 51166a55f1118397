"""Bodies have a limit whatever server runs the application; ours refuses them earlier."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chat.core.client_address import ADMITTED
from chat.core.errors import ChatError, PayloadTooLarge
from server.limits import MAX_BODY_BYTES, body_limit, refusal

Event = dict[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Admit = Callable[[Event], Awaitable[object]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]


class BodyLimit:
    """ASGI middleware: answers 413 once a body is too long, and reads no more of it.

    ``admit``: judges a request that may have a long body before any of it is read, unless the
    server has asked it already; raises ``ChatError`` to refuse the request.
    """

    def __init__(self, inner: Application, admit: Admit) -> None:
        self._inner = inner
        self._admit = admit

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        is_post = scope["method"] == "POST"
        limit = body_limit(scope["path"]) if is_post else MAX_BODY_BYTES
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
            if limit > MAX_BODY_BYTES and not scope.get(ADMITTED):
                await self._admit(scope)
                scope = {**scope, ADMITTED: True}
            await self._inner(scope, counted, send)
        except ChatError as error:
            accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
            headers, body = refusal(error, accepted)
            start = {"type": "http.response.start", "status": error.status, "headers": headers}
            await send(start)
            await send({"type": "http.response.body", "body": body})


def _declared_bytes(scope: Mapping[str, Any]) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
