"""The buttons of the recap as forms, for the page without JavaScript or without a socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from chat.assistant import ticket_draft
from chat.conversations import cookie
from chat.conversations.store.protocol import WEB_OWNER
from chat.core import rate_limits
from chat.core.client_address import request_address
from chat.core.errors import ChatError, InvalidMessage, SessionNotFound
from chat.core.ids import is_id
from chat.web.pages.pages import show_page

_OURS = ("id", "version", "csrfmiddlewaretoken")


@never_cache
@require_POST
async def confirm(request: HttpRequest) -> HttpResponse:
    """Open the ticket, once, then show the page, which says so."""
    return await _pressed(request, ticket_draft.confirm)


@never_cache
@require_POST
async def edit(request: HttpRequest) -> HttpResponse:
    """Take what was written in the fields, or show what is wrong with it."""
    edits = {name: str(value) for name, value in request.POST.items() if name not in _OURS}

    async def take(session_id: str, owner: str, form_id: str, version: int) -> None:
        await ticket_draft.edit(session_id, owner, form_id, version, edits)

    return await _pressed(request, take, edits)


@never_cache
@require_POST
async def drop(request: HttpRequest) -> HttpResponse:
    """Forget the request that is being made."""
    return await _pressed(request, ticket_draft.drop)


async def _pressed(
    request: HttpRequest,
    act: Callable[[str, str, str, int], Awaitable[None]],
    edits: Mapping[str, str] | None = None,
) -> HttpResponse:
    session_id = cookie.session_id_from(request.COOKIES)
    try:
        if session_id is None:
            raise SessionNotFound
        form_id, version = _form_in(request)
        await rate_limits.check_visitor(session_id)
        await rate_limits.check_address(request_address(request))
        await act(session_id, WEB_OWNER, form_id, version)
    except ChatError as error:
        return await show_page(request, error=error, edits=edits)
    return redirect("chat:page")


def _form_in(request: HttpRequest) -> tuple[str, int]:
    """Return which form, in which version, the button was shown with.

    Raises:
        InvalidMessage: it does not say.
    """
    form_id, version = request.POST.get("id", ""), request.POST.get("version", "")
    if not is_id(form_id) or not (version.isascii() and version.isdigit() and len(version) < 10):
        raise InvalidMessage("Ce bouton n'est pas reconnu. Rechargez la page.")
    return form_id, int(version)
