"""The address at which a customer sees a photo: signed, for that one only, for an hour."""

from __future__ import annotations

from uuid import UUID

from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse
from django.utils.http import urlencode

from chat.photos.models import Photo

LIFE_S = 3600
_signer = TimestampSigner(salt="chat.photos.link")


def link(photo: Photo, *, small: bool = False) -> str:
    """``/photos/<id>/?s=…``; made anew for each page that shows it."""
    token = _signer.sign(str(photo.pk)).partition(":")[2]
    query = {"s": token, **({"small": "1"} if small else {})}
    return f"{reverse('chat:photo', args=[photo.pk])}?{urlencode(query)}"


def is_signed(photo_id: UUID, token: str) -> bool:
    """Whether this token was made here, for this photo, less than ``LIFE_S`` ago."""
    try:
        _signer.unsign(f"{photo_id}:{token}", max_age=LIFE_S)
    except BadSignature:
        return False
    return True
