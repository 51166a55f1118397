"""Parts of a worker: built once, replaced explicitly, closed in order."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.testing import WebsocketCommunicator

from chat.core import runtime
from chat.core.runtime import LoopPart, Part, Runtime
from tests.runtime import restarted_worker


class Thing:
    """Something with a name, which is noted when it is closed."""

    def __init__(self, name: str, closed: list[str] | None = None) -> None:
        self.name = name
        self._closed = [] if closed is None else closed

    def close(self) -> None:
        self._closed.append(self.name)

    async def aclose(self) -> None:
        self._closed.append(f"{self.name} (loop)")


def counted(name: str = "thing") -> tuple[Part[Thing], list[Thing]]:
    """A part and what was built for it so far."""
    built: list[Thing] = []

    def build() -> Thing:
        built.append(Thing(f"{name} {len(built) + 1}"))
        return built[-1]

    return Part(name, build), built


def test_part_is_built_once_at_its_first_use():
    part, built = counted()
    assert part.peek() is None
    assert built == []

    assert part.get() is part.get()
    assert part.peek() is part.get()
    assert len(built) == 1


def test_threads_that_ask_at_once_get_the_same_thing():
    begin = threading.Barrier(20)
    built: list[Thing] = []

    def build() -> Thing:
        built.append(Thing(str(len(built))))
        threading.Event().wait(0.01)  # others come meanwhile
        return built[-1]

    part: Part[Thing] = Part("slow", build)

    def ask(_: int) -> Thing:
        begin.wait()
        return part.get()

    with ThreadPoolExecutor(20) as threads:
        found = set(threads.map(ask, range(20)))
    assert found == set(built)
    assert len(built) == 1


def test_recipe_may_ask_for_another_part():
    inner, _ = counted("inner")
    outer = Part("outer", lambda: (inner.get(), "outer"))
    assert outer.get() == (inner.get(), "outer")


def test_recipe_that_fails_is_tried_again():
    answers: Iterator[Exception | Thing] = iter([ValueError("not yet"), Thing("there")])

    def build() -> Thing:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    part: Part[Thing] = Part("late", build)
    with pytest.raises(ValueError, match="not yet"):
        part.get()
    assert part.get().name == "there"


def test_override_before_the_first_use_builds_nothing():
    part, built = counted()
    other = Thing("other")
    with runtime.override(part.to(other)):
        assert part.get() is other
        assert part.peek() is other
    assert built == []
    assert part.peek() is None


def test_override_after_the_first_use_puts_the_first_back():
    part, _ = counted()
    first, other = part.get(), Thing("other")
    with runtime.override(part.to(other)):
        assert part.get() is other
    assert part.get() is first


def test_overrides_nest_and_leave_after_a_failure():
    one, _ = counted("one")
    two, _ = counted("two")
    a, b, c = Thing("a"), Thing("b"), Thing("c")
    with runtime.override(one.to(a)):
        with suppress(KeyError), runtime.override(one.to(b), two.to(c)):
            assert (one.get(), two.get()) == (b, c)
            raise KeyError
        assert one.get() is a
        assert two.peek() is None


def test_part_that_must_not_be_needed_says_who_was_asked_for():
    part, _ = counted("store")
    with runtime.override(part.refusing()), pytest.raises(RuntimeError, match="the store"):
        part.get()
    first = part.get()
    with (
        runtime.override(part.refusing()),
        pytest.raises(RuntimeError, match="the store was asked for"),
    ):
        part.get()
    assert part.get() is first
    with runtime.process(Runtime(part.refusing())), pytest.raises(RuntimeError, match="the store"):
        part.get()


def test_none_is_a_value_like_any_other():
    built: list[int] = []
    part: Part[None] = Part("none", lambda: built.append(1))
    part.get()
    part.get()
    assert built == [1]


def test_processes_started_one_after_the_other_share_nothing():
    part, _ = counted()
    first = part.get()
    with runtime.process(Runtime()):
        assert part.get() is not first
    assert part.get() is first


def test_restarted_worker_keeps_what_was_replaced_and_builds_the_rest_anew():
    part, built = counted()
    replaced, _ = counted("replaced")
    refused, _ = counted("refused")
    first, given = part.get(), Thing("given")
    with runtime.override(replaced.to(given), refused.refusing()), restarted_worker():
        assert part.get() is not first
        assert replaced.get() is given
        with pytest.raises(RuntimeError, match="the refused"):
            refused.get()
    assert part.get() is first
    assert len(built) == 2


def test_each_event_loop_gets_parts_of_its_own():
    part: LoopPart[asyncio.Lock] = LoopPart("loop thing", asyncio.Lock)

    async def ask() -> asyncio.Lock:
        assert part.get() is part.get()
        return part.get()

    assert asyncio.run(ask()) is not asyncio.run(ask())


def test_given_loop_part_serves_one_loop_after_the_other():
    part: LoopPart[Thing] = LoopPart("loop thing", lambda: Thing("built"))
    given = Thing("given")

    async def ask() -> Thing:
        return part.get()

    with runtime.override(part.to(given)):
        assert asyncio.run(ask()) is given
        assert asyncio.run(ask()) is given
    with runtime.process(Runtime(part.to(given))):
        assert asyncio.run(ask()) is given
        assert asyncio.run(ask()) is given


def test_loop_part_outside_a_loop_is_refused():
    part = LoopPart("loop thing", asyncio.Lock)
    with pytest.raises(RuntimeError, match="no running event loop"):
        part.get()


async def test_second_living_loop_needs_a_runtime_of_its_own():
    part: LoopPart[Thing] = LoopPart("loop thing", lambda: Thing("built"))
    here = part.get()
    second = Runtime()

    async def ask() -> Thing:
        return part.get()

    def ask_in_a_second_loop(own: Runtime | None) -> Thing:
        if own is None:
            return asyncio.run(ask())
        with runtime.use(own):
            return asyncio.run(ask())

    with pytest.raises(RuntimeError, match=r"runtime\.use"):
        await asyncio.to_thread(ask_in_a_second_loop, None)
    assert await asyncio.to_thread(ask_in_a_second_loop, second) is not here
    assert part.get() is here


def test_part_of_a_closed_loop_does_not_come_back_when_an_override_ends():
    part: LoopPart[Thing] = LoopPart("loop thing", lambda: Thing("built"))

    async def ask() -> Thing:
        return part.get()

    async def leave_and_ask(inside: ExitStack) -> Thing:
        assert part.get().name == "other"
        inside.close()
        return part.get()

    first = asyncio.run(ask())
    inside = ExitStack()
    inside.enter_context(runtime.override(part.to(Thing("other"))))
    second = asyncio.run(leave_and_ask(inside))
    assert second.name == "built"
    assert second is not first


def test_given_loop_part_comes_back_in_whatever_loop_an_override_ends():
    part: LoopPart[Thing] = LoopPart("loop thing", lambda: Thing("built"))

    async def ask() -> str:
        return part.get().name

    with runtime.process(Runtime(part.to(Thing("given")))):
        assert asyncio.run(ask()) == "given"
        with runtime.override(part.to(Thing("other"))):
            assert asyncio.run(ask()) == "other"
        assert asyncio.run(ask()) == "given"


@pytest.mark.django_db(transaction=True)  # Channels closes old connections around a consumer
async def test_consumer_in_an_empty_context_sees_the_override():
    part, _ = counted()
    of_loop: LoopPart[Thing] = LoopPart("loop thing", lambda: Thing("built"))

    class Tell(AsyncWebsocketConsumer):
        async def connect(self) -> None:
            await self.accept()
            await self.send(f"{part.get().name}, {of_loop.get().name}")

    with runtime.override(part.to(Thing("other")), of_loop.to(Thing("of the loop"))):
        socket = WebsocketCommunicator(Tell.as_asgi(), "/")
        await socket.connect()
        assert await socket.receive_from() == "other, of the loop"
        await socket.disconnect()


async def test_thread_of_an_executor_sees_the_override():
    part, _ = counted()
    loop = asyncio.get_running_loop()
    with runtime.override(part.to(Thing("other"))):
        assert (await loop.run_in_executor(None, part.get)).name == "other"


async def test_task_begun_in_a_second_worker_stays_in_it():
    part, _ = counted()
    second = Runtime(part.to(Thing("second")))
    with runtime.use(second):
        task = asyncio.create_task(_name_of(part))
    assert await task == "second"
    assert part.get().name == "thing 1"


async def _name_of(part: Part[Thing]) -> str:
    await asyncio.sleep(0)
    return part.get().name


def parts_that_note(closed: list[str]) -> tuple[Part[Thing], Part[Thing], LoopPart[Thing]]:
    """The second is made of the first; the last belongs to the loop."""
    inner = Part("inner", lambda: Thing("inner", closed), close=Thing.close)

    def build_outer() -> Thing:
        inner.get()
        return Thing("outer", closed)

    outer = Part("outer", build_outer, close=Thing.close)
    of_loop = LoopPart("of the loop", lambda: Thing("of the loop", closed), aclose=Thing.aclose)
    return inner, outer, of_loop


async def test_closing_goes_backwards_and_each_kind_apart(worker_runtime):
    closed: list[str] = []
    inner, outer, of_loop = parts_that_note(closed)
    with runtime.override(outer.to(Thing("other", closed)), of_loop.to(Thing("other", closed))):
        inner.get()
    outer.get()
    of_loop.get()

    await worker_runtime.aclose()
    assert closed == ["of the loop (loop)"]
    assert of_loop.peek() is None
    worker_runtime.close()
    assert closed == ["of the loop (loop)", "outer", "inner"]
    assert inner.peek() is outer.peek() is None
    await worker_runtime.aclose()
    worker_runtime.close()
    assert len(closed) == 3


async def test_what_was_given_is_closed_by_its_maker():
    closed: list[str] = []
    inner, outer, of_loop = parts_that_note(closed)
    given = Runtime(*(part.to(Thing("given", closed)) for part in (inner, outer, of_loop)))
    with runtime.process(given):
        assert {part.get().name for part in (inner, outer, of_loop)} == {"given"}
        await given.aclose()
        given.close()
    assert closed == []


async def test_failure_of_closing_is_logged_and_stops_nothing(worker_runtime, caplog):
    closed: list[str] = []
    inner, _, _ = parts_that_note(closed)

    def fail(_: Thing) -> None:
        raise OSError("stuck")

    async def afail(_: Thing) -> None:
        raise OSError("stuck")

    bad = Part("bad", lambda: Thing("bad"), close=fail)
    bad_of_loop = LoopPart("bad of the loop", lambda: Thing("bad"), aclose=afail)
    inner.get()
    bad.get()
    bad_of_loop.get()

    with caplog.at_level(logging.ERROR, logger="chat.core.runtime"):
        await worker_runtime.aclose()
        worker_runtime.close()
    assert closed == ["inner"]
    assert [record.getMessage() for record in caplog.records] == [
        "closing the bad of the loop failed",
        "closing the bad failed",
    ]
