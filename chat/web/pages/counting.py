"""Pages that show no conversation, counted by the address that asks for them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chat.core import rate_limits
from chat.core.client_address import request_address
from chat.core.errors import RateLimited
from chat.web.pages.pages import too_many_pages

AsyncView = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def counted(view: Callable[..., Any]) -> AsyncView:
    """Count each request as a page of its address, and refuse one too many before the view.

    Counted on the event loop, where the other pages are counted as well; a view that is no
    coroutine function runs in the thread of its request, as Django runs it.
    """
    ask: AsyncView = view if iscoroutinefunction(view) else sync_to_async(view)

    @wraps(view)
    async def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            rate_limits.check_page("", request_address(request))
        except RateLimited as limited:
            return too_many_pages(request, limited)
        return await ask(request, *args, **kwargs)

    return wrapped
