"""The chat page, which works without JavaScript."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat.conversations import cookie
from chat.conversations.markup import safe_html_of
from chat.conversations.realtime.events import MessagesLoaded, SessionState
from chat.conversations.realtime.frames import checked_text
from chat.conversations.rendering import in_thread
from chat.conversations.store.failover.store import FailoverStore
from chat.conversations.store.protocol import STORE, WEB_OWNER
from chat.conversations.types import Message
from chat.core import rate_limits
from chat.core.client_address import request_address
from chat.core.errors import ChatError, InvalidMessage, RateLimited, SessionGone, SessionNotFound
from chat.core.ids import is_id, isoformat, new_id
from chat.ops.ending import end_session, erase_session
from chat.turns.earlier_messages import read_earlier
from chat.turns.request_adviser import NOTHING_SAID, request_adviser
from chat.turns.turn import stop_turn, take_turn
from chat.turns.viewers import read_state
from chat.web.pages.conversation_file import ConversationFile
from chat.web.pages.recap import recap_of

logger = logging.getLogger(__name__)

#: A page of more messages is drawn in a thread: a message takes 0.2 ms, a thread 0.1 ms.
DRAWN_AT_ONCE = 10


@never_cache
@require_safe
async def chat(request: HttpRequest) -> HttpResponse:
    """Show the transcript; a browser that has no session gets the id of one."""
    return await show_page(request)


@never_cache
@require_POST
async def send(request: HttpRequest) -> HttpResponse:
    """The path without JavaScript: answer in full, then show the page again."""
    session_id = cookie.session_id_from(request.COOKIES)
    typed = request.POST.get("text", "")
    message_id = request.POST.get("id") or new_id()
    try:
        if session_id is None:
            raise SessionNotFound
        if not is_id(message_id):
            raise InvalidMessage
        text = checked_text(typed, settings.ENV.chat_max_message_chars)
        await rate_limits.check_visitor(session_id)
        await rate_limits.check_address(request_address(request))
        turn = await take_turn(
            session_id,
            owner=WEB_OWNER,
            message_id=message_id,
            text=text,
            create="new",
            address=request_address(request),
        )
    except ChatError as error:
        return await show_page(request, error=error, typed=typed)
    outcome = (await turn.ended()).outcome
    if outcome.code and not outcome.answer_id:
        return await show_page(request, error=outcome.error())
    return redirect("chat:page")


@require_POST
async def stop(request: HttpRequest) -> HttpResponse:
    """Stop the answer being written."""
    session_id = cookie.session_id_from(request.COOKIES)
    if session_id is not None:
        await stop_turn(session_id, WEB_OWNER)
    return redirect("chat:page")


@require_POST
async def ask(request: HttpRequest) -> HttpResponse:
    """Have an adviser called, then show the page, which says when one can come."""
    session_id = cookie.session_id_from(request.COOKIES)
    try:
        if session_id is None:
            raise InvalidMessage(NOTHING_SAID)
        await request_adviser(session_id, request_address(request))
    except ChatError as error:
        return await show_page(request, error=error)
    return redirect("chat:page")


@require_POST
async def new(request: HttpRequest) -> HttpResponse:
    """Close this conversation and begin another."""
    return await _leave(request, end_session)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
async def erase(request: HttpRequest) -> HttpResponse:
    """Ask whether to erase; when posted, remove this conversation everywhere and begin another.

    The question is for browsers without JavaScript; with it, the page asks in a dialog.
    """
    if request.method == "POST":
        return await _leave(request, erase_session)
    try:
        rate_limits.check_page("", request_address(request))
    except RateLimited as limited:
        return too_many_pages(request, limited)
    return render(request, "chat/erase.html", {"shop_name": settings.ENV.shop_name})


@never_cache
@require_safe
async def export(request: HttpRequest) -> HttpResponseBase:
    """Give the customer what was said, as a JSON file."""
    session_id = cookie.session_id_from(request.COOKIES)
    try:
        rate_limits.check_page(session_id or "", request_address(request))
        if session_id is None:
            raise SessionNotFound
        session = await STORE.get().load(session_id, WEB_OWNER)
    except RateLimited as limited:
        return too_many_pages(request, limited)
    except SessionNotFound as error:
        if session_id is None or isinstance(error, SessionGone):
            return await show_page(request, error=error)
        nothing = {"created_at": None, "expires_at": None, "form": None}
        return ConversationFile("conversation.json", nothing, ())  # no word was said yet
    head = {
        "created_at": isoformat(session.created_at),
        "expires_at": isoformat(session.expires_at),
        "form": session.form,
    }
    return ConversationFile("conversation.json", head, session.messages)


async def _leave(request: HttpRequest, close: Any) -> HttpResponse:
    session_id = cookie.session_id_from(request.COOKIES)
    try:
        if session_id is not None:
            await close(session_id, WEB_OWNER)
    except SessionNotFound:
        logger.debug("nothing was said in the conversation that is left")
    except ChatError as error:
        return await show_page(request, error=error)
    response = redirect("chat:page")
    cookie.give(response, _new_session_id())
    return response


async def show_page(
    request: HttpRequest,
    error: ChatError | None = None,
    typed: str = "",
    edits: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Show the transcript and what stands around it, after an error with what was typed.

    ``edits``: what was written in the fields of the recap.
    """
    session_id = cookie.session_id_from(request.COOKIES)
    state: SessionState | None = None
    earlier: MessagesLoaded | None = None
    ended_reason = ""
    try:
        rate_limits.check_page(session_id or "", request_address(request))
    except RateLimited as limited:
        return too_many_pages(request, limited)
    if session_id is not None:
        try:
            state = await read_state(session_id, WEB_OWNER)
            earlier = await _asked_earlier(session_id, request.GET.get("avant", ""))
            ended_reason = "ended" if state.ended else ""
        except SessionGone as gone:
            ended_reason = gone.reason
        except SessionNotFound:
            pass
        except ChatError as unreadable:
            error = error or unreadable
    if session_id is None or (state is None and ended_reason):
        session_id = _new_session_id()
    env = settings.ENV
    shown = earlier or state
    context = {
        "messages": [_message_context(message) for message in shown.messages] if shown else [],
        "has_earlier": bool(shown and shown.has_earlier),
        "is_earlier": earlier is not None,
        "speaker": state.speaker if state else "assistant",
        "adviser_name": state.name if state else "",
        "asked": bool(state and state.asked),
        "waiting": bool(state and state.waiting),
        "failed": next((failed["id"] for failed in shown.failed), "") if shown else "",
        "expires_at": state.expires_at if state else "",
        "ended_reason": ended_reason,
        "recap": recap_of(state.form if state else None, edits or {}, error),
        "error": error,
        "typed": typed,
        "max_chars": env.chat_max_message_chars,
        "local_assistant": env.uses_local_assistant,
        "shop_name": env.shop_name,
        "shop_phone": env.shop_phone,
        "shop_email": env.shop_email,
    }
    status = error.status if error else 200
    drawing = partial(render, request, "chat/page.html", context, status=status)
    is_long = shown is not None and len(shown.messages) > DRAWN_AT_ONCE
    response = await in_thread(drawing) if is_long else drawing()
    cookie.give(response, session_id)
    if error and error.retry_after_s is not None:
        response["Retry-After"] = str(error.retry_after_s)
    return response


def _new_session_id() -> str:
    session_id = cookie.new_session_id()
    store = STORE.get()
    if isinstance(store, FailoverStore):
        store.note_made(session_id)
    return session_id


async def _asked_earlier(session_id: str, before: str) -> MessagesLoaded | None:
    """Return what comes before this message; None when none was asked for, or it is not there."""
    if not before:
        return None
    try:
        return await read_earlier(session_id, WEB_OWNER, before)
    except InvalidMessage:
        return None


def too_many_pages(request: HttpRequest, limited: RateLimited) -> HttpResponse:
    """Say that too many pages were asked for, without reading a conversation."""
    response = render(request, "errors/too_many_pages.html", status=limited.status)
    response["Retry-After"] = str(limited.retry_after_s or 1)
    return response


def _message_context(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "author": message.author.value,
        "text": message.text,
        "html": safe_html_of(message),
        "sent_at": message.sent_at,
        "interrupted": message.interrupted,
        "reply_to": message.reply_to,
        "name": message.name,
        "sources": message.sources,
    }
