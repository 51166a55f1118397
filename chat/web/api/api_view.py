"""The one way into the API: who asks, how often, with which method; and how errors go out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import View

from chat.core.client_address import network_prefix, request_address
from chat.core.errors import ChatError, Unauthorized
from chat.core.rate_limits import check_api
from chat.web.access.authenticator import AUTHENTICATOR
from chat.web.api.problems import MethodNotAllowed, logged, problem

#: Owner of the sessions made without a key, where the API is open.
OPEN_OWNER = "api"


class ApiView(View):
    """``owner``: whose sessions this request may reach. ``public``: no key is asked for."""

    public = False
    owner = ""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., HttpResponseBase]:
        """Without the check against forged requests of browsers: no cookie opens anything here."""
        view = super().as_view(**initkwargs)
        view.csrf_exempt = True  # type: ignore[attr-defined]
        return view

    async def dispatch(  # type: ignore[override]
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        try:
            response = await self._serve(request, **kwargs)
        except ChatError as error:
            return problem(error)
        except Exception as error:  # noqa: BLE001 - logged with an id; nothing of it goes out
            return problem(logged(error))
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    async def _serve(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        allowed = [name.upper() for name in self.http_method_names if hasattr(self, name)]
        if request.method == "OPTIONS":
            return no_content({"Allow": ", ".join(allowed)})
        if request.method not in allowed:
            raise MethodNotAllowed(allowed)
        if not self.public:
            self.owner = await owner_of(request)
        response: HttpResponseBase = await getattr(self, request.method.lower())(request, **kwargs)
        return response


def no_content(headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Return 204, without the type that Django gives to a content."""
    response = HttpResponse(status=204, headers=dict(headers or {}))
    del response.headers["Content-Type"]
    return response


async def owner_of(request: HttpRequest) -> str:
    """Return who asks, after counting the request against their limit.

    Raises:
        Unauthorized: no key where one is needed, or one that is not right.
        RateLimited:
        AssistantUnavailable: the database cannot say whether the key is right.
    """
    header = request.headers.get("Authorization")
    if header is None:
        if not settings.ENV.debug:
            raise Unauthorized
        await check_api(f"address {network_prefix(request_address(request))}")
        return OPEN_OWNER
    scheme, _, key = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized
    authenticator = AUTHENTICATOR.get()
    if not authenticator.knows(key.strip()):
        # Whoever tries keys is stopped before the database is asked.
        await check_api(f"stranger {network_prefix(request_address(request))}")
    owner = await authenticator.owner_of(key.strip())
    await check_api(owner)
    return owner
