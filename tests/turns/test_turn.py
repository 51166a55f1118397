from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from chat.assistant.stream import ToolCall, Usage
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.protocol import GRACE_S, LEASE_S, STORE
from chat.conversations.types import Author, End
from chat.core.clock import CLOCK
from chat.core.errors import AssistantUnavailable, IdConflict, StoreUnavailable
from chat.core.ids import new_id, ref_of
from chat.core.supervisor import DRAIN
from chat.turns.draft import DraftWriter
from chat.turns.outcome import TURN_TIMES, TurnTimes
from chat.turns.turn import hand_over_turns, stop_turn, take_turn
from chat.turns.viewers import read_state, show_again, show_backend_change
from tests.background import background_tasks
from tests.builders import JEAN, answer_to, ask, done, leased, question
from tests.fakes import FakeLLM, Listener
from tests.runtime import FixedClock
from tests.stores import FaultyStore


@pytest.fixture
def clock(replace_parts) -> FixedClock:
    """The clock of this worker and of its store."""
    clock = FixedClock(datetime(2026, 11, 23, 10, tzinfo=UTC))
    replace_parts(CLOCK.to(clock))
    return clock


async def say(text="Bonjour", id_="q1", **options):
    return await take_turn(JEAN, owner="api", message_id=id_, text=text, **options)


async def transcript(store):
    session = await store.load(JEAN, "api")
    return [(m.author, m.text, m.interrupted) for m in session.messages]


def events(listener):
    return [json.loads(event.json) for event in listener.heard]


async def test_turn_stores_both_sides(store, model):
    model(FakeLLM(["Bon", "jour"]))

    turn = await say()
    stored_at_once = await transcript(store)
    end = await turn.ended()

    assert stored_at_once == [(Author.CUSTOMER, "Bonjour", False)]
    assert end.outcome.end is End.DONE
    assert end.answer is not None
    assert await transcript(store) == [
        (Author.CUSTOMER, "Bonjour", False),
        (Author.ASSISTANT, "Bonjour", False),
    ]


async def test_answer_keeps_the_id_of_its_first_delta_and_offsets_add_up(store, model):
    pieces = [f"mot{n} é🪑 " for n in range(40)]
    model(FakeLLM(pieces))
    listener = Listener()

    async with PUBSUB.get().subscribe(JEAN, listener):
        turn = await say(asker=listener)
        end = await turn.ended()

    deltas = [event for event in events(listener) if event["type"] == "message.delta"]
    text = ""
    for delta in deltas:
        assert (delta["id"], delta["offset"]) == (end.answer.id, len(text))
        text += delta["text"]
    assert text == end.answer.text == "".join(pieces)
    assert len(deltas) < len(pieces)
    assert events(listener)[-1]["message"]["id"] == deltas[0]["id"]


async def test_other_viewers_see_the_question_first_and_the_asker_does_not(store, model):
    model(FakeLLM(["Oui."]))
    asker, other = Listener(), Listener()

    async with PUBSUB.get().subscribe(JEAN, asker), PUBSUB.get().subscribe(JEAN, other):
        await (await say(asker=asker)).ended()

    assert asker.types() == ["message.delta", "message.done"]
    assert other.types() == ["message.done", "message.delta", "message.done"]
    assert events(other)[0]["message"]["text"] == "Bonjour"


async def test_same_id_gets_the_first_answer(store, model):
    llm = model(FakeLLM(["Un."]))
    first = await (await say()).ended()

    again = await say()

    assert again.end == first
    assert len(llm.asked) == 1
    assert len(await transcript(store)) == 2


async def test_same_id_meanwhile_joins_the_turn(store, model):
    llm = model(FakeLLM(["Un."]))

    one, two = await say(), await say()

    assert await one.ended() == await two.ended()
    assert len(llm.asked) == 1


async def test_same_id_with_another_text_is_refused(store, model):
    model(FakeLLM())
    await (await say()).ended()

    with pytest.raises(IdConflict):
        await say("Autre chose")


async def test_turns_of_a_session_run_one_at_a_time_in_order(store, model):
    llm = model(FakeLLM(["Voilà."]))

    turns = [await say(f"Question {n}", f"q{n}") for n in range(5)]
    ends = await asyncio.gather(*(turn.ended() for turn in turns))

    assert [asked[-1]["content"] for asked in llm.asked] == [f"Question {n}" for n in range(5)]
    assert [end.answer.reply_to for end in ends] == [f"q{n}" for n in range(5)]
    assert len(await transcript(store)) == 10


async def test_stop_keeps_what_was_written(store, model):
    llm = model(FakeLLM(["Il était"], hangs=True))
    turn = await say("Raconte")
    await llm.spoke.wait()

    assert await stop_turn(JEAN, "api")
    end = await turn.ended()

    assert end.outcome.end is End.STOPPED
    assert (await transcript(store))[1:] == [(Author.ASSISTANT, "Il était", True)]
    assert llm.closed == 1
    assert not await stop_turn(JEAN, "api")


async def test_stop_before_the_first_word_is_an_end_too(store, model):
    llm = model(FakeLLM([], hangs=True))
    turn = await say()
    await llm.spoke.wait()

    await stop_turn(JEAN, "api")

    assert (await turn.ended()).answer.text == ""
    assert (await transcript(store))[1:] == [(Author.ASSISTANT, "", True)]


@pytest.mark.parametrize(
    ("pieces", "end", "kept"),
    [
        (["Votre can"], End.INTERRUPTED, [(Author.ASSISTANT, "Votre can", True)]),
        ([], End.FAILED, []),
    ],
)
async def test_what_was_written_is_kept_when_the_model_fails(store, model, pieces, end, kept):
    model(FakeLLM(pieces, error=AssistantUnavailable(retry_after_s=7)))
    listener = Listener()

    async with PUBSUB.get().subscribe(JEAN, listener):
        outcome = (await (await say(asker=listener)).ended()).outcome

    assert (outcome.end, outcome.code, outcome.retry_after_s) == (end, "assistant_unavailable", 7)
    assert (await transcript(store))[1:] == kept
    last = events(listener)[-1]
    if kept:
        assert (last["type"], last["message"]["interrupted"]) == ("message.done", True)
    else:
        assert last == {
            "type": "error",
            "code": "assistant_unavailable",
            "message": AssistantUnavailable.message,
            "retry_after_s": 7,
            "id": "q1",
        }


async def test_bug_is_told_as_internal_and_kept_out_of_the_answer(store, model, caplog):
    model(FakeLLM(error=ZeroDivisionError("secret"), pieces=[]))

    outcome = (await (await say()).ended()).outcome

    assert (outcome.end, outcome.code) == (End.FAILED, "internal")
    assert outcome.error_id
    assert f"error_id={outcome.error_id}" in caplog.text
    assert outcome.error_id in outcome.error().message


@pytest.mark.parametrize(("pieces", "end"), [(["Début"], End.INTERRUPTED), ([], End.FAILED)])
async def test_deadline_ends_a_turn(store, model, settings, pieces, end):
    settings.ENV = replace(settings.ENV, chat_timeout_s=0.05)
    llm = model(FakeLLM(pieces, hangs=True))

    outcome = (await (await say()).ended()).outcome

    assert (outcome.end, outcome.code) == (end, "assistant_timeout")
    assert llm.closed == 1


async def test_question_still_waiting_at_its_deadline_is_busy(store, model, settings):
    await ask(store, "Celle d'un autre processus", "q0")
    await leased(store, "q0")
    settings.ENV = replace(settings.ENV, chat_timeout_s=0.05)
    model(FakeLLM())

    outcome = (await (await say()).ended()).outcome

    assert (outcome.end, outcome.code) == (End.FAILED, "session_busy")
    assert (await store.load(JEAN, "api")).waiting == ("q0",)


async def test_failed_question_is_answered_when_sent_again(store, model):
    model(FakeLLM([], error=AssistantUnavailable()))
    await (await say()).ended()
    model(FakeLLM(["Me revoilà."]))

    end = await (await say()).ended()

    assert end.answer.text == "Me revoilà."
    assert await transcript(store) == [
        (Author.CUSTOMER, "Bonjour", False),
        (Author.ASSISTANT, "Me revoilà.", False),
    ]


async def test_what_the_guard_held_is_judged_at_a_stop(store, model):
    llm = model(FakeLLM(["Bonjour. Il coûte 49"], hangs=True))
    turn = await say()
    await llm.spoke.wait()

    await stop_turn(JEAN, "api")
    await turn.ended()

    assert (await transcript(store))[1:] == [(Author.ASSISTANT, "Bonjour. Il coûte ", True)]


async def test_deltas_are_those_of_what_the_guard_let_through(store, model):
    model(FakeLLM(["Il coûte ", "49 €. ", "Vous serez rem", "boursé. ", "Bonne journée."]))
    listener = Listener()

    async with PUBSUB.get().subscribe(JEAN, listener):
        end = await (await say(asker=listener)).ended()

    text = ""
    for delta in (event for event in events(listener) if event["type"] == "message.delta"):
        assert delta["offset"] == len(text)
        text += delta["text"]
    assert (
        text
        == end.answer.text
        == (
            "Il coûte (prix à confirmer par un conseiller). "
            "Vous serez (point à confirmer par un conseiller). Bonne journée."
        )
    )


async def test_endless_answer_is_cut(store, model):
    model(FakeLLM(["bois " * 3_000, "lin " * 3_000]))

    end = await (await say()).ended()

    assert end.outcome.end is End.INTERRUPTED
    assert end.answer.text == "bois " * 3_000


async def test_turn_outlives_the_caller(store, model):
    llm = model(FakeLLM(["Toujours"], hangs=True))
    turn = await say()
    waiting = asyncio.create_task(turn.ended())
    await llm.spoke.wait()
    waiting.cancel()
    await asyncio.wait({waiting})

    state = await read_state(JEAN, "api")

    assert state.draft.text == "Toujours"
    assert state.waiting == ("q1",)
    await stop_turn(JEAN, "api")
    await turn.ended()


async def test_question_of_a_dead_process_is_taken_up(store, model, clock):
    model(FakeLLM(["Je reprends."]))
    await ask(store)
    dead = await leased(store)
    await store.write(dead, 0, "Je comm")
    clock.advance(LEASE_S + 1)
    listener = Listener()

    async with background_tasks(), PUBSUB.get().subscribe(JEAN, listener):
        await listener.until("message.done")

    state, *_, done = events(listener)
    assert (state["type"], state["draft"]) == ("session.state", {"id": dead.answer_id, "text": ""})
    assert (done["message"]["id"], done["message"]["text"]) == (dead.answer_id, "Je reprends.")


async def test_viewers_who_missed_an_erasure_are_told_and_hold_up_nobody(
    store, model, clock, replace_parts
):
    replace_parts(TURN_TIMES.to(TurnTimes(silence_s=0.0)))
    model(FakeLLM(["Je reprends."]))
    await ask(store)
    await ask(store, session_id="other")
    clock.advance(GRACE_S + 1)
    await store.erase(JEAN, "api")
    jean, other = Listener(), Listener()

    async with PUBSUB.get().subscribe(JEAN, jean), PUBSUB.get().subscribe("other", other):
        PUBSUB.get().expect_end(JEAN)
        async with background_tasks():
            await jean.until("session.ended")
            await other.until("message.done")

    assert events(jean) == [{"type": "session.ended", "reason": "erased"}]


async def test_tools_are_used_and_told(store, model):
    call = ToolCall("c1", "shop_information", '{"topic": "contact"}')
    llm = model(FakeLLM([(call,), Usage(10, 2)], rounds=[["Voici."]]))
    listener = Listener()

    async with PUBSUB.get().subscribe(JEAN, listener):
        await (await say(asker=listener)).ended()

    assert listener.types()[0] == "tool.started"
    asked, result = llm.asked[1][-2:]
    assert asked["tool_calls"][0]["function"]["name"] == "shop_information"
    assert result["tool_call_id"] == "c1"
    assert "Meuble de France" in result["content"]
    assert (await transcript(store))[1][1] == "Voici."


async def test_model_that_only_calls_tools_is_made_to_answer(store, model):
    calls = (ToolCall("c", "no_such_tool", "{"),)
    llm = model(FakeLLM([calls], rounds=[[calls]] * 3 + [["Enfin."]]))

    end = await (await say()).ended()

    assert end.answer.text == "Enfin."
    assert llm.offered[-1] == 0
    assert all(offered > 0 for offered in llm.offered[:-1])
    assert len(llm.asked) == 5


async def test_stopping_process_takes_no_new_turn(store, model):
    DRAIN.get().begin()

    with pytest.raises(AssistantUnavailable) as caught:
        await say()

    assert caught.value.retry_after_s
    assert await store.count() == 0


async def test_answer_is_kept_though_the_store_was_away(store, model, replace_parts):
    away_twice = FaultyStore.of(store, finish=[StoreUnavailable(), StoreUnavailable()])
    replace_parts(STORE.to(away_twice), TURN_TIMES.to(TurnTimes(store_pause_s=0.01)))
    model(FakeLLM(["Gardé."]))

    end = await (await say()).ended()

    assert end.answer.text == "Gardé."
    assert len(await transcript(store)) == 2


async def test_question_waits_for_a_store_that_is_away(store, model, replace_parts):
    away_twice = FaultyStore(store, claim=[StoreUnavailable(), StoreUnavailable()])
    replace_parts(STORE.to(away_twice), TURN_TIMES.to(TurnTimes(store_pause_s=0.01)))
    await ask(store)  # of a worker that died: the right to answer has to be asked for
    model(FakeLLM(["Me voilà."]))
    listener = Listener()

    async with PUBSUB.get().subscribe(JEAN, listener):
        await (await say(asker=listener)).ended()

    assert listener.types() == ["message.delta", "message.done"]
    assert away_twice.calls["claim"] == 3


async def test_question_whose_store_stays_away_is_told_at_its_deadline(
    store, model, replace_parts, settings
):
    away = FaultyStore.of(store, claim=StoreUnavailable())
    replace_parts(STORE.to(away), TURN_TIMES.to(TurnTimes(store_pause_s=0.01)))
    settings.ENV = replace(settings.ENV, chat_timeout_s=0.05)
    model(FakeLLM(hangs=True))

    first, second = await say(), await say("Et la livraison ?", "q2")

    assert (await first.ended()).outcome.code == "assistant_timeout"
    end = await second.ended()
    assert (end.outcome.end, end.outcome.code) == (End.FAILED, "assistant_unavailable")


async def test_question_that_nothing_waits_before_is_answered_without_asking_again(
    store, model, replace_parts
):
    replace_parts(STORE.to(FaultyStore.of(store, claim=AssertionError())))
    model(FakeLLM())

    assert (await (await say()).ended()).outcome.end is End.DONE


async def test_question_granted_as_its_worker_stops_is_left_to_others_at_once(store, model):
    model(FakeLLM(hangs=True))
    await say()  # granted, and not begun

    await hand_over_turns()

    claim = await store.claim(JEAN, [], "another")
    assert claim.lease is not None
    assert claim.lease.question_id == "q1"


async def test_turn_leaves_one_line_of_numbers_in_the_log(store, model, caplog):
    caplog.set_level("INFO", logger="chat.turns")
    call = ToolCall("c1", "shop_information", '{"topic": "contact"}')
    model(FakeLLM([(call,), Usage(10, 2)], rounds=[["Voici ma réponse.", Usage(30, 5)]]))

    await (await say("Mon secret")).ended()

    (record,) = [record for record in caplog.records if record.name == "chat.turns"]
    line = record.getMessage()
    for part in ("'ending': 'done'", "'prompt_tokens': 40", "'completion_tokens': 7", "shop_inf"):
        assert part in line
    assert not any(word in line for word in ("secret", "réponse", JEAN, "q1"))


async def test_worker_that_lost_its_turn_says_nothing_more_and_shows_what_is_so(
    store, model, clock, replace_parts
):
    replace_parts(TURN_TIMES.to(TurnTimes(keep_alone_s=0.01, renew_s=0.0)))
    llm = model(FakeLLM(["Je comm"], hangs=True))
    listener = Listener()

    async with PUBSUB.get().subscribe(JEAN, listener):
        turn = await say(asker=listener)
        await llm.spoke.wait()
        clock.advance(LEASE_S + 1)
        other = await store.claim(JEAN, [], "another")
        await store.finish(other.lease, done(other.lease), answer_to(other.lease, "Voici"))
        end = await turn.ended()

    assert end.answer.text == "Voici"
    *_, state, finished = events(listener)
    assert (state["type"], finished["type"]) == ("session.state", "message.done")
    assert state["messages"][-1]["text"] == finished["message"]["text"] == "Voici"
    assert [text for _, text, _ in await transcript(store)] == ["Bonjour", "Voici"]
    assert llm.closed == 1


async def test_worker_that_stood_still_says_nothing_until_it_knows_whose_turn_it_is(store):
    await ask(store)
    writer = DraftWriter(store, await leased(store))
    listener = Listener()

    async with PUBSUB.get().subscribe(JEAN, listener):
        writer._renewed_at -= 60
        await writer.add("Trop tard ?")
        before = listener.types()
        await writer.keep()
        await writer.say()

    assert (before, listener.types()) == ([], ["message.delta"])


async def test_turn_that_is_handed_over_goes_on_elsewhere_at_once(store, model):
    llm = model(FakeLLM(["Je comm"], hangs=True))
    await say()
    await llm.spoke.wait()
    answer_id = (await read_state(JEAN, "api")).draft.id

    await hand_over_turns()
    claim = await store.claim(JEAN, [], "another")

    assert llm.closed == 1
    assert claim.lease is not None
    assert (claim.lease.answer_id, claim.lease.again) == (answer_id, True)
    assert await transcript(store) == [(Author.CUSTOMER, "Bonjour", False)]


async def test_question_that_no_worker_could_answer_ends_for_everybody(store, model, caplog):
    model(FakeLLM(["Voici."]))
    counted = REGISTRY.get_sample_value
    name, code = "chat_questions_given_up_total", {"code": "assistant_timeout"}
    before = counted(name, code) or 0.0
    await store.accept(JEAN, "api", question(), create="always", answer_within_s=0)
    listener = Listener()

    async with PUBSUB.get().subscribe(JEAN, listener):
        end = await (await say("Deux", "q2")).ended()

    (error,) = [event for event in events(listener) if event["type"] == "error"]
    assert (error["id"], error["code"]) == ("q1", "assistant_timeout")
    assert end.outcome.end is End.DONE
    assert (counted(name, code) or 0.0) - before == 1
    (record,) = [record for record in caplog.records if "given up" in record.getMessage()]
    assert "'attempts': 0" in record.getMessage()
    assert not any(word in record.getMessage() for word in (JEAN, "Bonjour"))


async def test_what_was_written_of_a_question_that_is_given_up_is_shown_to_everybody(store, model):
    model(FakeLLM(["Voici."]))
    dead = await store.accept(
        JEAN, "api", question(), create="always", answer_id="a1", answer_within_s=0
    )
    await store.write(dead.lease, 0, "Je comm")
    await store.release(dead.lease)
    listener = Listener()

    async with PUBSUB.get().subscribe(JEAN, listener):
        await (await say("Deux", "q2", asker=listener)).ended()

    first, *_ = [event for event in events(listener) if event["type"] == "message.done"]
    assert (first["message"]["id"], first["message"]["text"]) == ("a1", "Je comm")
    assert first["message"]["interrupted"]


async def test_model_is_not_asked_once_the_deadline_has_passed(store, model, settings):
    settings.ENV = replace(settings.ENV, chat_timeout_s=0.0)
    llm = model(FakeLLM())

    outcome = (await (await say()).ended()).outcome

    assert (outcome.end, outcome.code) == (End.FAILED, "assistant_timeout")
    assert llm.asked == []


@pytest.mark.parametrize("show", [show_again, show_backend_change])
async def test_session_that_cannot_be_shown_stops_no_other(store, model, caplog, show):
    model(FakeLLM(["Voici."]))
    await (await say()).ended()
    other = new_id()
    await (await take_turn(other, owner="api", message_id="q1", text="Bonjour")).ended()
    store._records[JEAN].asked_at = 1e30  # no date
    listener = Listener()

    async with PUBSUB.get().subscribe(other, listener):
        await show([JEAN, other])

    assert "session.state" in [event["type"] for event in events(listener)]
    assert f"session {ref_of(JEAN)} could not be shown" in caplog.text
