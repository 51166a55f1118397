"""An adviser comes while the model writes: at every moment, on memory and on Redis."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import get_channel_layer

from chat.assistant.llm import LLM_CLIENT
from chat.conversations.handover import advisers
from chat.conversations.realtime.pubsub import PUBSUB, PubSub, SpeakerFilter
from chat.conversations.store.protocol import STORE
from chat.conversations.types import Author, End
from chat.core.errors import AssignedToAnother
from chat.turns.viewers import read_state
from tests.builders import leased, question
from tests.conversations.handover.cast import (
    CAMILLE,
    CLAIRE,
    KARIM,
    Talker,
    ask,
    ends,
    events,
    lines,
    of_model,
    said,
)
from tests.conversations.store.cast import announced
from tests.fakes import FakeLLM, Listener
from tests.stores import FaultyStore

TAKEN = "Claire, du magasin, vous répond maintenant."


async def settled(*turns):
    """Wait until nothing more can come of these turns."""
    async with asyncio.timeout(10):
        found = [await turn.ended() for turn in turns]
        await PUBSUB.get().settle()
    return found


async def test_before_the_first_word(store, model):
    llm = model(FakeLLM([], hangs=True))
    viewer = Listener()
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        turn = await ask(asker=viewer)
        await llm.spoke.wait()

        session = await advisers.take_over(CAMILLE, CLAIRE)
        heard = len(viewer.heard)
        (end,) = await settled(turn)

    assert (end.outcome.end, end.answer) == (End.TAKEN_OVER, None)
    assert lines(session) == [(Author.CUSTOMER, "Bonjour"), (Author.SYSTEM, TAKEN)]
    assert viewer.types() == ["session.state", "speaker.changed", "message.done"]
    assert len(viewer.heard) == heard
    assert llm.closed == 1


async def test_in_mid_sentence_what_was_seen_is_kept(store, model):
    llm = model(Talker())
    viewer = Listener()
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        turn = await ask(asker=viewer)
        await viewer.until("message.delta", 3)

        session = await advisers.take_over(CAMILLE, CLAIRE)
        heard = len(viewer.heard)
        (end,) = await settled(turn)

    told = events(viewer)
    cut = session.messages[1]
    assert end.outcome.end is End.TAKEN_OVER
    assert (cut.author, cut.interrupted, cut.reply_to) == (Author.ASSISTANT, True, "q1")
    assert cut.text.startswith(said(told))
    assert (end.answer.id, end.answer.text) == (cut.id, cut.text)
    assert of_model(told[heard:]) == []
    assert ends(told, "q1") == 1
    assert llm.closed == 1
    state = await read_state(CAMILLE, "web")
    assert (state.speaker, state.name, state.draft, state.waiting) == (
        "adviser",
        "Claire",
        None,
        (),
    )


@pytest.mark.parametrize("steps", range(0, 60, 4))
async def test_while_the_answer_ends(store, model, steps):
    gate = asyncio.Event()

    class Ending(FakeLLM):
        async def stream(self, messages, tools, *, deadline):
            yield "Voilà"
            await gate.wait()
            yield "."

    model(Ending())
    viewer = Listener()
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        turn = await ask(asker=viewer)
        await viewer.until("message.delta")
        gate.set()
        for _ in range(steps):
            await asyncio.sleep(0)

        session = await advisers.take_over(CAMILLE, CLAIRE)
        heard = len(viewer.heard)
        (end,) = await settled(turn)

    told = events(viewer)
    assert end.outcome.end is (End.TAKEN_OVER if session.messages[1].interrupted else End.DONE)
    assert [m.author for m in session.messages] == [
        Author.CUSTOMER,
        Author.ASSISTANT,
        Author.SYSTEM,
    ]
    assert of_model(told[heard:]) == []
    assert ends(told, "q1") == 1
    assert (await store.load(CAMILLE, "web")).messages == session.messages


async def test_questions_that_wait_end_too_and_are_never_begun(store, model):
    llm = model(Talker())
    viewer = Listener()
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        turns = [await ask(f"Question {n}", f"q{n}", asker=viewer) for n in (1, 2, 3)]
        await viewer.until("message.delta")

        session = await advisers.take_over(CAMILLE, CLAIRE)
        heard = len(viewer.heard)
        found = await settled(*turns)

    assert [end.outcome.end for end in found] == [End.TAKEN_OVER] * 3
    assert [end.answer is None for end in found] == [False, True, True]
    assert len(llm.asked) == 1
    assert session.waiting == ()
    assert of_model(events(viewer)[heard:]) == []


@pytest.mark.parametrize("backend", ["redis"], indirect=True)
async def test_writer_in_another_process_falls_silent(store, worker):
    llm = Talker()
    worker.replace(LLM_CLIENT.to(llm))
    there, here = Listener(), Listener()
    async with (
        worker.subscribed(CAMILLE, there),
        PUBSUB.get().subscribe(CAMILLE, here),
    ):
        turn = await worker.do(ask(asker=there))
        await here.until("message.delta", 2)

        session = await advisers.take_over(CAMILLE, CLAIRE)
        heard = len(here.heard), len(there.heard)
        end = await worker.do(turn.ended())
        await here.until("speaker.changed")
        async with asyncio.timeout(5):
            while "speaker.changed" not in there.types():
                await asyncio.sleep(0.01)

    assert end.outcome.end is End.TAKEN_OVER
    assert session.messages[1].text.startswith(said(events(there)))
    # Its worker tells the end of what was cut a moment after it has stored it, and no more.
    late = of_model(events(there)[heard[1] :])
    cut = session.messages[1]
    assert all(e["message"]["id"] == cut.id for e in late if e["type"] == "message.done")
    assert [e for e in late if e["type"] != "message.done"] == []
    assert ends(events(there), "q1") == 1
    assert llm.closed == 1
    speaker_filter = SpeakerFilter()
    shown = [event.type for event in here.heard if speaker_filter.allows(event)]
    assert set(shown[shown.index("speaker.changed") :]) <= {
        "speaker.changed",
        "session.state",
        "message.done",
    }


class WithoutCommands:
    """A channel layer in which no command arrives."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._layer, name)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if message["type"] != "order":
            await self._layer.group_send(group, message)


@pytest.mark.parametrize("backend", ["redis"], indirect=True)
async def test_writer_that_does_not_hear_is_cut_off_by_the_store(store, worker, replace_parts):
    replace_parts(PUBSUB.to(PubSub(WithoutCommands(get_channel_layer()))))
    llm = Talker()
    worker.replace(LLM_CLIENT.to(llm))
    viewer = Listener()
    async with worker.subscribed(CAMILLE, viewer):
        turn = await worker.do(ask(asker=viewer))
        await worker.do(viewer.until("message.delta", 3))

        session = await advisers.take_over(CAMILLE, CLAIRE)
        heard = len(viewer.heard)
        end = await worker.do(turn.ended())

    assert end.outcome.end is End.TAKEN_OVER
    assert session.messages[1].interrupted
    assert of_model(events(viewer)[heard:]) == []
    assert llm.closed == 1


async def test_cut_answer_of_another_process_is_told_by_the_takeover_alone(store, model):
    model(FakeLLM())
    await store.accept(CAMILLE, "web", question(), create="always")
    await store.write(await leased(store, session_id=CAMILLE), 0, "Il était")
    viewer = Listener()
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        waiting_here = await ask(asker=viewer)  # sent again over another connection

        session, _taken = await store.take_over(CAMILLE, CLAIRE, announced("s1"))
        (end,) = await settled(waiting_here)

    assert end.answer == session.messages[1]
    assert viewer.heard == []


async def test_of_two_advisers_one_comes(store, model):
    model(Talker())
    viewer = Listener()
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        turn = await ask(asker=viewer)
        await viewer.until("message.delta")

        found = await asyncio.gather(
            advisers.take_over(CAMILLE, CLAIRE),
            advisers.take_over(CAMILLE, KARIM),
            return_exceptions=True,
        )
        await settled(turn)

    session = await store.load(CAMILLE, "web")
    refused = [error for error in found if isinstance(error, AssignedToAnother)]
    assert [error.name for error in refused] == [session.adviser]
    assert [m.author for m in session.messages].count(Author.SYSTEM) == 1
    changes = [event for event in events(viewer) if event["type"] == "speaker.changed"]
    assert [event["name"] for event in changes] == [session.adviser]


async def test_takeover_that_fails_leaves_no_spinner(store, model, replace_parts):
    replace_parts(STORE.to(FaultyStore.of(store, take_over=AssignedToAnother("Karim"))))
    llm = model(FakeLLM([], hangs=True))
    viewer = Listener()
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        turn = await ask(asker=viewer)
        await llm.spoke.wait()
        with pytest.raises(AssignedToAnother):
            await advisers.take_over(CAMILLE, CLAIRE)
        await settled(turn)

    last = events(viewer)[-1]
    assert (last["type"], last["waiting"], last["draft"]) == ("session.state", [], None)


@pytest.mark.parametrize("backend", ["memory"], indirect=True)
async def test_page_is_told_of_a_conversation_that_the_store_has_lost(store, model):
    model(FakeLLM())
    await store.accept(CAMILLE, "web", question(), create="always")
    await leased(store, session_id=CAMILLE)  # another worker answers
    viewer = Listener()
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        waiting_here = await ask("Encore", "q2", asker=viewer)
        store.take_out(CAMILLE)

        (end,) = await settled(waiting_here)

    assert end.outcome.code == "session_not_found"
    assert [(e["type"], e.get("code")) for e in events(viewer)][-1] == (
        "error",
        "session_not_found",
    )
