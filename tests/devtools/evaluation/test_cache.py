from __future__ import annotations

import pytest

from chat.assistant.stream import ToolCall, Usage
from chat.core.errors import AssistantUnavailable
from devtools.evaluation.cache import AnswerCache, key_of
from devtools.evaluation.recording import Notes, RecordingLLM, notes
from tests.fakes import FakeLLM

CALL = (ToolCall("call-1", "search_products", '{"query": "canapé"}'),)
ASKED = [{"role": "user", "content": "Bonjour"}]
TOOLS = [{"type": "function", "function": {"name": "search_products"}}]


async def answer(llm, messages=ASKED, tools=TOOLS):
    notes.set(Notes())
    return [chunk async for chunk in llm.stream(messages, tools, deadline=0.0)], notes.get()


async def test_second_run_asks_the_model_nothing(tmp_path):
    path = tmp_path / "keep" / "answers.jsonl"
    model = FakeLLM(["Bonjour", " l'été", CALL, Usage(10, 2)])
    first, first_notes = await answer(RecordingLLM(lambda: model, "m", AnswerCache(path)))

    again, notes_again = await answer(RecordingLLM(lambda: model, "m", AnswerCache(path)))

    assert again == first == ["Bonjour", " l'été", CALL, Usage(10, 2)]
    assert len(model.asked) == 1
    assert (first_notes.asked, first_notes.cached) == (1, 0)
    assert (notes_again.asked, notes_again.cached) == (0, 1)
    assert notes_again.calls[0].arguments == {"query": "canapé"}


@pytest.mark.parametrize(
    "model, messages, tools",
    [
        ("other", ASKED, TOOLS),
        ("m", [{"role": "user", "content": "Bonsoir"}], TOOLS),
        ("m", ASKED, []),
    ],
)
def test_other_question_is_another_key(model, messages, tools):
    assert key_of(model, messages, tools) != key_of("m", ASKED, TOOLS)


async def test_answer_that_broke_is_not_kept(tmp_path):
    cache = AnswerCache(tmp_path / "answers.jsonl")
    broken = FakeLLM(["Bonj"], error=AssistantUnavailable())

    with pytest.raises(AssistantUnavailable):
        await answer(RecordingLLM(lambda: broken, "m", cache))

    assert len(cache) == 0
    assert not (tmp_path / "answers.jsonl").exists()


async def test_without_cache_the_model_is_asked_each_time():
    model = FakeLLM()
    llm = RecordingLLM(lambda: model, "m", None)

    await answer(llm)
    await answer(llm)

    assert len(model.asked) == 2


def test_line_that_was_cut_is_passed_over(tmp_path, caplog):
    path = tmp_path / "answers.jsonl"
    AnswerCache(path).put("one", ["Bonjour"])
    with path.open("a") as file:
        file.write('{"key": "two", "chunks": [{"fly": 1}]}\n{"key": "thr')

    cache = AnswerCache(path)

    assert (cache.get("one"), len(cache)) == (["Bonjour"], 1)
    assert len(caplog.records) == 2


async def test_results_of_tools_are_noted_beside_their_calls():
    llm = RecordingLLM(lambda: FakeLLM([CALL]), "m", None)
    notes.set(noted := Notes())
    told = [*ASKED, {"role": "tool", "tool_call_id": "call-1", "content": '{"produits": []}'}]

    for messages in (ASKED, told):
        async for _ in llm.stream(messages, TOOLS, deadline=0.0):
            pass

    assert noted.calls[0].result == {"produits": []}
