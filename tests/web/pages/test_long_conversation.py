"""A conversation of many messages: shown in parts, exported whole."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from django.test import AsyncClient

from chat.conversations import cookie
from chat.conversations.store.protocol import STORE, WEB_OWNER
from chat.conversations.types import Author, End, Message, Outcome
from chat.core.ids import ref_of
from chat.core.rate_limits import PAGE_COUNTER, PAGES_AT_ONCE, PageCounter
from tests.staff import logged_in

pytestmark = pytest.mark.django_db(transaction=True)

TURNS = 60
LIST = "/admin/chat/chatsession/"


@pytest.fixture
async def long(backend):
    """The id of a conversation of 120 messages, q0 a0 … q59 a59."""
    store = STORE.get()
    session_id = cookie.new_session_id()
    for n in range(TURNS):
        question = Message(author=Author.CUSTOMER, id=f"q{n}", text=f"Question {n}")
        given = {"create": "always", "answer_id": f"a{n}"}
        lease = (await store.accept(session_id, WEB_OWNER, question, **given)).lease
        answer = Message(
            author=Author.ASSISTANT, id=f"a{n}", text=f"**Réponse** {n}", reply_to=f"q{n}"
        )
        await store.finish(lease, Outcome(end=End.DONE, answer_id=f"a{n}"), answer)
    return session_id


@pytest.fixture
def camille(long):
    client = AsyncClient()
    client.cookies[cookie.NAME] = cookie.sign(long)
    return client


def shown(page: str) -> list[str]:
    return re.findall(r'data-message="([qa]\d+)"', page)


def earlier(page: str) -> str | None:
    """The message before which the button of older messages asks, None when it is hidden."""
    (form,) = re.findall(r"<form[^>]*data-earlier.*?</form>", page, re.DOTALL)
    if "data-earlier hidden" in form:
        return None
    (message_id,) = re.findall(r'name="avant" value="(\w+)"', form)
    return str(message_id)


async def test_page_shows_the_last_messages_and_leads_to_all_others(camille):
    pages = [(await camille.get("/")).text]
    while (before := earlier(pages[0])) is not None:
        pages.insert(0, (await camille.get(f"/?avant={before}")).text)

    assert [len(shown(page)) for page in pages] == [20, 50, 50]
    assert [id_ for page in pages for id_ in shown(page)] == [
        f"{author}{n}" for n in range(TURNS) for author in "qa"
    ]
    assert ["data-later" in page for page in pages] == [True, True, False]
    assert "Afficher les messages précédents" in pages[-1]


@pytest.mark.parametrize("before", ["elsewhere", "", "<script>", "x" * 5_000])
async def test_page_before_a_message_that_is_not_there_is_the_last_one(camille, before):
    page = (await camille.get("/", {"avant": before})).text

    assert shown(page)[-1] == "a59"
    assert '<script>"' not in page


async def test_export_has_all_messages(camille):
    response = await camille.get("/conversation/export/")
    exported = json.loads(b"".join([part async for part in response]))

    assert len(exported["messages"]) == 2 * TURNS
    assert exported["messages"][1]["html"] == "<p><strong>Réponse</strong> 0</p>"


async def test_desk_shows_the_last_messages_and_leads_to_all_others(long):
    karim = await logged_in("karim")
    pages = [(await karim.get(f"{LIST}{ref_of(long)}/")).text]
    while (before := earlier(pages[0])) is not None:
        url = f"{LIST}{ref_of(long)}/?avant={before}"
        pages.insert(0, (await karim.get(url)).text)

    assert [len(shown(page)) for page in pages] == [20, 50, 50]
    assert shown(pages[0])[0] == "q0"


async def test_who_asks_for_too_many_pages_is_told_when_to_come_back(camille, replace_parts):
    replace_parts(PAGE_COUNTER.to(PageCounter(clock=lambda: 0.0)))
    answers = [await camille.get("/") for _ in range(PAGES_AT_ONCE + 20)]
    refused = [answer for answer in answers if answer.status_code == 429]

    assert answers[0].status_code == 200
    assert len(refused) == 20
    assert refused[0].headers["Retry-After"] == "1"
    assert "Réessayez dans un instant" in refused[0].text
    assert shown(refused[0].text) == []


async def test_one_address_is_shown_so_many_pages_whoever_asks(backend, settings):
    settings.ENV = replace(settings.ENV, page_rate_per_address_per_minute=2)
    statuses = [(await AsyncClient().get("/")).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]
