"""A human is called beside the answer, and danger is always told what to do first."""

from __future__ import annotations

from dataclasses import replace

from chat.assistant import escalation
from chat.assistant.escalation import LEADS, Reason
from chat.conversations.realtime.events import EncodedEvent
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.types import Author, End
from chat.turns.turn import answer_question, take_turn
from tests.builders import JEAN, ask, leased, queue_for
from tests.fakes import FakeLLM


async def told(store, *texts: str) -> list[str]:
    """Say these one after the other; return what the application said."""
    for number, text in enumerate(texts):
        turn = await take_turn("camille", owner="web", message_id=f"q{number}", text=text)
        await turn.ended()
        await escalation.settle()
    session = await store.load("camille", "web")
    return [message.text for message in session.messages if message.author is Author.SYSTEM]


async def test_danger_calls_a_human_with_what_to_do_first(store, model):
    model(FakeLLM("Je regarde."))

    (announced,) = await told(store, "Le lit s'est effondré, je suis blessé")

    assert announced.startswith(LEADS[Reason.DANGER])
    assert (await store.load("camille", "web")).asked_at is not None


async def test_danger_is_told_what_to_do_though_a_human_was_called_before(store, model):
    model(FakeLLM("Je regarde."))

    said = await told(
        store, "C'est scandaleux", "Et le lit s'est effondré, je suis blessé", "Du feu, des flammes"
    )

    assert len(said) == 2
    assert said[0].startswith(LEADS[Reason.ANGER])
    assert said[1] == LEADS[Reason.DANGER]


async def test_danger_calls_a_human_though_the_answer_was_stopped_before_it_began(store, model):
    llm = model(FakeLLM("Je regarde."))
    await ask(store, "Le lit s'est effondré, je suis blessé")
    lease = replace(await leased(store), again=True)
    queue = queue_for(store)
    stopped = []

    async def stop_at_once(_event: EncodedEvent) -> None:
        stopped.append(queue.stop())

    async with PUBSUB.get().subscribe(JEAN, stop_at_once):
        await answer_question(lease, queue)
    await escalation.settle()

    assert stopped[0]
    assert llm.asked == []
    outcome = await store.outcome(JEAN, "q1")
    assert outcome is not None
    assert outcome.end is End.STOPPED

    assert (await store.load(JEAN, "api")).asked_at is not None


async def test_a_search_calls_nobody(store, model):
    model(FakeLLM("Voici."))

    assert await told(store, "Je cherche un canapé convertible à moins de 2500 €") == []
