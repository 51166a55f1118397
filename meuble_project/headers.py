"""What browsers are told on every answer, besides what Django and django-csp tell them."""

from __future__ import annotations

from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

#: No page of ours uses any of these: a script that got in could not either.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "browsing-topics", "camera", "display-capture", "geolocation"),
        *("gyroscope", "hid", "microphone", "midi", "payment", "serial", "usb"),
    )
)
HEADERS = {
    "Permissions-Policy": PERMISSIONS_POLICY,
    #: Other sites do not load our answers as images, scripts or styles of theirs.
    "Cross-Origin-Resource-Policy": "same-origin",
}


@sync_and_async_middleware
def add_headers(get_response: Any) -> Any:
    """Middleware for both ways through Django, without a thread of its own."""
    if iscoroutinefunction(get_response):

        async def respond(request: HttpRequest) -> HttpResponseBase:
            return _with_headers(await get_response(request))

        return respond

    def respond_now(request: HttpRequest) -> HttpResponseBase:
        return _with_headers(get_response(request))

    return respond_now


def _with_headers(response: HttpResponseBase) -> HttpResponseBase:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
