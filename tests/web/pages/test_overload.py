"""A worker that has too much to do: what its visitors are told, and that nothing is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest
from django.test import AsyncClient

from chat.conversations import cookie
from chat.conversations.store.protocol import STORE, WEB_OWNER
from chat.core.errors import Overloaded, SessionNotFound
from chat.core.load import MAX_AT_ONCE, OVERLOAD
from tests.fakes import FakeLLM
from tests.program import Program
from tests.web.sockets.test_customer import open_tab, say, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("backend")]


@pytest.fixture
async def crowded(settings, model) -> AsyncIterator[Callable[[], None]]:
    """Twice as many questions under way as there are connections, and none comes to its end.

    What is given ends them all.
    """
    model(FakeLLM(["Bonjour"]))
    settings.ENV = replace(settings.ENV, chat_timeout_s=2.0)
    overload = OVERLOAD.get()
    ends = [overload.begin() for _ in range(2 * MAX_AT_ONCE)]
    async with asyncio.timeout(20):
        while True:
            try:
                overload.check(0, 2.0)
            except Overloaded:
                break
            await asyncio.sleep(0.05)

    def clear() -> None:
        while ends:
            ends.pop()(False)

    yield clear
    clear()


async def is_stored(session_id: str) -> bool:
    try:
        return bool((await STORE.get().load(session_id, WEB_OWNER)).messages)
    except SessionNotFound:
        return False


async def test_program_is_told_when_to_come_back(crowded):
    response = await Program().ask("Bonjour")

    assert response.status_code == 503
    assert response.json()["code"] == "assistant_unavailable"
    assert 1 <= int(response.headers["Retry-After"]) <= 30
    assert await STORE.get().count() == 0


async def test_page_hears_it_of_its_own_message_which_is_not_stored(crowded):
    session_id = cookie.new_session_id()
    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        await say(tab)
        (error,) = await until(tab, "error")

    assert (error["code"], error["id"]) == ("assistant_unavailable", "q1")
    assert 1 <= error["retry_after_s"] <= 30
    assert not await is_stored(session_id)


async def test_form_gives_the_text_back(crowded):
    session_id = cookie.new_session_id()
    client = AsyncClient()
    client.cookies[cookie.NAME] = cookie.sign(session_id)
    response = await client.post("/messages/", {"text": "Je cherche un canapé"})

    assert response.status_code == 503
    assert 1 <= int(response.headers["Retry-After"]) <= 30
    assert "Je cherche un canapé</textarea>" in response.text
    assert not await is_stored(session_id)


async def test_worker_takes_questions_again_once_the_others_have_their_end(crowded):
    refused = await Program().ask("Bonjour")
    crowded()

    assert refused.status_code == 503
    assert (await Program().ask("Bonjour")).status_code == 200
