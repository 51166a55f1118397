"""A photo as an HTTP answer, for customers and for the staff alike."""

from __future__ import annotations

from django.http import HttpResponse

from chat.shop.photos import files
from chat.shop.photos.models import Photo


def image_response(photo: Photo, *, small: bool = False) -> HttpResponse:
    """Return the picture: shown, never run, never kept by a browser or a proxy.

    Raises:
        OSError: there is no such file.
    """
    return HttpResponse(
        files.read(photo.name, small=small),
        content_type="image/jpeg",
        headers={
            "Content-Disposition": 'inline; filename="photo.jpg"',
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )
