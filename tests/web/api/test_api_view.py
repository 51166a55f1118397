"""Who may use the API, and how often."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async

from chat.web.access.authenticator import AUTHENTICATOR
from chat.web.access.services import create_key, revoke_keys
from tests.fakes import FakeLLM
from tests.program import Program

PATHS = [
    ("POST", "/api/chat"),
    ("GET", "/api/chat/s"),
    ("DELETE", "/api/chat/s"),
    ("GET", "/api/chat/sessions/count"),
]
CLOSED = pytest.mark.usefixtures("locked_api")
DATABASE = pytest.mark.django_db(transaction=True)

acreate_key = sync_to_async(create_key)


async def program_with_a_key(name: str = "site web") -> Program:
    return Program((await acreate_key(name))[1])


@CLOSED
@pytest.mark.parametrize("method, path", PATHS)
@pytest.mark.parametrize(
    "sent", [None, "", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "mdf_a_b", "Bearer é"]
)
async def test_nothing_is_done_without_a_key(method, path, sent):
    headers = {} if sent is None else {"Authorization": sent}

    response = await Program().call(method, path, '{"message": "Bonjour"}', **headers)

    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@CLOSED
@pytest.mark.parametrize("path", ["/api/openapi.json", "/healthz"])
async def test_what_is_public_needs_no_key(path):
    assert (await Program().get(path)).status_code == 200


@CLOSED
@DATABASE
async def test_a_key_sees_the_sessions_that_it_made_and_no_other(model):
    model(FakeLLM())
    camille, zoe = await program_with_a_key("camille"), await program_with_a_key("zoe")

    assert (await camille.ask(session_id="s")).status_code == 200

    assert (await camille.get("/api/chat/s")).status_code == 200
    for response in (
        await zoe.get("/api/chat/s"),
        await zoe.call("DELETE", "/api/chat/s"),
        await zoe.ask(session_id="s"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "session_not_found")
    await AUTHENTICATOR.get().settle()


@DATABASE
async def test_a_key_is_checked_even_where_none_is_needed(model):
    model(FakeLLM())
    keyed, open_, wrong = await program_with_a_key(), Program(), Program("mdf_nonsense")

    await keyed.ask(session_id="s")

    assert (await open_.get("/api/chat/s")).status_code == 404
    assert (await wrong.get("/api/chat/sessions/count")).status_code == 401
    await AUTHENTICATOR.get().settle()


@CLOSED
@DATABASE
async def test_a_revoked_key_is_refused():
    row, text = await acreate_key("site web")
    await sync_to_async(revoke_keys)([row.pk])

    assert (await Program(text).get("/api/chat/sessions/count")).status_code == 401


@pytest.mark.usefixtures("backend")
async def test_an_open_api_is_limited_by_address(settings):
    settings.ENV = replace(settings.ENV, api_rate_per_minute=2)
    program = Program()

    responses = [await program.get("/api/chat/sessions/count") for _ in range(3)]

    assert [response.status_code for response in responses] == [200, 200, 429]
    assert responses[2].json()["code"] == "rate_limited"
    assert 1 <= int(responses[2].headers["Retry-After"]) <= 60


@CLOSED
@DATABASE
async def test_each_key_has_its_own_limit_and_strangers_one_for_all(settings):
    settings.ENV = replace(settings.ENV, api_rate_per_minute=2)
    camille = await program_with_a_key("camille")
    strangers = [Program(f"mdf_{n:012x}_{'a' * 43}") for n in range(2)]
    path = "/api/chat/sessions/count"

    statuses = [(await program.get(path)).status_code for program in (camille, camille, camille)]
    refused = [(await program.get(path)).status_code for program in strangers]

    assert statuses == [200, 200, 429]
    assert refused == [401, 429]  # the first use of Camille's key counted as a stranger's
    await AUTHENTICATOR.get().settle()
