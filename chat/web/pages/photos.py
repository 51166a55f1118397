"""Photos of a conversation: sent, listed, shown, withdrawn. Without JavaScript these are pages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat.conversations import cookie
from chat.conversations.store.protocol import STORE, WEB_OWNER
from chat.core.client_address import ADMITTED, request_address
from chat.core.errors import ChatError, Forbidden, InvalidPhoto, SessionGone, SessionNotFound
from chat.core.ids import isoformat, ref_of
from chat.core.json import JSON
from chat.shop.photos.links import LIFE_S, is_signed, link
from chat.shop.photos.models import MAX_PHOTOS, Photo
from chat.shop.photos.processor import PHOTO_PROCESSOR, read_upload
from chat.shop.photos.queries import afind, aphotos_of
from chat.shop.photos.services import afind_same, akeep, aremove_own
from chat.shop.tickets.queries import alink_works
from chat.web.admission import PhotosAway, count_photo
from chat.web.api.problems import NotFound, problem
from chat.web.photo_responses import image_response

logger = logging.getLogger(__name__)

T = TypeVar("T")


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
        return JsonResponse({"photo": _payload(photo)}, status=201)
    return redirect("chat:photos")


@require_safe
async def photo(request: HttpRequest, photo_id: UUID) -> HttpResponse:
    """Show one to whoever has an address that we signed."""
    try:
        version = request.GET.get("v", "")
        if not is_signed(photo_id, request.GET.get("s", ""), version):
            raise Forbidden("Ce lien n'est plus valable. Rouvrez la conversation.")
        found = await _query(afind(photo_id))
        if found is None:
            raise NotFound
        if version and not await _query(alink_works(found.ticket_number, int(version))):
            raise Forbidden("Ce lien n'est plus valable. Rouvrez le suivi de votre demande.")
        shown = asyncio.to_thread(image_response, found, small="small" in request.GET)
        return await _query(shown)
    except ChatError as error:
        return problem(error)


@require_POST
async def delete(request: HttpRequest, photo_id: UUID) -> HttpResponse:
    """Withdraw a photo of this conversation; again without effect."""
    session_id = cookie.session_id_from(request.COOKIES)
    try:
        if session_id is None:
            raise SessionNotFound
        await _query(aremove_own(ref_of(session_id), photo_id))
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
    uploaded = request.FILES.get("photo")
    if not _was_admitted(request):
        size_bytes = (uploaded and uploaded.size) or 0
        await count_photo(session_id, request_address(request), size_bytes)
    if uploaded is None or uploaded.file is None:
        raise InvalidPhoto("Choisissez une photo.")
    has_conversation = await _check_goes_on(session_id)
    upload = await asyncio.to_thread(read_upload, uploaded.file)
    ref = ref_of(session_id)
    same = await _query(afind_same(ref, upload.sha256))
    if same is not None:
        return same
    processor = PHOTO_PROCESSOR.get()
    photo = await processor.process(upload)
    about = request.POST.get("problem", "")
    stored = await _query(
        akeep(ref, upload.sha256, photo, about, has_conversation=has_conversation)
    )
    processor.quota.add(stored.stored_bytes)
    try:
        await _check_goes_on(session_id)
    except SessionGone:  # erased or ended meanwhile
        await _query(aremove_own(ref, stored.pk))
        raise
    return stored


def _was_admitted(request: HttpRequest) -> bool:
    """Whether the photo was counted before its body was read."""
    return isinstance(request, ASGIRequest) and bool(request.scope.get(ADMITTED))


async def _check_goes_on(session_id: str) -> bool:
    """A conversation that has not begun yet takes photos: they may be its first word.

    Returns:
        Whether it has begun.

    Raises:
        SessionGone: it is over.
        StoreUnavailable:
    """
    try:
        session = await STORE.get().load(session_id, WEB_OWNER)
    except SessionGone:
        raise
    except SessionNotFound:
        return False
    if session.ended:
        raise SessionGone("ended")
    return True


async def _query(work: Awaitable[T]) -> T:
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
        told = [_payload(photo) for photo in await _of_this_visitor(request)]
    except ChatError as error:
        return problem(error)
    return JsonResponse({"photos": told, "most": MAX_PHOTOS, "life_s": LIFE_S})


async def _page(request: HttpRequest, error: ChatError | None = None) -> HttpResponse:
    try:
        shown = [(photo, _payload(photo)) for photo in await _of_this_visitor(request)]
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
    return await _query(aphotos_of(ref_of(session_id)))


def _payload(photo: Photo) -> JSON:
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
