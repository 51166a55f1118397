from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from chat.shop.photos.models import Photo
from chat.shop.photos.queries import find
from chat.web.photo_responses import image_response
from chat.web.read_only import ReadOnlyAdmin

#: Who has one of these sees photos.
RIGHTS = ("chat.view_chatsession", "chat.view_ticket")


@admin.register(Photo)
class PhotoAdmin(ReadOnlyAdmin, admin.ModelAdmin[Photo]):
    """Photos of customers: looked at, never changed."""

    list_display = ["sent_at", "thumbnail", "ticket_number", "session_ref", "problem"]
    list_filter = [("ticket_number", admin.EmptyFieldListFilter), "sent_at"]
    search_fields = ["ticket_number", "session_ref"]
    list_per_page = 25
    fields = readonly_fields = (
        *("picture", "sent_at", "ticket_number", "session_ref", "problem"),
        *("width", "height", "bytes", "sha256"),
    )

    def get_urls(self) -> list[URLPattern]:
        image = self.admin_site.admin_view(self.image)
        return [
            path("<uuid:photo_id>/image/", image, name="chat_photo_image"),
            *super().get_urls(),
        ]

    def image(self, request: HttpRequest, photo_id: UUID) -> HttpResponse:
        """The picture itself, without a signature: the login says who looks."""
        photo = find(photo_id) if self.has_view_permission(request) else None
        if photo is None:
            raise Http404
        try:
            return image_response(photo, small="small" in request.GET)
        except OSError as error:
            raise Http404 from error

    @admin.display(description="photo")
    def thumbnail(self, photo: Photo) -> SafeString:
        address = reverse("admin:chat_photo_image", args=[photo.pk])
        return format_html(
            '<a href="{}"><img src="{}?small=1" alt="{}" height="96" loading="lazy"></a>',
            *(address, address, photo),
        )

    @admin.display(description="photo")
    def picture(self, photo: Photo) -> SafeString:
        address = reverse("admin:chat_photo_image", args=[photo.pk])
        return format_html(
            '<a href="{}"><img src="{}?small=1" alt="{}"></a>', address, address, photo
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return any(request.user.has_perm(right) for right in RIGHTS)
