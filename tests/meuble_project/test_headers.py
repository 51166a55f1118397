"""Every answer, refusals included, tells browsers what not to do with it."""

from __future__ import annotations

import pytest
from django.test import AsyncClient, Client

from chat.conversations.store.protocol import STORE
from chat.core.errors import PayloadTooLarge
from server.limits import problem

PROTECTING = {
    "Content-Security-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
}
ASKED = [
    ("GET", "/", {}, 200),
    ("GET", "/", {"host": "zoe.test"}, 400),
    ("GET", "/nowhere", {}, 404),
    ("GET", "/messages", {}, 301),
    ("POST", "/messages/", {}, 403),
    ("GET", "/messages/", {}, 405),
    ("GET", "/conversation/export/", {}, 404),
    ("GET", "/admin/", {}, 302),
    ("GET", "/admin/login/", {}, 200),
    ("GET", "/static/chat/css/page.css", {}, 200),
    ("GET", "/static/nowhere.css", {}, 404),
    ("GET", "/api/docs", {}, 200),
    ("GET", "/api/nowhere", {}, 404),
    ("POST", "/api/chat", {}, 400),
    ("GET", "/healthz", {}, 200),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("method", "path", "headers", "status"), ASKED)
async def test_answer_is_protected(settings, method, path, headers, status):
    settings.ALLOWED_HOSTS = ["testserver"]
    client = AsyncClient(enforce_csrf_checks=True)
    answer = await client.generic(method, path, headers=headers)

    assert answer.status_code == status
    assert set(answer.headers) >= PROTECTING


@pytest.mark.django_db
def test_page_that_fails_is_protected_and_says_nothing(settings, replace_parts):
    """Django's own page of a failure would show settings and variables."""
    client = Client(raise_request_exception=False)
    replace_parts(STORE.refusing())  # asking for it fails
    answer = client.get("/")

    assert answer.status_code == 500
    assert set(answer.headers) >= PROTECTING
    assert "Traceback" not in answer.text
    assert "must not be needed" not in answer.text


def test_what_the_server_refuses_itself_is_what_it_says():
    assert (b"x-content-type-options", b"nosniff") in problem(PayloadTooLarge())[0]


@pytest.mark.django_db
def test_page_may_not_use_what_it_does_not_need():
    policy = Client().get("/").headers["Permissions-Policy"]

    assert {"camera=()", "geolocation=()", "microphone=()"} <= set(policy.split(", "))
