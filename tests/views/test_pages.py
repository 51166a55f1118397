"""The forms of the page, for whoever has no JavaScript, and for whoever means no good."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import AsyncClient, Client
from django.urls import URLPattern

from chat.sessions import cookie
from chat.urls import urlpatterns
from tests.fakes import FakeLLM

FORMS = ["/messages/", "/conversation/stop/", "/conversation/new/", "/conversation/erase/"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", FORMS)
def test_form_of_another_site_is_refused(path):
    client = Client(enforce_csrf_checks=True)
    client.get("/")

    assert client.post(path, {"text": "Bonjour"}).status_code == 403


def test_every_form_is_among_them():
    pages = {f"/{pattern.pattern}" for pattern in urlpatterns if isinstance(pattern, URLPattern)}

    assert pages - {"/", "/conversation/export/"} == set(FORMS)


async def test_visitors_of_one_address_share_a_limit(model, settings):
    model(FakeLLM(["Bonjour"]))
    settings.ENV = replace(settings.ENV, chat_rate_per_address_per_minute=1, trusted_proxies=1)
    statuses = []
    for forwarded in ("203.0.113.7", "203.0.113.7", "192.0.2.1, 203.0.113.7"):
        client = AsyncClient(headers={"x-forwarded-for": forwarded})
        client.cookies[cookie.NAME] = cookie.sign(cookie.new_session_id())
        answer = await client.post("/messages/", {"text": "Bonjour"})
        statuses.append(answer.status_code)

    assert statuses == [302, 429, 429]


@pytest.mark.parametrize("path", ["/", "/conversation/export/"])
def test_browser_gets_an_id_of_our_making_whatever_it_brings(path):
    client = Client()
    client.cookies[cookie.NAME] = "chosen-by-zoe"
    client.get(path)

    made = cookie.session_id_from({cookie.NAME: client.cookies[cookie.NAME].value})
    assert made is not None
    assert made != "chosen-by-zoe"


def test_page_has_no_id_in_an_address():
    client = Client()
    session_id = cookie.new_session_id()
    client.cookies[cookie.NAME] = cookie.sign(session_id)

    assert session_id not in client.get("/").text
