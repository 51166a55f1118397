from __future__ import annotations

import json

import pytest

from chat.assistant.stream import ToolCall
from chat.assistant.tools import TOOLS, use
from chat.assistant.tools.ask_for_human import TOOL, HumanReason
from chat.assistant.tools.types import ToolContext
from chat.conversations.store.protocol import STORE
from chat.conversations.types import Author
from chat.core.errors import StoreUnavailable
from chat.turns.turn import take_turn
from devtools.local_assistant.phrasing import phrase_results
from devtools.local_assistant.tools import Call
from tests.builders import JEAN, ask, question
from tests.devtools.local_assistant.asking import reply
from tests.fakes import FakeLLM
from tests.stores import FaultyStore

HUMAN = TOOL.name


async def ask_human(store, arguments='{"reason": "demande_du_client"}'):
    return await use(TOOL, arguments, ToolContext(await store.load(JEAN, "api"), ""))


async def test_tool_is_offered():
    assert TOOL in TOOLS


async def test_one_effect_however_often_and_the_application_tells_it(store):
    await ask(store)

    told = [await ask_human(store) for _ in range(3)]

    assert told[0] != told[1] == told[2]
    assert all(set(result) == {"message"} for result in told)
    session = await store.load(JEAN, "api")
    assert session.asked_at is not None
    assert [m.author for m in session.messages] == [Author.CUSTOMER, Author.SYSTEM]
    (event,) = await store.staff_notes(JEAN)
    assert event.data == {"reason": "demande_du_client"}


async def test_model_is_told_the_same_when_a_rule_was_quicker(store):
    await ask(store)
    context = ToolContext(await store.load(JEAN, "api"), "")
    first = await use(TOOL, '{"reason": "reclamation"}', context)

    assert await use(TOOL, '{"reason": "reclamation"}', context) == first


@pytest.mark.parametrize("arguments", ["{}", '{"reason": "ennui"}', '{"reason": []}', "[]", "{"])
async def test_arguments_that_make_no_sense_have_no_effect(store, arguments):
    await ask(store)

    assert "error" in await ask_human(store, arguments)
    assert (await store.load(JEAN, "api")).asked_at is None


async def test_store_that_is_away_is_told_to_the_model(store, replace_parts):
    await ask(store)
    session = await store.load(JEAN, "api")
    replace_parts(STORE.to(FaultyStore.of(store, ask_for_adviser=StoreUnavailable())))

    told = await use(TOOL, '{"reason": "autre"}', ToolContext(session, ""))

    assert told["error"].startswith("L'équipe n'a pas pu être prévenue")


async def test_announcement_stands_before_the_answer_and_is_not_the_models(store, model):
    call = ToolCall("c1", TOOL.name, '{"reason": "reclamation"}')
    llm = model(FakeLLM([(call,)], rounds=[["C'est transmis."]]))

    await (await take_turn(JEAN, owner="api", message_id="q1", text="Un humain !")).ended()

    said = (await store.load(JEAN, "api")).messages
    assert [m.author for m in said] == [Author.CUSTOMER, Author.SYSTEM, Author.ASSISTANT]
    assert said[1].text not in json.dumps(llm.asked, ensure_ascii=False)


@pytest.mark.parametrize(
    "text",
    [
        "je veux parler à un humain",
        "Je voudrais un conseiller s'il vous plaît",
        "passez-moi une vraie personne",
        "Je peux parler à quelqu'un ?",
    ],
)
def test_local_assistant_calls_it_for_a_guest_who_asks(text):
    called = reply(text, tools=(HUMAN,))

    assert isinstance(called, Call)
    assert called.name == TOOL.name
    HumanReason(json.loads(called.arguments)["reason"])


async def test_local_assistant_says_what_came_of_it(store):
    await store.accept(JEAN, "api", question(), create="always")
    result = await ask_human(store)

    said = phrase_results([json.dumps(result, ensure_ascii=False)])

    assert said.startswith("L'information affichée dans la conversation dit quand")
