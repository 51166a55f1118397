"""What becomes of a model's stream, sans I/O."""

from __future__ import annotations

from typing import Any

import pytest

from chat.assistant.stream import BrokenAnswer, Completion, EventDecoder, ToolCall, Usage


def chunk(text: str | None = None, *, end: str | None = None, **delta: Any) -> Any:
    return {"choices": [{"delta": {"content": text, **delta}, "finish_reason": end}]}


def call(index: int, **part: Any) -> Any:
    return chunk(tool_calls=[{"index": index, **part}])


def test_text_of_several_chunks_is_one_and_taken_once():
    completion = Completion()
    for part in (chunk("Bon"), chunk("jour"), chunk(None), chunk(end="stop")):
        completion.feed(part)

    assert (completion.take_text(), completion.take_text()) == ("Bonjour", "")
    assert completion.rest() == []


def test_calls_are_put_together_in_order_and_the_cost_comes_last():
    completion = Completion()
    completion.feed(call(1, id="b", function={"name": "two", "arguments": "{"}))
    completion.feed(call(0, id="a", function={"name": "one", "arguments": "{}"}))
    completion.feed(call(1, function={"arguments": "}"}))
    completion.feed(chunk(end="tool_calls"))
    completion.feed({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})

    calls = (ToolCall("a", "one", "{}"), ToolCall("b", "two", "{}"))
    assert completion.rest() == [calls, Usage(3, 2)]


def test_stream_without_an_end_is_broken_and_keeps_what_came():
    completion = Completion()
    completion.feed(chunk("Bon"))

    assert completion.take_text() == "Bon"
    with pytest.raises(BrokenAnswer):
        completion.rest()


@pytest.mark.parametrize(
    "nonsense", [None, 3, "x", [], {}, {"choices": [{}]}, {"choices": [{"delta": "x"}]}]
)
def test_anything_else_is_broken(nonsense):
    with pytest.raises(BrokenAnswer):
        Completion().feed(nonsense)


def test_half_a_sign_reaches_neither_text_nor_arguments():
    completion = Completion()
    completion.feed(chunk("\ud83d é"))
    completion.feed(call(0, id="a", function={"name": "one", "arguments": "\ude00"}))
    completion.feed(chunk(end="stop"))

    assert completion.take_text() == "? é"
    assert completion.rest() == [(ToolCall("a", "one", "?"),)]


EVENTS = (
    b": hello\n\ndata: {1}\n\ndata:{2}\r\n\r\nevent: x\ndata: {3\ndata: }\nid: 7\n\n"
    b"id: 8\n\ndata: {4}\r\rdata: {5\r\ndata: }\r\n\r\ndata: [DONE]\n\ndata: cut"
)


@pytest.mark.parametrize("size", range(1, len(EVENTS) + 1))
def test_events_are_the_same_however_they_are_cut(size):
    decoder = EventDecoder()
    reads = [EVENTS[:size], *(EVENTS[at : at + size] for at in range(size, len(EVENTS), size))]

    found = [event for read in reads for event in decoder.feed(read)]

    assert found == [b"{1}", b"{2}", b"{3\n}", b"{4}", b"{5\n}", b"[DONE]"]


@pytest.mark.parametrize("count", ["3", -1, 10**30, None, 1.5])
def test_usage_that_is_no_number_is_not_told(count):
    completion = Completion()
    completion.feed({"choices": [{"delta": {"content": "Oui"}, "finish_reason": "stop"}]})
    completion.feed({"choices": [], "usage": {"prompt_tokens": count, "completion_tokens": 2}})

    assert completion.rest() == []
