"""However long and strange a conversation is, an answer never holds the event loop for it."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from chat.assistant import escalation
from chat.assistant.guard.filter import READINGS, build_guard, learn_in_steps
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.types import Author, End, Message
from chat.core.ids import new_id
from chat.turns.draft import DraftWriter
from chat.turns.queue import find_answer
from chat.turns.turn import answer_question
from chat.turns.viewers import follow_store
from tests.builders import ask, leased, queue_for
from tests.fakes import FakeLLM

MESSAGES = 120
CHARS = 4_000
#: How much longer the longest step may take than in an ordinary conversation of the same length.
AT_MOST_TIMES = 8
ORDINARY = "Mon canapé OSLO à 1 299 €, livré le 12 mars 2026 à Paris, grince depuis 2 mois. "
HOSTILE = ["1.1.", "a-.", "75 075 ", "[[", "1 € "]
#: It calls for an adviser, whose summary and reasons read the conversation as well.
QUESTION = "C'est scandaleux, je demande le remboursement de 2 000 €."
PRICED = ["Votre fauteuil", " coûte 777 €", " en magasin. Il est", " garanti 40 ans."]


async def longest_step_s(work: Awaitable[object]) -> float:
    """Return how much CPU time the longest step of the event loop took meanwhile."""
    longest_s = 0.0

    async def beat() -> None:
        nonlocal longest_s
        last_s = time.process_time()
        while True:
            await asyncio.sleep(0)
            now_s = time.process_time()
            longest_s = max(longest_s, now_s - last_s)
            last_s = now_s

    beating = asyncio.ensure_future(beat())
    try:
        await work
    finally:
        beating.cancel()
    return longest_s


async def lease_behind(store, text: str, author: Author = Author.CUSTOMER):
    """Return the right to answer ``QUESTION``, which follows a long conversation."""
    session_id = new_id()
    await ask(store, QUESTION, session_id=session_id)
    lease = await leased(store, session_id=session_id)
    words = (text * (CHARS // len(text) + 1))[: CHARS - 4]
    before = [Message(author=author, id=f"m{n}", text=f"{n:04}{words}") for n in range(MESSAGES)]
    session = replace(lease.session, messages=(*before, *lease.session.messages))
    return replace(lease, session=session)


async def answered(store, text: str, author: Author) -> float:
    """Answer behind a long conversation; return the longest step."""
    lease = await lease_behind(store, text, author)
    queue = queue_for(store, lease.session.id)

    async def work() -> None:
        await answer_question(lease, queue)
        await escalation.settle()

    gc.collect()
    gc.disable()
    try:
        longest_s = await longest_step_s(work())
    finally:
        gc.enable()
    outcome = await store.outcome(lease.session.id, lease.question_id)
    assert outcome.end is End.DONE
    answer = await find_answer(store, lease.session.id, outcome)
    assert answer is not None
    assert "777" not in answer.text
    assert "prix à confirmer" in answer.text
    return longest_s


@pytest.mark.parametrize("author", [Author.CUSTOMER, Author.ASSISTANT])
async def test_hostile_conversation_holds_the_loop_no_longer_than_an_ordinary_one(
    store, model, author, restart_worker
):
    async def step_s(text: str) -> float:
        restart_worker()  # it has read nothing
        model(FakeLLM(PRICED))
        return await answered(store, text, author)

    ordinary_s = min(await step_s(ORDINARY), await step_s(ORDINARY))
    slow = {}
    for text in HOSTILE:
        times = await step_s(text) / ordinary_s
        if times > AT_MOST_TIMES:  # once more: something else may have been under way
            times = min(times, await step_s(text) / ordinary_s)
        if times > AT_MOST_TIMES:
            slow[text] = times

    assert slow == {}


async def test_a_conversation_is_read_a_message_at_a_time_and_once(store):
    lease = await lease_behind(store, ORDINARY)
    first = build_guard(lease.session, lease.question_id).facts
    steps = 0
    while first.learn(CHARS // 2):
        steps += 1
    second = build_guard(lease.session, lease.question_id).facts

    assert steps >= MESSAGES
    assert not second.learn(CHARS // 2)


async def test_nothing_is_read_for_an_answer_that_commits_to_nothing(store):
    writer = DraftWriter(store, await lease_behind(store, ORDINARY))

    await writer.add("Bonjour ! Quel canapé cherchez-vous ? Nous en avons en 3 places.")
    await writer.complete()

    assert writer.guard.facts.has_unread


async def test_answer_that_is_cut_while_the_conversation_is_read_keeps_what_it_may(store):
    writer = DraftWriter(store, await lease_behind(store, ORDINARY))
    adding = asyncio.ensure_future(writer.add("Bonjour. Ce lit coûte 777 €. Et il est"))
    while not writer.guard.waits():
        await asyncio.sleep(0)
    adding.cancel()

    await writer.cut()

    assert writer.text == "Bonjour. Ce lit coûte (prix à confirmer par un conseiller). Et il est"


async def test_what_was_said_proves_the_same_read_in_steps(store):
    lease = await lease_behind(store, ORDINARY)
    in_steps = build_guard(lease.session, lease.question_id).facts
    await learn_in_steps(in_steps)
    at_once = build_guard(lease.session, lease.question_id).facts

    for sentence in ("Votre budget de 1 299 € suffit.", "Un lit à 777 €.", "Garanti 5 ans."):
        assert in_steps.missing(sentence) == at_once.missing(sentence)


async def test_others_run_behind_each_message_that_is_read(store):
    lease = await lease_behind(store, ORDINARY)
    reading = asyncio.ensure_future(
        learn_in_steps(build_guard(lease.session, lease.question_id).facts)
    )
    steps = 0
    while not reading.done():
        await asyncio.sleep(0)
        steps += 1

    assert steps >= MESSAGES


async def test_what_was_read_of_a_conversation_goes_with_it(store):
    follow_store()
    lease = await lease_behind(store, ORDINARY)
    await learn_in_steps(build_guard(lease.session, lease.question_id).facts)
    was_kept = READINGS.get().chars

    await PUBSUB.get().publish_erased(lease.session.id)

    assert (was_kept > 0, READINGS.get().chars) == (True, 0)
