from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.protocol import LEASE_S, LeaseLost
from chat.conversations.types import End
from chat.turns.draft import AnswerAttempt, DraftWriter, Interrupted
from chat.turns.outcome import TURN_TIMES, TurnTimes
from chat.turns.turn import answer_question
from tests.builders import JEAN, ask, leased, queue_for
from tests.fakes import FakeLLM, Listener
from tests.stores import FaultyStore


async def test_closed_writer_says_nothing_more_though_it_was_about_to(store):
    await ask(store)
    listener = Listener()
    async with PUBSUB.get().subscribe(JEAN, listener):
        writer = DraftWriter(store, await leased(store))
        await writer.add("Bon")
        await writer.add("jour")
        writer._say_late(asyncio.get_running_loop().time())
        writer.close()
        for _ in range(5):
            await asyncio.sleep(0)

    assert [event.type for event in listener.heard] == ["message.delta"]
    assert writer.text == "Bonjour"


async def test_worker_that_stood_still_since_its_grant_says_nothing_of_a_question_taken_from_it(
    store, model
):
    llm = model(FakeLLM(["Une autre réponse."]))
    await ask(store)
    lease = await leased(store)
    expired = replace(lease, granted_at=asyncio.get_running_loop().time() - LEASE_S - 1)
    await store.release(lease)
    assert (await store.claim(JEAN, [], "another")).lease is not None  # by another worker
    listener = Listener()

    async with PUBSUB.get().subscribe(JEAN, listener):
        with pytest.raises(LeaseLost):
            await answer_question(expired, queue_for(store))

    assert (llm.asked, listener.heard) == ([], [])


async def test_worker_that_stood_still_since_its_grant_answers_what_nobody_took_from_it(
    store, model
):
    model(FakeLLM(["Bonjour."]))
    await ask(store)
    lease = await leased(store)
    expired = replace(lease, granted_at=asyncio.get_running_loop().time() - LEASE_S - 1)
    listener = Listener()

    async with PUBSUB.get().subscribe(JEAN, listener):
        await answer_question(expired, queue_for(store))

    assert listener.types() == ["message.delta", "message.done"]


# An attempt, and the ways in which its model comes to an end


@pytest.fixture
async def attempt(store) -> AnswerAttempt:
    await ask(store)
    return AnswerAttempt(store, await leased(store))


async def for_ever() -> None:
    await asyncio.Event().wait()


async def run(attempt: AnswerAttempt, body: Callable[[], Awaitable[object]]) -> None:
    async with attempt.until(far()):
        await body()


def far() -> float:
    return asyncio.get_running_loop().time() + 60


async def test_attempt_that_nothing_disturbs_ends_by_itself_and_cannot_be_stopped_then(attempt):
    async with attempt.until(far()):
        ran = True

    assert ran
    assert not attempt.stop(End.STOPPED)


async def test_attempt_that_was_stopped_before_never_asks_the_model(attempt):
    assert attempt.stop(End.STOPPED)

    with pytest.raises(Interrupted) as interrupted:
        async with attempt.until(far()):
            pytest.fail("the model was asked")

    assert interrupted.value.forced_end is End.STOPPED


async def test_attempt_whose_deadline_has_passed_never_asks_the_model(attempt):
    with pytest.raises(TimeoutError):
        async with attempt.until(asyncio.get_running_loop().time()):
            pytest.fail("the model was asked")


async def test_attempt_ends_at_its_deadline(attempt):
    with pytest.raises(TimeoutError):
        async with attempt.until(asyncio.get_running_loop().time() + 0.01):
            await for_ever()

    assert not attempt.stop(End.STOPPED)


@pytest.mark.parametrize("ends", [[End.STOPPED], [End.TAKEN_OVER, End.STOPPED]])
async def test_attempt_is_interrupted_by_the_first_who_stops_it(attempt, ends):
    def stop() -> None:
        for end in ends:
            attempt.stop(end)

    asyncio.get_running_loop().call_soon(stop)
    with pytest.raises(Interrupted) as interrupted:
        await run(attempt, for_ever)

    assert interrupted.value.forced_end is ends[0]


@pytest.mark.parametrize("error", [None, ValueError("of the model")])
async def test_stop_in_the_very_step_in_which_the_model_ends_counts(attempt, error):
    async def stop_and_end() -> None:
        assert attempt.stop(End.STOPPED)
        if error is not None:
            raise error

    with pytest.raises(Interrupted):
        await run(attempt, stop_and_end)


async def test_error_of_the_model_is_raised_as_it_is(attempt):
    with pytest.raises(ValueError, match="of the model"):
        async with attempt.until(far()):
            raise ValueError("of the model")


async def test_attempt_that_loses_its_lease_is_interrupted(store, attempt, replace_parts):
    replace_parts(TURN_TIMES.to(TurnTimes(keep_alone_s=0.01, renew_s=0.0)))
    losing = AnswerAttempt(FaultyStore.of(store, write=LeaseLost()), attempt.lease)

    with pytest.raises(LeaseLost):
        async with losing.until(far()):
            await for_ever()


async def test_lease_that_is_lost_as_the_model_ends_is_lost(store, attempt, replace_parts):
    """The draft is being kept at that moment: its result counts."""
    replace_parts(TURN_TIMES.to(TurnTimes(keep_alone_s=0.01, renew_s=0.0)))
    writing, may_fail = asyncio.Event(), asyncio.Event()

    async def write(*_: object) -> None:
        writing.set()
        await may_fail.wait()
        raise LeaseLost

    losing = AnswerAttempt(FaultyStore.of(store, write=write), attempt.lease)

    async def end_meanwhile() -> None:
        await writing.wait()
        asyncio.get_running_loop().call_soon(may_fail.set)

    with pytest.raises(LeaseLost):
        await run(losing, end_meanwhile)


@pytest.mark.parametrize("is_stopped_too", [False, True])
async def test_attempt_that_is_handed_over_is_cancelled_and_not_interrupted(
    attempt, is_stopped_too
):
    asked = asyncio.Event()

    async def answer() -> None:
        async with attempt.until(far()):
            asked.set()
            await for_ever()

    answering = asyncio.create_task(answer())
    await asked.wait()
    if is_stopped_too:
        attempt.stop(End.STOPPED)
    answering.cancel()
    await asyncio.wait({answering})

    assert answering.cancelled()
