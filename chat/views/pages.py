"""The chat page, which works without JavaScript."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from chat import limits
from chat.addresses import request_address
from chat.assistant.asking import NOTHING_SAID, ask_for_human
from chat.assistant.closing import end_session, erase_session
from chat.assistant.turn import read_state, stop_turn, take_turn
from chat.errors import ChatError, InvalidMessage, SessionGone, SessionNotFound
from chat.frames import checked_text
from chat.markup import safe_html_of
from chat.protocol import SessionState, message_json
from chat.sessions import cookie
from chat.sessions.store import WEB_OWNER, default_store
from chat.sessions.types import Message, is_id, isoformat, new_id
from chat.views.recap import recap_of

logger = logging.getLogger(__name__)


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
        await limits.check_visitor(session_id)
        await limits.check_address(request_address(request))
        turn = await take_turn(
            session_id, owner=WEB_OWNER, message_id=message_id, text=text, create="new"
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
        await ask_for_human(session_id, request_address(request))
    except ChatError as error:
        return await show_page(request, error=error)
    return redirect("chat:page")


@require_POST
async def new(request: HttpRequest) -> HttpResponse:
    """Close this conversation and begin another."""
    return await _leave(request, end_session)


@require_POST
async def erase(request: HttpRequest) -> HttpResponse:
    """Remove this conversation from everywhere and begin another."""
    return await _leave(request, erase_session)


@never_cache
@require_safe
async def export(request: HttpRequest) -> HttpResponse:
    """Give the customer what was said, as a JSON file."""
    session_id = cookie.session_id_from(request.COOKIES)
    try:
        if session_id is None:
            raise SessionNotFound
        session = await default_store().load(session_id, WEB_OWNER)
    except SessionNotFound as error:
        return await show_page(request, error=error)
    data = {
        "created_at": isoformat(session.created_at),
        "expires_at": isoformat(session.expires_at),
        "messages": [message_json(message) for message in session.messages],
        "form": session.form,
    }
    response = JsonResponse(data, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = 'attachment; filename="conversation.json"'
    return response


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
    cookie.give(response, cookie.new_session_id())
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
    ended_reason = ""
    if session_id is not None:
        try:
            state = await read_state(session_id, WEB_OWNER)
            ended_reason = "ended" if state.ended else ""
        except SessionGone as gone:
            ended_reason = gone.reason
        except SessionNotFound:
            pass
        except ChatError as unreadable:
            error = error or unreadable
    if session_id is None or (state is None and ended_reason):
        session_id = cookie.new_session_id()
    env = settings.ENV
    context = {
        "messages": [_shown(message) for message in state.messages] if state else [],
        "speaker": state.speaker if state else "assistant",
        "adviser_name": state.name if state else "",
        "asked": bool(state and state.asked),
        "waiting": bool(state and state.waiting),
        "failed": next((failed["id"] for failed in state.failed), "") if state else "",
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
    response = render(request, "chat/page.html", context, status=error.status if error else 200)
    cookie.give(response, session_id)
    if error and error.retry_after_s is not None:
        response["Retry-After"] = str(error.retry_after_s)
    return response


def _shown(message: Message) -> dict[str, Any]:
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
