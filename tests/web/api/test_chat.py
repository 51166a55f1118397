from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from chat.conversations.handover import advisers
from chat.conversations.store.adviser_store import Adviser
from chat.conversations.store.protocol import STORE, WEB_OWNER
from chat.core.errors import AssistantUnavailable
from chat.web.api.chat import ADVISER_ANSWERS
from tests.builders import question
from tests.fakes import FakeLLM
from tests.program import Program, events_in
from tests.stores import FaultyStore

pytestmark = pytest.mark.usefixtures("backend")


async def test_a_first_message_opens_a_session_that_can_be_read(model, backend):
    model(FakeLLM(["Bonjour", " **Jean** !"]))
    program = Program()

    response = await program.ask("Hello, I need a sofa")
    body = response.json()
    conversation = (await program.get(f"/api/chat/{body['session_id']}")).json()

    assert response.status_code == 200
    assert body == {
        "response": "Bonjour **Jean** !",
        "session_id": body["session_id"],
        "message_id": conversation["messages"][0]["id"],
        "language": "en",
        "interrupted": False,
    }
    assert [(m["author"], m["text"]) for m in conversation["messages"]] == [
        ("customer", "Hello, I need a sofa"),
        ("assistant", "Bonjour **Jean** !"),
    ]
    assert conversation["messages"][1]["html"] == "<p>Bonjour <strong>Jean</strong> !</p>"
    assert conversation["messages"][1]["reply_to"] == body["message_id"]
    assert conversation["speaker"] == "assistant"
    assert (await program.get("/api/chat/sessions/count")).json() == {
        "active_sessions": 1,
        "storage_backend": backend,
    }


async def test_the_same_message_id_has_one_effect_and_one_answer(model):
    llm = model(FakeLLM(["Un."]))
    program = Program()

    first = await program.ask("Bonjour", session_id="s", message_id="m")
    again = await program.ask("Bonjour", session_id="s", message_id="m")
    other = await program.ask("Autre chose", session_id="s", message_id="m")

    assert again.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (409, "id_conflict")
    assert len(llm.asked) == 1


async def test_an_erased_session_is_gone_and_its_id_begins_anew(model):
    model(FakeLLM())
    program = Program()
    await program.ask("Mon secret", session_id="s")

    erased = await program.call("DELETE", "/api/chat/s")

    assert (erased.status_code, erased.content) == (204, b"")
    for method in ("GET", "DELETE"):
        response = await program.call(method, "/api/chat/s")
        assert (response.status_code, response.json()["code"]) == (404, "session_not_found")
    assert (await program.get("/api/chat/sessions/count")).json()["active_sessions"] == 0
    assert (await program.ask("Bonjour", session_id="s")).status_code == 200
    messages = (await program.get("/api/chat/s")).json()["messages"]
    assert [m["text"] for m in messages] == ["Bonjour", "Bonjour !"]


async def test_a_late_retry_after_an_erasure_revives_nothing(model):
    llm = model(FakeLLM())
    program = Program()
    await program.ask("Mon secret", session_id="s", message_id="m1")
    await program.call("DELETE", "/api/chat/s")

    for ask in (program.ask, program.ask_in_events):
        late = await ask("Mon secret", session_id="s", message_id="m1")
        assert (late.status_code, late.json()["code"]) == (404, "session_not_found")
    assert (await program.get("/api/chat/s")).status_code == 404
    assert (await program.ask("Rebonjour", session_id="s", message_id="m2")).status_code == 200
    late = await program.ask("Mon secret", session_id="s", message_id="m1")
    messages = (await program.get("/api/chat/s")).json()["messages"]

    assert late.status_code == 404
    assert [m["text"] for m in messages] == ["Rebonjour", "Bonjour !"]
    assert len(llm.asked) == 2


async def test_a_browsers_session_is_not_reachable(model):
    model(FakeLLM())
    await STORE.get().accept("web-1", WEB_OWNER, question("Mon secret"), create="always")
    program = Program()

    for response in (
        await program.get("/api/chat/web-1"),
        await program.call("DELETE", "/api/chat/web-1"),
        await program.ask(session_id="web-1"),
        await program.ask_in_events(session_id="web-1"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "session_not_found")
    assert len((await STORE.get().load("web-1", WEB_OWNER)).messages) == 1


async def test_a_model_that_is_away_is_told_with_when_to_come_back(model):
    model(FakeLLM([], error=AssistantUnavailable()))

    response = await Program().ask()

    assert (response.status_code, response.json()["code"]) == (503, "assistant_unavailable")
    assert response.headers["Retry-After"] == "5"
    assert response.headers["Content-Type"] == "application/problem+json"


async def test_the_deadline_holds_and_what_was_written_is_kept(model, settings):
    settings.ENV = replace(settings.ENV, chat_timeout_s=0.2)
    program = Program()

    model(FakeLLM([], hangs=True))
    silent = await program.ask(session_id="s1")
    model(FakeLLM(["Je regar"], hangs=True))
    partial = await program.ask(session_id="s2")

    assert (silent.status_code, silent.json()["code"]) == (504, "assistant_timeout")
    assert (partial.status_code, partial.json()["response"]) == (200, "Je regar")
    assert partial.json()["interrupted"] is True


async def test_a_bug_goes_out_as_a_reference_and_nothing_else(replace_parts, caplog):
    broken = FaultyStore.of(STORE.get(), accept=RuntimeError("sk-secret"))
    replace_parts(STORE.to(broken))

    response = await Program().ask("Mon secret")

    problem = response.json()
    assert (response.status_code, problem["code"]) == (500, "internal")
    assert problem["error_id"] in problem["detail"]
    assert "sk-secret" not in response.content.decode()
    [record] = [r for r in caplog.records if problem["error_id"] in r.getMessage()]
    assert record.exc_info is not None
    assert "Mon secret" not in caplog.text


async def test_a_caller_who_leaves_does_not_end_the_turn(model):
    llm = model(FakeLLM(["Bonjour"], hangs=True))
    program = Program()

    asking = asyncio.create_task(program.ask(session_id="s", message_id="m"))
    async with asyncio.timeout(5):
        await llm.spoke.wait()
    asking.cancel()
    await asyncio.wait({asking})

    assert llm.closed == 0
    assert (await STORE.get().load("s", "api")).waiting == ("m",)
    await program.call("DELETE", "/api/chat/s")


@pytest.mark.parametrize(
    "path", ["/api/chat", "/api/chat/", "/api/chat/sessions/count/", "/api/docs/", "/api/inconnu"]
)
async def test_a_slash_at_the_end_changes_nothing(path):
    response = await Program().call("OPTIONS", path)

    assert response.status_code == 204
    assert "OPTIONS" in response.headers["Allow"]
    assert not [name for name in response.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    "method, path, allow",
    [
        ("GET", "/api/chat", "POST, OPTIONS"),
        ("PUT", "/api/chat/s", "GET, DELETE, HEAD, OPTIONS"),
        ("POST", "/api/chat/sessions/count", "GET, HEAD, OPTIONS"),
        ("BREW", "/api/docs", "GET, HEAD, OPTIONS"),
    ],
)
async def test_another_method_is_told_which_there_are(method, path, allow):
    response = await Program().client.generic(method, path)

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert sorted(response.headers["Allow"].split(", ")) == sorted(allow.split(", "))


async def test_head_is_get_without_a_body(model):
    model(FakeLLM())
    program = Program()
    await program.ask(session_id="s")

    assert (await program.client.head("/api/chat/s")).status_code == 200
    assert (await program.client.head("/api/chat/other")).status_code == 404


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/inconnu", "/api/chat2", "/api/x\n"])
async def test_an_unknown_address_is_a_problem_too(path):
    response = await Program().get(path)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("pieces", [[], ["Il était"]])
async def test_a_takeover_ends_the_question_of_a_program(model, pieces):
    llm = model(FakeLLM(pieces, hangs=True))
    asking = asyncio.create_task(Program().ask(session_id="s", message_id="m"))
    await llm.spoke.wait()

    await advisers.take_over("s", Adviser("7", "Claire"))
    answer = (await asking).json()
    later = (await Program().ask(session_id="s", message_id="n")).json()

    assert (answer["response"], answer["interrupted"]) == (
        (pieces[0], True) if pieces else (ADVISER_ANSWERS, False)
    )
    assert (later["response"], later["interrupted"]) == (ADVISER_ANSWERS, False)
    read = (await Program().get("/api/chat/s")).json()
    assert read["speaker"] == "adviser"


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("pieces", [[], ["Il était"]])
async def test_a_takeover_ends_a_stream_of_events(model, pieces):
    llm = model(FakeLLM(pieces, hangs=True))
    response = await Program().ask_in_events(session_id="s", message_id="m")
    reading = asyncio.create_task(events_in(response))
    await llm.spoke.wait()

    await advisers.take_over("s", Adviser("7", "Claire"))
    events = [event for _number, event in await reading]

    changed = {"type": "speaker.changed", "speaker": "adviser", "name": "Claire"}
    if pieces:
        assert events[-2] == changed
        done = events[-1]["message"]
        assert (done["text"], done["interrupted"], done["reply_to"]) == ("Il était", True, "m")
    else:
        assert events[-1] == changed
    types = [event["type"] for event in events]
    assert types.count("message.done") == len(pieces)
