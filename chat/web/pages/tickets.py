"""The page on which a customer follows a ticket, by a signed link. Works without JavaScript."""

from __future__ import annotations

import logging
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from chat.core import clock, rate_limits
from chat.core.client_address import request_address
from chat.core.errors import AssistantUnavailable, ChatError, IdConflict, InvalidMessage
from chat.core.ids import new_id
from chat.shop.tickets.models import TicketEntry
from chat.shop.tickets.phrases import full_moment
from chat.shop.tickets.queries import Followed, afollowed
from chat.shop.tickets.services import MAX_TEXT_CHARS, BadText, add_customer_message, checked_text
from chat.shop.tickets.states import CUSTOMER_LABELS, NotAllowed, State
from chat.web.pages.counting import counted

logger = logging.getLogger(__name__)

METHODS = ("GET", "HEAD", "POST")
RETRY_AFTER_S = 60

_ahear_customer = database_sync_to_async(add_customer_message, thread_sensitive=False)


class Closed(IdConflict):
    """The ticket takes no more words."""

    message = "Cette demande est close : votre message n'a pas été ajouté."


class DatabaseAway(AssistantUnavailable):
    message = (
        "Votre message n'a pas pu être enregistré : le service est momentanément indisponible. "
        "Renvoyez-le dans une minute, ou appelez le magasin."
    )


@never_cache
async def ticket(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show the ticket of this link, or add what its customer wrote."""
    if request.method not in METHODS:
        response: HttpResponseBase = HttpResponse(status=405, headers={"Allow": ", ".join(METHODS)})
    else:
        try:
            response = await _answer(request, token)
        except DatabaseFailure as error:
            logger.warning("a ticket could not be shown: %s", type(error).__name__)
            response = render(request, "tickets/away.html", _shop(), status=503)
            response["Retry-After"] = str(RETRY_AFTER_S)
    response["X-Robots-Tag"] = "noindex, nofollow"
    # Django would write the address of every refusal in the log, and with it a link that works.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


@counted
async def _answer(request: HttpRequest, token: str) -> HttpResponse:
    found = await afollowed(token)
    if found is None or request.method != "POST":
        return _page(request, found)
    try:
        await _hear(request, found)
    except ChatError as error:
        return _page(request, found if error.status == 503 else await afollowed(token), error)
    return redirect(f"{request.path}#fil")


async def _hear(request: HttpRequest, found: Followed) -> None:
    """Add what the customer wrote.

    Raises:
        ChatError: what is wrong with it, or with us.
    """
    number = found.ticket.number or ""
    try:
        text = checked_text(request.POST.get("text", ""))
        await rate_limits.check_visitor(f"ticket {number}")
        await rate_limits.check_address(request_address(request))
        await _ahear_customer(found.ticket.pk, text, request.POST.get("key") or new_id())
    except BadText as error:
        raise InvalidMessage(str(error)) from error
    except NotAllowed as error:
        raise Closed from error
    except DatabaseFailure as error:
        logger.warning("a customer's answer was not kept: %s", type(error).__name__)
        raise DatabaseAway(retry_after_s=RETRY_AFTER_S) from error


def _page(
    request: HttpRequest, found: Followed | None, error: ChatError | None = None
) -> HttpResponse:
    if found is None:
        return render(request, "tickets/gone.html", _shop(), status=404)
    one = found.ticket
    now = clock.now()
    context = {
        **_shop(),
        "ticket": one,
        "state": CUSTOMER_LABELS[State(one.state)],
        "due": full_moment(one.first_answer_due_at),
        "is_late": one.first_answer_due_at < now,
        "awaits_answer": one.is_open and one.first_answered_at is None,
        "photos": found.photos,
        "lines": [_line(entry) for entry in found.entries],
        "error": error,
        "typed": request.POST.get("text", "") if error else "",
        # The same key again: what was refused may have arrived all the same.
        "key": _key(request, error),
        "max_chars": MAX_TEXT_CHARS,
    }
    response = render(request, "tickets/page.html", context, status=error.status if error else 200)
    if error and error.retry_after_s is not None:
        response["Retry-After"] = str(error.retry_after_s)
    return response


def _key(request: HttpRequest, error: ChatError | None) -> str:
    return (error is not None and request.POST.get("key")) or new_id()


def _line(entry: TicketEntry) -> dict[str, Any]:
    """One entry as the customer reads it: no note, no name of an account."""
    kind = TicketEntry.Kind(entry.kind)
    author = {TicketEntry.Kind.REPLY: "adviser", TicketEntry.Kind.CUSTOMER: "customer"}.get(kind)
    text = entry.text
    if kind is TicketEntry.Kind.OPENED:
        text = "Demande enregistrée"
    elif kind is TicketEntry.Kind.STATE:
        text = CUSTOMER_LABELS[State(entry.state)]
    name = entry.by.get_short_name() if entry.by else ""
    return {"pk": entry.pk, "at": entry.at, "author": author, "text": text, "name": name}


def _shop() -> dict[str, str]:
    env = settings.ENV
    return {
        "shop_name": env.shop_name,
        "shop_phone": env.shop_phone,
        "shop_email": env.shop_email,
    }
