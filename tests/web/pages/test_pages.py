"""The forms of the page, for whoever has no JavaScript, and for whoever means no good."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from django.test import AsyncClient, Client
from django.urls import URLPattern

from chat.conversations import cookie
from chat.conversations.handover import advisers
from chat.conversations.store.adviser_store import Adviser
from chat.urls import urlpatterns
from tests.fakes import FakeLLM

FORMS = [
    "/messages/",
    "/conversation/stop/",
    "/conversation/ask/",
    "/conversation/new/",
    "/conversation/erase/",
    "/rappel/",
    "/photos/",
    "/demande/valider/",
    "/demande/modifier/",
    "/demande/abandonner/",
]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", FORMS)
def test_form_of_another_site_is_refused(path):
    client = Client(enforce_csrf_checks=True)
    client.get("/")

    assert client.post(path, {"text": "Bonjour"}).status_code == 403


def test_every_form_is_among_them():
    pages = {f"/{pattern.pattern}" for pattern in urlpatterns if isinstance(pattern, URLPattern)}

    assert pages - {
        "/",
        "/conversation/export/",
        "/rappel/merci/",
        "/admin/",
        "/garanties/",
        "/produits/<str:reference>/",
        "/suivi/<str:token>/",  # tests/shop/tickets/test_page.py
        "/photos/<uuid:photo_id>/",
        "/photos/<uuid:photo_id>/delete/",  # tests/web/pages/test_photos.py
    } == set(FORMS)


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


def customer():
    client = AsyncClient()
    client.cookies[cookie.NAME] = cookie.sign(cookie.new_session_id())
    return client


async def test_adviser_is_asked_for_without_javascript(model):
    model(FakeLLM(["Bonjour"]))
    camille = customer()
    before = (await camille.get("/")).content.decode()
    await camille.post("/messages/", {"text": "Bonjour"})
    said = (await camille.get("/")).content.decode()

    answers = [await camille.post("/conversation/ask/") for _ in range(2)]

    after = (await camille.get("/")).content.decode()
    assert [answer.status_code for answer in answers] == [302, 302]
    shown = [re.search(r"data-ask( hidden)?>", page)[1] for page in (before, said, after)]
    assert shown == [" hidden", None, " hidden"]
    assert len(re.findall(r'data-message="[^"]+" data-author="system"', after)) == 1
    assert 'href="/rappel/"' in after


async def test_adviser_is_not_asked_for_before_the_first_word():
    answer = await customer().post("/conversation/ask/")

    assert answer.status_code == 422
    assert "Écrivez d&#x27;abord" in answer.content.decode()


async def test_who_answers_is_named_on_the_page(model):
    model(FakeLLM(["Bonjour"]))
    camille = customer()
    await camille.post("/messages/", {"text": "Bonjour"})
    session_id = cookie.session_id_from({cookie.NAME: camille.cookies[cookie.NAME].value})
    claire = Adviser("7", "Claire")
    await advisers.take_over(session_id, claire)
    await advisers.say(session_id, claire, "c1", "<b>Bonjour</b>")

    answer = await camille.post("/messages/", {"text": "Vous êtes là ?"}, follow=True)

    page = answer.content.decode()
    assert re.search(r"data-speaker><span data-name>Claire</span>", page)
    assert "&lt;b&gt;Bonjour&lt;/b&gt;" in page
    assert "data-waiting" not in page
    assert re.search(r"data-stop-button hidden", page)


async def test_conversation_without_a_word_is_exported_empty():
    answer = await customer().get("/conversation/export/")

    assert answer.status_code == 200
    whole = b"".join([part async for part in answer.streaming_content])
    assert json.loads(whole) == {
        "created_at": None,
        "expires_at": None,
        "form": None,
        "messages": [],
    }


@pytest.mark.parametrize(
    "path",
    [
        "/garanties/",
        "/produits/NOWHERE/",
        "/rappel/",
        "/rappel/merci/",
        "/suivi/nothing/",
        "/api/docs",
        "/api/openapi.json",
    ],
)
async def test_pages_without_a_conversation_count_for_their_address(settings, path):
    settings.ENV = replace(settings.ENV, page_rate_per_address_per_minute=2, trusted_proxies=1)
    zoe, camille = ({"x-forwarded-for": f"203.0.113.{end}"} for end in (7, 8))
    answers = [await AsyncClient().get(path, headers=zoe) for _ in range(3)]

    assert answers[1].status_code != 429
    assert answers[2].status_code == 429
    assert int(answers[2]["Retry-After"]) > 0
    other = await AsyncClient().get(path, headers=camille)
    assert other.status_code == answers[0].status_code


async def test_erasure_is_confirmed_on_a_page_of_its_own(model):
    model(FakeLLM(["Bonjour"]))
    camille = customer()
    await camille.post("/messages/", {"text": "Bonjour, je suis Camille"})

    question = await camille.get("/conversation/erase/")
    asked = question.content.decode()
    kept = (await camille.get("/")).content.decode()
    await camille.post("/conversation/erase/")
    erased = (await camille.get("/")).content.decode()

    assert (question.status_code, "no-store" in question["Cache-Control"]) == (200, True)
    assert re.search(r'<form [^>]*method="post" action="/conversation/erase/"', asked)
    assert not re.search(r'<form method="post" action="/conversation/erase/" data-erase', kept)
    assert "je suis Camille" in kept
    assert "je suis Camille" not in erased
