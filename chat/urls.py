from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from chat.views import pages

app_name = "chat"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.chat, name="page"),
    path("messages/", pages.send, name="send"),
    path("conversation/stop/", pages.stop, name="stop"),
    path("conversation/new/", pages.new, name="new"),
    path("conversation/erase/", pages.erase, name="erase"),
    path("conversation/export/", pages.export, name="export"),
    path("", include("chat.views.api_urls")),
]
