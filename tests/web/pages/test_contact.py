"""Leaving an e-mail address to be called back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import AsyncClient

from chat.conversations import cookie
from chat.conversations.handover.models import ContactRequest
from chat.core.ids import ref_of
from chat.ops.ending import erase_session
from tests import database
from tests.fakes import FakeLLM

pytestmark = pytest.mark.django_db(transaction=True)

LEFT = {"email": "Camille@example.test", "subject": "Mon canapé"}


@pytest.fixture
def session_id():
    return cookie.new_session_id()


@pytest.fixture
async def camille(model, session_id):
    """A browser whose conversation has begun."""
    model(FakeLLM(["Bonjour"]))
    client = AsyncClient()
    client.cookies[cookie.NAME] = cookie.sign(session_id)
    await client.post("/messages/", {"text": "Bonjour"})
    return client


async def rows():
    return [row async for row in ContactRequest.objects.all()]


async def test_address_is_kept_once_however_often_it_is_sent(camille, session_id):
    page = await camille.get("/rappel/")
    answers = [await camille.post("/rappel/", LEFT) for _ in range(3)]
    thanks = await camille.get(answers[0].headers["Location"])

    assert page.status_code == thanks.status_code == 200
    assert "Merci" in thanks.content.decode()
    assert [answer.status_code for answer in answers] == [302] * 3
    (row,) = await rows()
    assert (row.session_ref, row.email, row.subject) == (
        ref_of(session_id),
        "camille@example.test",
        "Mon canapé",
    )


@pytest.mark.parametrize(
    "left",
    [{}, {"email": "camille"}, {**LEFT, "subject": "x" * 501}, {"email": "a@b.c\r\nBcc: z@z.fr"}],
)
async def test_what_is_wrong_is_said_and_given_back(camille, left):
    answer = await camille.post("/rappel/", left)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert left.get("subject", "") in answer.content.decode()
    assert await rows() == []


async def test_stranger_without_a_conversation_leaves_nothing():
    client = AsyncClient()
    assert (await client.post("/rappel/", LEFT)).status_code == 404
    client.cookies[cookie.NAME] = cookie.sign(cookie.new_session_id())
    assert (await client.post("/rappel/", LEFT)).status_code == 404
    assert await rows() == []


async def test_database_that_is_away_is_said(camille):
    with database.refusing(f'INSERT INTO "{ContactRequest._meta.db_table}"'):
        answer = await camille.post("/rappel/", LEFT)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "pas pu être enregistrée" in answer.content.decode().replace("&#x27;", "'")
    assert "Camille@example.test" in answer.content.decode()


async def test_sending_is_limited(camille, settings):
    settings.ENV = replace(settings.ENV, chat_rate_per_minute=2)

    statuses = [(await camille.post("/rappel/", LEFT)).status_code for _ in range(4)]

    assert 429 in statuses


async def test_erasing_the_conversation_erases_the_address(camille, session_id):
    await camille.post("/rappel/", LEFT)

    await erase_session(session_id, "web")

    assert await rows() == []
