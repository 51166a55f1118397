"""Addresses for programs, each with or without a slash at its end: no redirect loses a POST.

One row per path of ``openapi.py``; a test compares them.
"""

from __future__ import annotations

from django.urls import URLPattern, re_path
from django.views import View

from chat.web import health
from chat.web.api import chat, docs

ROUTES: dict[str, tuple[type[View], str]] = {
    "/api/chat": (chat.Ask, "api_chat"),
    "/api/chat/sessions/count": (chat.SessionCount, "api_session_count"),
    "/api/chat/{session_id}": (chat.Conversation, "api_conversation"),
    "/api/openapi.json": (docs.OpenAPI, "api_openapi"),
    "/api/docs": (docs.Docs, "api_docs"),
    "/healthz": (health.Health, "healthz"),
    "/readyz": (health.Readiness, "readyz"),
    "/metrics": (health.Metrics, "metrics"),
}


def _pattern(template: str) -> str:
    """An id takes anything, line ends too: what is wrong with it is said by its view."""
    path = template.removeprefix("/").replace(".", r"\.")
    return "^" + path.replace("{session_id}", r"(?P<session_id>[\s\S]+?)") + r"/?\Z"


urlpatterns: list[URLPattern] = [
    *(
        re_path(_pattern(template), view.as_view(), name=name)
        for template, (view, name) in ROUTES.items()
    ),
    re_path(r"^api(/[\s\S]*)?\Z", chat.Nowhere.as_view(), name="api_nowhere"),
]
