"""Photos of a conversation: sent, listed, shown, withdrawn. Without JavaScript these are pages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat import limits
from chat.addresses import request_address
from chat.errors import (
    AssistantUnavailable,
    ChatError,
    Forbidden,
    InvalidPhoto,
    SessionGone,
    SessionNotFound,
)
from chat.photos.intake import default_intake, received
from chat.photos.links import LIFE_S, is_signed, link
from chat.photos.models import MAX_PHOTOS, Photo
from chat.photos.queries import afind, aphotos_of
from chat.photos.responses import image_response
from chat.photos.services import afind_same, akeep, aremove_own
from chat.sessions import cookie
from chat.sessions.store import WEB_OWNER, default_store
from chat.sessions.types import JSON, isoformat, ref_of
from chat.views.problems import NotFound, problem

logger = logging.getLogger(__name__)

T = TypeVar("T")


class PhotosAway(AssistantUnavailable):
    """The database or the disk does not answer."""

    message = "Les photos sont momentanément indisponibles. Réessayez dans quelques minutes."

    def __init__(self) -> None:
        super().__init__(retry_after_s=60)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
async def photos(request: HttpRequest) -> HttpResponse:
    """Show the conversation's photos, or take one more."""
    if request.method != "POST":
        return await _listed(request)
    try:
        photo = await _taken_in(request)
    except ChatError as error:
        return problem(error) if _wants_json(request) else await _page(request, error)
    if _wants_json(request):
        return JsonResponse({"photo": _told(photo)}, status=201)
    return redirect("chat:photos")


@require_safe
async def photo(request: HttpRequest, photo_id: UUID) -> HttpResponse:
    """Show one to whoever has an address that we signed."""
    try:
        if not is_signed(photo_id, request.GET.get("s", "")):
            raise Forbidden("Ce lien n'est plus valable. Rouvrez la conversation.")
        found = await _asked(afind(photo_id))
        if found is None:
            raise NotFound
        shown = asyncio.to_thread(image_response, found, small="small" in request.GET)
        return await _asked(shown)
    except ChatError as error:
        return problem(error)


@require_POST
async def delete(request: HttpRequest, photo_id: UUID) -> HttpResponse:
    """Withdraw a photo of this conversation; again without effect."""
    session_id = cookie.session_id_from(request.COOKIES)
    try:
        if session_id is None:
            raise SessionNotFound
        await _asked(aremove_own(ref_of(session_id), photo_id))
    except ChatError as error:
        return problem(error) if _wants_json(request) else await _page(request, error)
    return HttpResponse(status=204) if _wants_json(request) else redirect("chat:photos")


async def _taken_in(request: HttpRequest) -> Photo:
    """Check, clean and keep the photo that was sent.

    Raises:
        ChatError: what is wrong with it, or with us.
    """
    session_id = cookie.session_id_from(request.COOKIES)
    if session_id is None:
        raise SessionNotFound
    await limits.check_photo(session_id, request_address(request))
    uploaded = request.FILES.get("photo")
    if uploaded is None or uploaded.file is None:
        raise InvalidPhoto("Choisissez une photo.")
    await _check_goes_on(session_id)
    came = await asyncio.to_thread(received, uploaded.file)
    ref = ref_of(session_id)
    same = await _asked(afind_same(ref, came.sha256))
    if same is not None:
        return same
    clean = await default_intake().clean(came)
    kept = await _asked(akeep(ref, came.sha256, clean, request.POST.get("problem", "")))
    try:
        await _check_goes_on(session_id)
    except SessionGone:  # erased or ended meanwhile
        await _asked(aremove_own(ref, kept.pk))
        raise
    return kept


async def _check_goes_on(session_id: str) -> None:
    """A conversation that has not begun yet takes photos: they may be its first word.

    Raises:
        SessionGone: it is over.
        StoreUnavailable:
    """
    try:
        session = await default_store().load(session_id, WEB_OWNER)
    except SessionGone:
        raise
    except SessionNotFound:
        return
    if session.ended:
        raise SessionGone("ended")


async def _asked(work: Awaitable[T]) -> T:
    """Return what database or disk answers.

    Raises:
        PhotosAway: they do not.
        ChatError: as the work raises it.
    """
    try:
        return await work
    except ChatError:
        raise
    except Exception as error:
        logger.warning("photos are away: %s", type(error).__name__)
        raise PhotosAway from error


async def _listed(request: HttpRequest) -> HttpResponse:
    if not _wants_json(request):
        return await _page(request)
    try:
        told = [_told(photo) for photo in await _of_this_visitor(request)]
    except ChatError as error:
        return problem(error)
    return JsonResponse({"photos": told, "most": MAX_PHOTOS, "life_s": LIFE_S})


async def _page(request: HttpRequest, error: ChatError | None = None) -> HttpResponse:
    try:
        shown = [(photo, _told(photo)) for photo in await _of_this_visitor(request)]
    except ChatError as away:
        shown, error = [], error or away
    context = {
        "shop_name": settings.ENV.shop_name,
        "photos": shown,
        "most": MAX_PHOTOS,
        "is_full": len(shown) >= MAX_PHOTOS,
        "error": error,
    }
    response = render(request, "photos/page.html", context, status=error.status if error else 200)
    if error and error.retry_after_s is not None:
        response["Retry-After"] = str(error.retry_after_s)
    return response


async def _of_this_visitor(request: HttpRequest) -> list[Photo]:
    session_id = cookie.session_id_from(request.COOKIES)
    if session_id is None:
        return []
    return await _asked(aphotos_of(ref_of(session_id)))


def _told(photo: Photo) -> JSON:
    return {
        "id": str(photo.pk),
        "url": link(photo),
        "thumbnail_url": link(photo, small=True),
        "width": photo.width,
        "height": photo.height,
        "bytes": photo.bytes,
        "sent_at": isoformat(photo.sent_at),
        "attached": bool(photo.ticket_number),
    }


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")
