"""What a turn adds to the numbers of its day."""

from __future__ import annotations

import asyncio

import pytest

from chat.assistant import report
from chat.assistant.completion import ToolCall, Usage
from chat.assistant.turn import stop_turn, take_turn
from chat.numbers.tally import Tally
from tests.builders import JEAN
from tests.fakes import FakeLLM


@pytest.fixture
def tally(monkeypatch):
    tally = Tally()
    monkeypatch.setattr(report, "count", tally.count)
    return tally


async def say():
    return await take_turn(JEAN, owner="api", message_id="q1", text="Bonjour")


def numbers(tally: Tally) -> dict[str, int]:
    batch = tally.take()
    sums = batch.sums if batch else {}
    return {
        "first_text" if name.startswith("first_text.") else name: value
        for (_, name), value in sums.items()
    }


async def test_answer_is_counted_with_its_tokens_and_tools(tally, store, model):
    call = ToolCall("c1", "shop_information", '{"topic": "contact"}')
    model(FakeLLM([(call,), Usage(10, 2)], rounds=[["Voici.", Usage(30, 5)]]))

    await (await say()).ended()

    assert numbers(tally) == {
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
async def test_failure_is_counted_with_its_code(tally, store, model, pieces, counted):
    model(FakeLLM(pieces, error=ValueError("a bug")))

    await (await say()).ended()

    assert numbers(tally) == counted


async def test_stop_is_no_failure(tally, store, model):
    llm = model(FakeLLM(["Je"], hangs=True))
    turn = await say()
    async with asyncio.timeout(5):
        await llm.spoke.wait()
    await stop_turn(JEAN, "api")
    await turn.ended()

    assert numbers(tally) == {"turns.stopped": 1, "first_text": 1}
