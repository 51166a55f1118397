"""How a question ends, and what a turn adds to the numbers of its day."""

from __future__ import annotations

import asyncio

import pytest

from chat.assistant.stream import ToolCall, Usage
from chat.conversations.types import End
from chat.core.errors import AssistantTimeout, StoreUnavailable
from chat.core.stats.counters import STAT_COUNTERS, Counters
from chat.turns.outcome import end_of, failed, failure, logged_as_internal, retry_while_unavailable
from chat.turns.turn import stop_turn, take_turn
from tests.builders import JEAN, ask, leased
from tests.fakes import FakeLLM

SOURCES = ({"url": "/produits/oslo/"},)
LATE = AssistantTimeout(retry_after_s=5)


@pytest.mark.parametrize(
    ("ended", "text", "end", "code", "is_answered"),
    [
        (End.DONE, "Bonjour", End.DONE, "", True),
        (End.DONE, "", End.DONE, "", True),
        (End.STOPPED, "Bon", End.STOPPED, "", True),
        (End.STOPPED, "", End.STOPPED, "", True),
        (End.TAKEN_OVER, "Bon", End.TAKEN_OVER, "", True),
        (End.TAKEN_OVER, "", End.TAKEN_OVER, "", False),
        (LATE, "Bon", End.INTERRUPTED, "assistant_timeout", True),
        (LATE, "", End.FAILED, "assistant_timeout", False),
    ],
)
async def test_end_of_a_question_follows_from_what_ended_it_and_whether_there_is_a_text(
    store, ended, text, end, code, is_answered
):
    await ask(store)
    lease = await leased(store)

    found = end_of(lease, ended, text, SOURCES)

    assert (found.outcome.end, found.outcome.code) == (end, code)
    assert found.ending == (code or end.value)
    assert found.outcome.retry_after_s == (5 if code else None)
    assert found.outcome.answer_id == (lease.answer_id if is_answered else "")
    if not is_answered:
        assert found.answer is None
        return
    assert found.answer is not None
    assert (found.answer.id, found.answer.reply_to) == (lease.answer_id, lease.question_id)
    assert (found.answer.text, found.answer.interrupted) == (text, end is not End.DONE)
    assert found.answer.sources == (SOURCES if text else ())


def test_a_bug_is_told_under_the_id_that_the_log_has(caplog):
    error = logged_as_internal(ValueError("secret"), "writing an answer")

    outcome = failed(End.FAILED, error)

    assert outcome.error_id == error.error_id
    assert f"writing an answer failed, error_id={error.error_id}" in caplog.text
    assert "secret" in caplog.text  # the log has the traceback
    assert "secret" not in failure("q1", outcome).message


async def test_a_store_that_is_away_is_asked_again_until_it_is_too_late():
    calls = []

    async def away_twice() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise StoreUnavailable
        return "stored"

    assert await retry_while_unavailable(away_twice, lambda: True, pause_s=0.0) == "stored"
    calls.clear()
    with pytest.raises(StoreUnavailable):
        await retry_while_unavailable(away_twice, lambda: len(calls) < 2, pause_s=0.0)
    assert len(calls) == 2


@pytest.fixture
def counters():
    """What this worker counted: nothing so far."""
    return STAT_COUNTERS.get()


async def say():
    return await take_turn(JEAN, owner="api", message_id="q1", text="Bonjour")


def numbers(counters: Counters) -> dict[str, int]:
    batch = counters.take()
    sums = batch.sums if batch else {}
    return {
        "first_text" if name.startswith("first_text.") else name: value
        for (_, name), value in sums.items()
    }


async def test_answer_is_counted_with_its_tokens_and_tools(counters, store, model):
    call = ToolCall("c1", "shop_information", '{"topic": "contact"}')
    model(FakeLLM([(call,), Usage(10, 2)], rounds=[["Voici.", Usage(30, 5)]]))

    await (await say()).ended()

    assert numbers(counters) == {
        "turns.done": 1,
        "first_text": 1,
        "tools": 1,
        "tokens.prompt": 40,
        "tokens.completion": 7,
    }


@pytest.mark.parametrize(
    "pieces, counted",
    [
        ([], {"turns.failed": 1, "errors.internal": 1}),
        (["Je"], {"turns.interrupted": 1, "errors.internal": 1, "first_text": 1}),
    ],
)
async def test_failure_is_counted_with_its_code(counters, store, model, pieces, counted):
    model(FakeLLM(pieces, error=ValueError("a bug")))

    await (await say()).ended()

    assert numbers(counters) == counted


async def test_stop_is_no_failure(counters, store, model):
    llm = model(FakeLLM(["Je"], hangs=True))
    turn = await say()
    async with asyncio.timeout(5):
        await llm.spoke.wait()
    await stop_turn(JEAN, "api")
    await turn.ended()

    assert numbers(counters) == {"turns.stopped": 1, "first_text": 1}
