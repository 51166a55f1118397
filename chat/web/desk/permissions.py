"""The way to the desk: who comes, with which rights; pages within the admin's frame."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import wraps
from typing import Any

from channels.db import database_sync_to_async
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from chat.conversations.models import ChatSession
from chat.conversations.store.adviser_store import Adviser
from chat.core.errors import ChatError, Forbidden, SessionNotFound, StoreUnavailable

#: Right by right, the permission that gives it.
PERMISSIONS = {
    "see": "chat.view_chatsession",
    "take_over": "chat.takeover_chatsession",
    "end": "chat.end_chatsession",
    "export": "chat.export_chatsession",
    "erase": "chat.erase_chatsession",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Who asks. ``rights``: keys of ``PERMISSIONS``. ``name``: what customers are shown."""

    user_id: int
    name: str
    rights: frozenset[str]

    @property
    def adviser(self) -> Adviser:
        return Adviser(id=str(self.user_id), name=self.name)


class Lost(SessionNotFound):
    """No conversation has this reference any more."""

    message = "Cette conversation a expiré ou a été effacée."


StaffView = Callable[..., Coroutine[Any, Any, HttpResponse]]


def desk_view(right: str) -> Callable[[StaffView], StaffView]:
    """Open a view, given ``(request, staff, **kwargs)``, to staff who have this right and see.

    Strangers are sent to the admin's login and come back. A missing right, a ``Lost`` conversation
    and an unavailable store are told on a page.
    """

    def decorated(view: StaffView) -> StaffView:
        @never_cache
        @wraps(view)
        async def gated(request: HttpRequest, **kwargs: Any) -> HttpResponse:
            staff = await database_sync_to_async(_staff_of)(request)
            if staff is None:
                return _to_login(request)
            if not {"see", right} <= staff.rights:
                return await refused(request)
            try:
                return await view(request, staff, **kwargs)
            except (Lost, StoreUnavailable) as error:
                return await mishap(request, error)

        return gated

    return decorated


def _staff_of(request: HttpRequest) -> Staff | None:
    user = request.user
    if not (user.is_active and user.is_staff):
        return None
    rights = frozenset(right for right, name in PERMISSIONS.items() if user.has_perm(name))
    name = user.get_short_name() or user.get_full_name() or user.get_username()
    return Staff(user_id=user.pk, name=name, rights=rights)


def wants_json(request: HttpRequest) -> bool:
    """Whether a script of ours asks, which shows what it gets in the page that is open."""
    return request.headers.get("Accept", "").startswith("application/json")


def _to_login(request: HttpRequest) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"message": "Votre session est close : reconnectez-vous."}, status=401)
    back = request.get_full_path() if request.method == "GET" else reverse(LIST)
    return redirect_to_login(back, reverse("admin:login"))


LIST = "admin:chat_chatsession_changelist"
CHANGE = "admin:chat_chatsession_change"


async def page(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """Return a page of the admin; what templates ask of the database is asked on its thread."""
    return await database_sync_to_async(_rendered)(request, template, context, status)


async def fragment(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Return a part of a page that is open, without the admin's frame."""
    return await database_sync_to_async(render)(request, f"admin/desk/{template}", context)


def _rendered(
    request: HttpRequest, template: str, context: dict[str, Any], status: int
) -> HttpResponse:
    frame = {**admin.site.each_context(request), "opts": ChatSession._meta}
    return render(request, f"admin/desk/{template}", {**frame, **context}, status=status)


async def refused(request: HttpRequest) -> HttpResponse:
    return await mishap(
        request,
        Forbidden(
            "Votre compte n’a pas le droit de faire cela. "
            "Votre administrateur peut vous l’accorder."
        ),
    )


TITLES = {
    403: "Accès refusé",
    404: "Session introuvable",
    503: "Conversations indisponibles",
}


async def mishap(request: HttpRequest, error: ChatError) -> HttpResponse:
    """Return what went wrong, as a page or for a script of ours."""
    if wants_json(request):
        return JsonResponse({"message": error.message, "code": error.code}, status=error.status)
    title = TITLES.get(error.status, "Action impossible")
    response = await page(
        request, "mishap.html", {"title": title, "error": error}, status=error.status
    )
    if error.retry_after_s is not None:
        response["Retry-After"] = str(error.retry_after_s)
    return response
