"""One session: its transcript, what is known of it, and what may be done."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from chat.conversations.rendering import render_ahead
from chat.conversations.store.adviser_store import StaffNote, StaffNoteKind
from chat.conversations.store.protocol import ANY_OWNER, STORE
from chat.conversations.store.session_rows import language_in
from chat.conversations.transcript import TranscriptPage, last_page, page_before
from chat.conversations.types import Session
from chat.core.clock import now
from chat.core.errors import ChatError, NotAssigned, SessionNotFound
from chat.core.ids import isoformat, new_id
from chat.web.desk import labels
from chat.web.desk.audit_log import name_of, trace
from chat.web.desk.filters import REF
from chat.web.desk.permissions import Lost, Staff, desk_view, page
from chat.web.desk.timeline import timeline


class Over(NotAssigned):
    """It can be read, and nothing more."""

    message = "Cette conversation est close : plus rien ne peut y être dit."


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A conversation as read for one request. ``ref`` stands for its id in addresses."""

    ref: str
    session: Session
    staff_notes: list[StaffNote] = field(default_factory=list)


async def opened(ref: str) -> Opened:
    """Return the conversation of this reference.

    Raises:
        Lost: expired, erased, or never there.
    """
    store = STORE.get()
    try:
        if not REF.match(ref):
            raise Lost
        session_id = await store.find(ref)
        session = await store.load(session_id, ANY_OWNER)
        return Opened(ref=ref, session=session, staff_notes=await store.staff_notes(session_id))
    except SessionNotFound as error:
        raise Lost from error


async def session_id_of(ref: str) -> str:
    """Return the id of the conversation of this reference.

    Raises:
        Lost:
    """
    try:
        if not REF.match(ref):
            raise Lost
        return await STORE.get().find(ref)
    except SessionNotFound as error:
        raise Lost from error


@desk_view("see")
@require_safe
async def session(request: HttpRequest, staff: Staff, ref: str) -> HttpResponse:
    """Show the conversation; every opening is written in the log."""
    found = await opened(ref)
    await trace(staff, ref, "Conversation consultée.")
    return await render_session(request, staff, found)


async def render_session(
    request: HttpRequest,
    staff: Staff,
    found: Opened,
    error: ChatError | None = None,
    typed: dict[str, str] | None = None,
) -> HttpResponse:
    """Return the page, with what went wrong and what was typed when an action was refused."""
    mode = mode_of(found.session, staff)
    messages = found.session.messages
    part = page_before(messages, request.GET.get("avant", "")) or last_page(messages)
    await render_ahead(part.messages)
    context = {
        "title": name_of(found.ref),
        "subtitle": "",
        "ref": found.ref,
        "session": found.session,
        "entries": timeline(*_newest_part(found, part)),
        "first_id": part.messages[0].id if part.has_earlier else "",
        "is_earlier": part.has_later,
        "facts": facts(found),
        "mode": mode,
        "rights": staff.rights,
        "me": staff.name,
        "error": error,
        "typed": typed or {},
        "message_id": new_id(),
        "max_chars": settings.ENV.chat_max_message_chars,
        "expires_at": isoformat(found.session.expires_at),
    }
    return await page(request, "session.html", context, status=error.status if error else 200)


def _newest_part(found: Opened, part: TranscriptPage) -> tuple[Session, list[StaffNote]]:
    """Return the session with this part of its messages, and what was noted meanwhile."""
    staff_notes = found.staff_notes
    if part.has_earlier:
        since = part.messages[0].sent_at
        staff_notes = [staff_note for staff_note in staff_notes if staff_note.at >= since]
    if part.has_later:
        until = part.messages[-1].sent_at
        staff_notes = [
            staff_note
            for staff_note in staff_notes
            if staff_note.at <= until or staff_note.kind is StaffNoteKind.TURN
        ]
    return replace(found.session, messages=tuple(part.messages)), staff_notes


def mode_of(session: Session, staff: Staff) -> str:
    """What may be done: "ended", "mine" (assigned to this adviser), "other" (another), "free"."""
    if session.ended:
        return "ended"
    if not session.has_adviser:
        return "free"
    return "mine" if session.adviser_id == str(staff.user_id) else "other"


def facts(found: Opened) -> dict[str, Any]:
    """What stands beside the transcript; the page's own script keeps the first of them fresh."""
    session, at = found.session, now()
    return {
        "state": state_of(session),
        "asked_at": session.asked_at,
        "speaker": session.adviser or "Assistant (IA)",
        "language": labels.language(language_in(session.messages)),
        "began": session.created_at,
        "left": labels.left(session.expires_at, at),
        "messages": len(session.messages),
        "size": labels.size(bytes_of(session)),
        "storage": {"redis": "Redis", "memory": "mémoire"}[STORE.get().backend],
        "instruction": session.instruction,
        "door": "page de discussion" if session.owner == "web" else "API",
    }


def state_of(session: Session) -> str:
    """A key of the badges in ``_state.html``."""
    if session.ended:
        return "ended"
    if session.has_adviser:
        return "held"
    if session.asked_at:
        return "asked"
    if session.waiting:
        return "answering"
    last = session.messages[-1] if session.messages else None
    return "interrupted" if last and (last.interrupted or last.id in session.failed) else "idle"


def bytes_of(session: Session) -> int:
    """About what the conversation weighs where it is stored."""
    return sum(len(message.text.encode()) + 120 for message in session.messages)
