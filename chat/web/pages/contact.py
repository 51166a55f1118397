"""Leaving an e-mail address, for customers whom nobody can answer now. Works without JavaScript."""

from __future__ import annotations

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from chat.conversations import cookie
from chat.conversations.handover.announcements import opening
from chat.conversations.handover.contacts import (
    MAX_SUBJECT_CHARS,
    arecord_contact,
    checked_email,
    checked_subject,
)
from chat.conversations.store.protocol import STORE, WEB_OWNER
from chat.core import rate_limits
from chat.core.client_address import request_address
from chat.core.clock import now
from chat.core.errors import AssistantUnavailable, ChatError, SessionNotFound
from chat.core.ids import ref_of
from chat.ops.erasure import finish_erasure
from chat.shop.hours import is_open
from chat.web.pages.counting import counted

logger = logging.getLogger(__name__)


class DatabaseAway(AssistantUnavailable):
    message = (
        "Votre adresse n'a pas pu être enregistrée : le service est momentanément indisponible. "
        "Réessayez dans quelques minutes ou appelez le magasin."
    )


@counted
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
async def contact(request: HttpRequest) -> HttpResponse:
    """Show the form, or keep what it says and thank for it."""
    if request.method != "POST":
        return _form(request)
    try:
        await _keep(request)
    except ChatError as error:
        return _form(request, error)
    return redirect("chat:contact-thanks")


@counted
@never_cache
@require_safe
async def thanks(request: HttpRequest) -> HttpResponse:
    return render(request, "chat/contact_thanks.html", _shop())


async def _keep(request: HttpRequest) -> None:
    """Store the request once.

    Raises:
        ChatError: what is wrong with it, or with us.
    """
    session_id = cookie.session_id_from(request.COOKIES)
    if session_id is None:
        raise SessionNotFound
    email = checked_email(request.POST.get("email", ""))
    subject = checked_subject(request.POST.get("subject", ""))
    await rate_limits.check_visitor(session_id)
    await rate_limits.check_address(request_address(request))
    store = STORE.get()
    session = await store.load(session_id, WEB_OWNER)  # nothing is kept for one that is no more
    lives_until = session.expires_at if store.backend == "redis" else None
    try:
        await arecord_contact(session_id, email, subject, lives_until)
    except Exception as error:
        logger.warning("a contact request was not kept: %s", type(error).__name__)
        raise DatabaseAway(retry_after_s=60) from error
    try:
        await store.load(session_id, WEB_OWNER)
    except SessionNotFound:  # erased meanwhile
        await finish_erasure(ref_of(session_id))


def _form(request: HttpRequest, error: ChatError | None = None) -> HttpResponse:
    context = {
        **_shop(),
        "error": error,
        "email": request.POST.get("email", ""),
        "subject": request.POST.get("subject", ""),
        "max_subject_chars": MAX_SUBJECT_CHARS,
    }
    status = error.status if error else 200
    response = render(request, "chat/contact.html", context, status=status)
    if error and error.retry_after_s is not None:
        response["Retry-After"] = str(error.retry_after_s)
    return response


def _shop() -> dict[str, object]:
    env, moment = settings.ENV, now()
    return {
        "shop_name": env.shop_name,
        "shop_phone": env.shop_phone,
        "opening": "" if is_open(moment) else opening(moment),
    }
