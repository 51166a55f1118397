"""What the staff do to a conversation. Forms that work alone; a script may send them instead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from chat.conversations.handover import advisers
from chat.conversations.handover.staff_notes import add_event
from chat.conversations.store.protocol import ANY_OWNER
from chat.core.errors import ChatError, NotAssigned, SessionGone, SessionNotFound, StoreUnavailable
from chat.core.ids import new_id
from chat.ops.ending import end_session
from chat.web.desk.audit_log import name_of, trace
from chat.web.desk.permissions import (
    CHANGE,
    Lost,
    Staff,
    StaffView,
    desk_view,
    mishap,
    page,
    wants_json,
)
from chat.web.desk.session import Over, opened, render_session, session_id_of

#: Does it and returns what to tell the adviser, "" for nothing: the page shows it.
Act = Callable[[HttpRequest, Staff, str, str], Awaitable[str]]


def action(right: str) -> Callable[[Act], StaffView]:
    """Make a view of an act on one conversation, ``(request, staff, ref, session_id)``."""

    def decorated(act: Act) -> StaffView:
        @desk_view(right)
        @require_POST
        async def view(request: HttpRequest, staff: Staff, ref: str) -> HttpResponse:
            try:
                told = await act(request, staff, ref, await session_id_of(ref))
            except StoreUnavailable:
                raise
            except SessionGone as gone:
                if gone.reason == "ended":
                    return await _refused(request, staff, ref, Over())
                raise Lost from gone
            except SessionNotFound as error:
                raise Lost from error
            except ChatError as error:
                return await _refused(request, staff, ref, error)
            if wants_json(request):
                return JsonResponse({"message": told})
            if told:
                messages.success(request, told)
            return redirect(CHANGE, ref)

        return view

    return decorated


async def _refused(request: HttpRequest, staff: Staff, ref: str, error: ChatError) -> HttpResponse:
    if wants_json(request):
        return await mishap(request, error)
    found = await opened(ref)
    return await render_session(request, staff, found, error, typed=request.POST.dict())


@action("take_over")
async def take_over(request: HttpRequest, staff: Staff, ref: str, session_id: str) -> str:
    await advisers.take_over(session_id, staff.adviser)
    await trace(staff, ref, "Main prise.")
    return "Vous avez la main : le client voit votre nom."


@action("take_over")
async def say(request: HttpRequest, staff: Staff, ref: str, session_id: str) -> str:
    message_id = request.POST.get("id") or new_id()
    await advisers.say(session_id, staff.adviser, message_id, request.POST.get("text", ""))
    return ""


@action("take_over")
async def note(request: HttpRequest, staff: Staff, ref: str, session_id: str) -> str:
    await advisers.note(session_id, staff.adviser, request.POST.get("text", ""))
    return ""


@action("take_over")
async def hand_back(request: HttpRequest, staff: Staff, ref: str, session_id: str) -> str:
    instruction = request.POST.get("text", "").strip()
    if not await advisers.hand_back(session_id, staff.adviser, instruction):
        raise NotAssigned("Vous ne tenez plus cette conversation.")
    with_it = " avec une consigne" if instruction else ""
    await trace(staff, ref, f"Main rendue à l’assistant{with_it}.")
    return "L’assistant répond de nouveau."


@action("end")
async def _end(request: HttpRequest, staff: Staff, ref: str, session_id: str) -> str:
    await end_session(session_id, ANY_OWNER)
    await add_event(session_id, f"{staff.name} a mis fin à la conversation.", staff.name)
    await trace(staff, ref, "Fin de la conversation.")
    return "La conversation est close. Elle reste lisible jusqu’à son expiration."


@desk_view("end")
@require_http_methods(["GET", "HEAD", "POST"])
async def end(request: HttpRequest, staff: Staff, ref: str) -> HttpResponse:
    """Ask, then close the conversation."""
    if request.method == "POST":
        return await _end(request, ref=ref)
    await session_id_of(ref)
    context = {"title": f"Mettre fin à la {name_of(ref).lower()} ?", "ref": ref}
    return await page(request, "end.html", context)
