"""Signed URLs of photos, each valid for one photo and for an hour."""

from __future__ import annotations

from uuid import UUID

from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse
from django.utils.http import urlencode

from chat.shop.photos.models import Photo

LIFE_S = 3600
_signer = TimestampSigner(salt="chat.photos.link")


def link(photo: Photo, *, small: bool = False, version: int | None = None) -> str:
    """Return ``/photos/<id>/?s=…``, signed again for each page view.

    ``version``: of the customer's link to the ticket page; revoking that link invalidates the URL.
    """
    named = "" if version is None else str(version)
    token = _signer.sign(_value(photo.pk, named)).partition(":")[2]
    query = {"s": token, **({"v": named} if named else {}), **({"small": "1"} if small else {})}
    return f"{reverse('chat:photo', args=[photo.pk])}?{urlencode(query)}"


def is_signed(photo_id: UUID, token: str, version: str = "") -> bool:
    """Return whether a token is a valid signature for this photo, not older than ``LIFE_S``.

    ``version``: from the URL, "" for none.
    """
    try:
        _signer.unsign(f"{_value(photo_id, version)}:{token}", max_age=LIFE_S)
    except BadSignature:
        return False
    return True


def _value(photo_id: UUID, version: str) -> str:
    return f"{photo_id}.{version}" if version else str(photo_id)
