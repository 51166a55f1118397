"""What readers of a conversation that cannot be read are told, by HTTP."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from django.test import AsyncClient

from chat.conversations import cookie
from tests.backends import use_redis
from tests.fakes import FakeLLM
from tests.program import Program

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client_of(settings: Any, flushed_redis: str):
    use_redis(settings, flushed_redis)
    client = redis.Redis.from_url(flushed_redis)
    yield client
    client.close()


async def test_program_is_told_a_code_and_begins_nothing_over_it(client_of, model):
    model(FakeLLM())
    program = Program()
    await program.ask(session_id="s", message_id="m1")
    client_of.set("session:s", '{"messages":[{"parts":[]}]}', keepttl=True)

    for ask in (
        program.get("/api/chat/s"),
        program.ask(session_id="s", message_id="m1"),
        program.ask("Encore", session_id="s", message_id="m2"),
        program.ask_in_events("Encore", session_id="s", message_id="m2"),
    ):
        response = await ask
        assert (response.status_code, response.json()["code"]) == (503, "session_unreadable")
        assert int(response["Retry-After"]) > 0
    assert client_of.get("chat:unreadable:s") == b'{"messages":[{"parts":[]}]}'
    assert not client_of.exists("session:s")
    assert (await program.call("DELETE", "/api/chat/s")).status_code == 204
    assert not client_of.exists("chat:unreadable:s")


async def test_visitor_is_told_so_and_may_open_another(client_of, model):
    model(FakeLLM())
    visitor, session_id = AsyncClient(), cookie.new_session_id()
    visitor.cookies[cookie.name()] = cookie.sign(session_id)
    await visitor.post("/messages/", {"id": "m1", "text": "Bonjour"})
    assert client_of.exists(f"session:{session_id}")
    client_of.set(f"session:{session_id}", "{", keepttl=True)

    page = (await visitor.get("/")).content.decode()

    assert 'data-ended-reason="unreadable"' in page
    assert '<p data-when="unreadable">Cette conversation ne peut pas être affichée' in page
    assert visitor.cookies[cookie.name()].value != cookie.sign(session_id)
    assert client_of.exists(f"chat:unreadable:{session_id}")
