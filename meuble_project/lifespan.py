"""Runs the background tasks under any ASGI server.

``manage.py serve`` runs them itself. Another server is asked through ASGI's lifespan messages; one
that sends none (the ``daphne`` command, ``uvicorn --lifespan off``) would not tell when it stops,
and what this process alone has would be lost: it serves nobody, unless ``DEBUG=1``, where its first
connection starts the tasks. Source: asgi.readthedocs.io/en/latest/specs/lifespan.html.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

logger = logging.getLogger(__name__)

Application = Callable[[Any, Any, Any], Awaitable[None]]


class WithBackground:
    """Wraps an ASGI application.

    ``ensure_started``: starts the background tasks on the running event loop; True when this call
    did. ``is_started``: whether they run there. ``stop``: called once when the server shuts down.
    ``refuses``: whether nobody is served while they do not run.
    """

    def __init__(
        self,
        application: Application,
        *,
        ensure_started: Callable[[], bool],
        is_started: Callable[[], bool],
        refuses: bool,
        stop: Callable[[], Awaitable[None]],
    ) -> None:
        self._application = application
        self._ensure_started = ensure_started
        self._is_started = is_started
        self._refuses = refuses
        self._has_told = False
        self._stop = stop

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if self._refuses and not self._is_started():
            await self._refuse(scope, send)
            return
        if self._ensure_started():
            logger.warning(
                "this server sends no lifespan messages: start `manage.py serve` instead"
            )
        await self._application(scope, receive, send)

    async def _refuse(self, scope: Any, send: Any) -> None:
        if not self._has_told:
            logger.error(
                "nobody is served: this server sends no lifespan messages, so that what is in "
                "memory would be lost when it stops; start `manage.py serve`, or uvicorn with "
                "--lifespan on"
            )
        self._has_told = True
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1013})
            return
        headers = [(b"content-length", b"0"), (b"retry-after", b"5")]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body"})

    async def _live(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._ensure_started()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                try:
                    await self._stop()
                except Exception:
                    logger.exception("stopping failed")
                await send({"type": "lifespan.shutdown.complete"})
                return
