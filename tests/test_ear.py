"""Two processes' ears on one channel layer that loses things."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from chat import ear
from chat.ear import ERASED, Ear
from chat.protocol import MessageDone, sealed
from tests.builders import JEAN, question
from tests.fakes import Listener


class Layer(InMemoryChannelLayer):
    """``fault``: "" | "loses" what is sent | "fails" | "no groups"."""

    fault = ""

    async def group_add(self, group: str, channel: str) -> None:
        if self.fault == "no groups":
            raise ConnectionError
        await super().group_add(group, channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.fault == "fails":
            raise ConnectionError
        if not self.fault:
            await super().group_send(group, message)


@pytest.fixture
def layer(monkeypatch):
    monkeypatch.setattr(ear, "AWAY_S", 0.0)
    return Layer()


@pytest.fixture
async def ears(layer):
    """Two processes in which somebody listens to Jean."""
    made = [Ear(layer), Ear(layer)]
    for one in made:
        one.listeners[JEAN] = {Listener()}
        await one.join(JEAN)
    yield made
    tasks = [task for one in made for task in (one._hearing, one._repeating) if task is not None]
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def heard(*ears: Ear) -> None:
    """Wait until everything that was sent was heard."""
    async with asyncio.timeout(5):
        while any(queue.qsize() for one in ears for queue in one.layer.channels.values()):
            await asyncio.sleep(0)
    await asyncio.sleep(0)


async def beat(*ears: Ear) -> list[bool]:
    missed = [await one.tend() for one in ears]
    await heard(*ears)
    return missed


async def test_nothing_is_missed_while_every_beat_comes(ears):
    assert [await beat(*ears) for _ in range(3)] == [[False, False]] * 3


@pytest.mark.parametrize("fault", ["loses", "fails"])
async def test_beat_that_never_came_tells_of_lost_events(ears, layer, fault):
    await beat(*ears)
    layer.fault = fault
    before = await beat(*ears)
    layer.fault = ""
    after = [await beat(*ears) for _ in range(2)]

    assert before == [False, False]
    assert [any(missed) for missed in zip(*after, strict=True)] == [True, True]
    assert await beat(*ears) == [False, False]


async def test_process_heard_for_the_first_time_may_have_spoken_before(ears, layer):
    layer.fault = "loses"
    await ears[0].tend()
    layer.fault = ""
    await beat(ears[0])

    assert await ears[1].tend()


async def test_ear_that_could_not_be_opened_is_opened_later(layer):
    late, other = Ear(layer), Ear(layer)
    listener = Listener()
    late.listeners[JEAN] = {listener}
    layer.fault = "no groups"
    await late.join(JEAN)
    layer.fault = ""
    await late.tend()

    await other.join(JEAN)
    await other.tell_elsewhere(JEAN, sealed(MessageDone(question())))

    await listener.until("message.done")
    for one in (late, other):
        one._hearing.cancel()
    await asyncio.wait([late._hearing, other._hearing])


async def test_viewers_of_what_came_from_several_sides_see_it_again(ears):
    envelope = sealed(MessageDone(question()))
    asker = Listener()
    one, other = ears
    one.listeners[JEAN].add(asker)

    await one.tell(JEAN, envelope, asker)
    await one.tell_elsewhere(JEAN, envelope)
    await heard(*ears)

    assert [list(each.awaited) for each in (one, other)] == [[JEAN], [JEAN]]


async def test_lone_viewer_is_not_shown_again_what_it_sent(ears):
    (lone,) = ears[0].listeners[JEAN]

    await ears[0].tell(JEAN, sealed(MessageDone(question())), lone)

    assert ears[0].awaited == {}


async def test_erasure_ends_the_pages_of_other_processes_at_once(ears):
    one, other = ears
    (viewer,) = other.listeners[JEAN]
    forgotten = []
    other.forgetting.append(forgotten.append)

    await one.tell_erased(JEAN)

    await viewer.until("session.ended")
    assert viewer.heard == [ERASED]
    assert forgotten == [JEAN]


@pytest.mark.parametrize("fault", ["loses", "fails"])
async def test_erasure_that_nobody_heard_is_told_once_the_layer_is_back(
    ears, layer, monkeypatch, fault
):
    monkeypatch.setattr(ear, "AWAY_S", 1000.0)  # what holds other events back
    monkeypatch.setattr(ear, "ERASED_EVERY_S", 0.01)
    one, other = ears
    (viewer,) = other.listeners[JEAN]
    layer.fault = fault
    await one.tell_erased(JEAN)
    unheard = not viewer.heard
    layer.fault = ""

    await viewer.until("session.ended")
    assert unheard


async def test_viewers_are_told_of_an_erasure_once(ears, monkeypatch):
    monkeypatch.setattr(ear, "ERASED_EVERY_S", 0.001)
    monkeypatch.setattr(ear, "ERASED_AGAIN_S", 0.02)
    one, other = ears
    (viewer,) = other.listeners[JEAN]
    forgotten = []
    other.forgetting.append(forgotten.append)

    await one.tell_elsewhere(JEAN, ERASED)
    await one.tell_erased(JEAN)
    await one._repeating
    await heard(*ears)

    assert len(forgotten) > 1
    assert viewer.heard == [ERASED]


async def test_erasures_that_wait_for_the_layer_are_bounded(ears, layer, monkeypatch):
    monkeypatch.setattr(ear, "MAX_ERASED", 3)
    layer.fault = "fails"

    for n in range(5):
        await ears[0].tell_erased(f"s{n}")

    assert list(ears[0]._erased) == ["s2", "s3", "s4"]


async def test_process_without_viewers_hears_of_erasures_too(ears, layer):
    lonely = Ear(layer)
    forgotten = []
    lonely.forgetting.append(forgotten.append)
    await lonely.tend()

    await ears[0].tell_erased(JEAN)
    await heard(lonely)

    assert forgotten == [JEAN]
    lonely._hearing.cancel()
    await asyncio.wait([lonely._hearing])
