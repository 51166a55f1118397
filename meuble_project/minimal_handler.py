"""The short way through Django, for requests that need no login, no form and no page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from csp.constants import HEADER
from csp.utils import build_policy
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix, set_urlconf

GetResponse = Callable[[HttpRequest], Awaitable[HttpResponseBase]]
Middleware = Callable[[GetResponse], GetResponse]


class MinimalASGIHandler(ASGIHandler):
    """Django's handler without threads, with the middleware given in place of ``MIDDLEWARE``.

    A request costs 0.4 ms of CPU this way, 1.4 ms with a thread of its own and the two signals
    that visit it, more with ``MIDDLEWARE``. The price: views must be asynchronous and reach the
    database through ``database_sync_to_async``, which closes connections as the signals would.
    Answers are not logged, since their addresses hold ids of sessions; bugs are.
    """

    def __init__(self, middleware: Sequence[Middleware]) -> None:
        self._lean_middleware = middleware
        super().__init__()

    def load_middleware(self, is_async: bool = True) -> None:
        base: Any = self  # undeclared attributes of BaseHandler
        base._view_middleware = []
        base._template_response_middleware = []
        base._exception_middleware = []
        chain: Any = convert_exception_to_response(base._get_response_async)
        for middleware in reversed(self._lean_middleware):
            chain = convert_exception_to_response(middleware(chain))
        base._middleware_chain = chain

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with body:
            set_script_prefix(get_script_prefix(scope))
            request, refusal = self.create_request(scope, body)
            with suppress(RequestAborted):
                async with _unless_left(receive):
                    await self._answer(request, refusal, send)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        set_urlconf(settings.ROOT_URLCONF)
        base: Any = self
        response: HttpResponseBase = await base._middleware_chain(request)
        return response

    async def _answer(self, request: Any, refusal: HttpResponseBase | None, send: Any) -> None:
        response = refusal or await self.run_get_response(request)
        try:
            await self.send_response(response, send)
        finally:
            _close(response)


def _close(response: Any) -> None:
    """Close what it holds, without the signal, which visits what was never opened here."""
    for close in response._resource_closers:
        with suppress(Exception):
            close()
    response._resource_closers.clear()
    response.closed = True


@asynccontextmanager
async def _unless_left(receive: Any) -> AsyncIterator[None]:
    """Cancel what is done inside once the client has left: after the body comes only that.

    Raises:
        RequestAborted: it has.
    """
    task = asyncio.current_task()
    assert task is not None  # nosec B101
    has_left = is_over = False

    def cancel(leaving: asyncio.Future[Any]) -> None:
        nonlocal has_left
        if not (is_over or leaving.cancelled()):
            has_left = True
            task.cancel()

    leaving = asyncio.ensure_future(receive())
    leaving.add_done_callback(cancel)
    try:
        yield
    except asyncio.CancelledError:
        if has_left and task.uncancel() == 0:
            raise RequestAborted from None
        raise
    finally:
        is_over = True
        leaving.cancel()


def sync_middleware(*classes: type[Any]) -> Middleware:
    """Return middleware that does what these do, without their threads.

    ``classes``: middleware of the classic kind, whose ``process_request`` and
    ``process_response`` neither read nor write anything but request and response. What they do
    before a view (``process_view``) is left out.
    """

    def middleware(get_response: GetResponse) -> GetResponse:
        steps = [cls(get_response) for cls in classes]
        enter = [step.process_request for step in steps if hasattr(step, "process_request")]
        leave = [step.process_response for step in steps if hasattr(step, "process_response")]

        async def respond(request: HttpRequest) -> HttpResponseBase:
            response: HttpResponseBase | None = None
            for process_request in enter:
                response = response or process_request(request)
            response = response or await get_response(request)
            for process_response in reversed(leave):
                response = process_response(request, response)
            return response

        return respond

    return middleware


def add_policy(get_response: GetResponse) -> GetResponse:
    """Tell what the settings of django-csp say, which without nonces never changes."""
    policy = build_policy()

    async def respond(request: HttpRequest) -> HttpResponseBase:
        response = await get_response(request)
        if not (settings.DEBUG and response.status_code in (404, 500)):  # Django's own, with styles
            response.headers.setdefault(HEADER, policy)
        return response

    return respond


def check_host(get_response: GetResponse) -> GetResponse:
    """Refuse what was asked under another name than ours, but for probes, which use addresses."""

    async def respond(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith("/api") or request.path == "/":
            request.get_host()  # raises DisallowedHost
        return await get_response(request)

    return respond


def set_length(get_response: GetResponse) -> GetResponse:
    """Say how long the answer is, so that it needs no chunks."""

    async def respond(request: HttpRequest) -> HttpResponseBase:
        response: Any = await get_response(request)
        if not response.streaming and not response.has_header("Content-Length"):
            response["Content-Length"] = str(len(response.content))
        return response  # type: ignore[no-any-return]

    return respond
