"""What leaves the desk: an export, a printed page, a receipt of an erasure, the history."""

from __future__ import annotations

from functools import partial

import orjson
from django.contrib.admin.models import DELETION
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from chat.conversations.handover.export import export_of
from chat.conversations.handover.staff_notes import add_event
from chat.conversations.rendering import in_thread, render_ahead
from chat.conversations.store.protocol import ANY_OWNER
from chat.core.errors import SessionNotFound
from chat.ops.ending import erase_session
from chat.web.desk.audit_log import name_of, trace, traces
from chat.web.desk.permissions import Lost, Staff, desk_view, page
from chat.web.desk.session import Opened, facts, opened, session_id_of
from chat.web.desk.timeline import timeline

HISTORY_PAGE = 100


@desk_view("export")
@require_safe
async def export(request: HttpRequest, staff: Staff, ref: str) -> HttpResponse:
    """Give the conversation and what was noted beside it, as a JSON file."""
    found = await opened(ref)
    await trace(staff, ref, "Exportée en JSON.")
    await add_event(found.session.id, f"{staff.name} a exporté la conversation.", staff.name)
    await render_ahead(found.session.messages)
    data = await in_thread(partial(_encoded, found))
    response = HttpResponse(data, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="conversation-{ref}.json"'
    return response


@desk_view("export")
@require_safe
async def printable(request: HttpRequest, staff: Staff, ref: str) -> HttpResponse:
    """Show the conversation alone, made for paper; private notes stay at the desk."""
    found = await opened(ref)
    await trace(staff, ref, "Page imprimable ouverte.")
    await render_ahead(found.session.messages)
    context = {
        "title": name_of(ref),
        "ref": ref,
        "entries": await in_thread(partial(timeline, found.session, ())),
        "facts": facts(found),
        "session": found.session,
    }
    return await page(request, "print.html", context)


@desk_view("erase")
@require_http_methods(["GET", "HEAD", "POST"])
async def erase(request: HttpRequest, staff: Staff, ref: str) -> HttpResponse:
    """Ask, then erase the conversation for good; the receipt says nothing of what it said."""
    try:
        session_id = await session_id_of(ref)
        if request.method == "POST":
            await erase_session(session_id, ANY_OWNER)
            await trace(staff, ref, "Conversation effacée.", DELETION)
            return redirect("admin:chat_chatsession_receipt", ref)
    except SessionNotFound as error:
        raise Lost from error
    context = {"title": f"Effacer la {name_of(ref).lower()} ?", "ref": ref}
    return await page(request, "erase.html", context)


@desk_view("erase")
@require_safe
async def receipt(request: HttpRequest, staff: Staff, ref: str) -> HttpResponse:
    """Attest an erasure: when, which reference, by whom."""
    erasures = [entry for entry in await traces(ref) if entry.action_flag == DELETION]
    if not erasures:
        raise Lost("Aucune conversation effacée n’a cette référence.")
    context = {"title": "Reçu d’effacement", "ref": ref, "entry": erasures[-1]}
    return await page(request, "receipt.html", context)


def _encoded(found: Opened) -> bytes:
    return orjson.dumps(export_of(found.session, found.staff_notes), option=orjson.OPT_INDENT_2)


class _Subject:
    """A conversation as the admin's history page names it, there or not."""

    def __init__(self, ref: str) -> None:
        self.pk = ref

    def __str__(self) -> str:
        return name_of(self.pk)


@desk_view("see")
@require_safe
async def history(request: HttpRequest, staff: Staff, ref: str) -> HttpResponse:
    """Show who did what to the conversation; it outlives it."""
    paginator = Paginator(await traces(ref), HISTORY_PAGE)
    number = request.GET.get("p", 1)
    current = paginator.get_page(number)
    context = {
        "title": f"Historique : {name_of(ref)}",
        "action_list": current,
        "page_range": paginator.get_elided_page_range(current.number),
        "page_var": "p",
        "pagination_required": paginator.count > HISTORY_PAGE,
        "module_name": "Sessions actives",
        "object": _Subject(ref),
        "preserved_filters": "",
    }
    return await page(request, "history.html", context)
