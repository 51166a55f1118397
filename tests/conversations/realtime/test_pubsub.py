"""Two workers on one channel layer that loses things."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer

from chat.conversations.realtime.events import MessageDone, SessionEnded
from chat.conversations.realtime.pubsub import ERASED, EVERYBODY, LAYER_TIMEOUT_S, PubSub
from chat.conversations.store.redis.document import watch_group
from meuble_project import backends
from tests.builders import JEAN, question
from tests.fakes import Listener

SAID = MessageDone(question())


class Layer(InMemoryChannelLayer):
    """``fault``: "" | "loses" what is sent | "fails" | "no groups".

    ``broken``: channels from which nothing can be received any more.
    """

    fault = ""

    def __init__(self) -> None:
        super().__init__()
        self.broken: set[str] = set()

    async def receive(self, channel: str) -> Any:
        message = await super().receive(channel)
        if channel in self.broken:
            raise ConnectionError
        return message

    async def group_add(self, group: str, channel: str) -> None:
        if self.fault == "no groups":
            raise ConnectionError
        await super().group_add(group, channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.fault == "fails":
            raise ConnectionError
        if not self.fault:
            await super().group_send(group, message)

    async def received(self) -> None:
        """Wait until everything that was sent was received."""
        async with asyncio.timeout(5):
            while any(queue.qsize() for queue in self.channels.values()):
                await asyncio.sleep(0)
        await asyncio.sleep(0)


@dataclass
class Worker:
    """``erased``: ids of sessions of whose erasure it was told, in order."""

    pubsub: PubSub
    viewer: Listener
    erased: list[str]


#: A layer that failed is tried again at once.
AT_ONCE = {"away_s": 0.0}
QUICK = {**AT_ONCE, "erased_every_s": 0.001, "erased_again_s": 0.02}


@pytest.fixture
def layer():
    return Layer()


@pytest.fixture
def times():
    """What a test that needs other times is parametrized with."""
    return AT_ONCE


@pytest.fixture
async def workers(layer, times):
    """Two workers in which somebody is subscribed to Jean."""
    made = [Worker(PubSub(layer, **times), Listener(), []) for _ in range(2)]
    async with AsyncExitStack() as stack:
        for one in made:
            stack.push_async_callback(one.pubsub.close)
            one.pubsub.on_erased(one.erased.append)
            await stack.enter_async_context(one.pubsub.subscribe(JEAN, one.viewer))
        yield made


async def beat(layer: Layer, *workers: Worker) -> list[bool]:
    lost = [await one.pubsub.heartbeat() for one in workers]
    await layer.received()
    return lost


def waiting(worker: Worker) -> list[str]:
    """Topics that are shown again once they are quiet."""
    return worker.pubsub.overdue(-1.0)


async def test_nothing_is_lost_while_every_beat_comes(layer, workers):
    assert [await beat(layer, *workers) for _ in range(3)] == [[False, False]] * 3


@pytest.mark.parametrize("fault", ["loses", "fails"])
async def test_beat_that_never_came_tells_of_lost_events(layer, workers, fault):
    await beat(layer, *workers)
    layer.fault = fault
    before = await beat(layer, *workers)
    layer.fault = ""
    after = [await beat(layer, *workers) for _ in range(2)]

    assert before == [False, False]
    assert [any(lost) for lost in zip(*after, strict=True)] == [True, True]
    assert await beat(layer, *workers) == [False, False]


async def test_worker_that_is_new_may_have_published_before(layer, workers):
    one, other = workers
    layer.fault = "loses"
    await one.pubsub.heartbeat()
    layer.fault = ""
    await beat(layer, one)

    assert await other.pubsub.heartbeat()


async def test_subscription_that_failed_is_made_later(layer, workers):
    late, viewer = PubSub(layer, away_s=0.0), Listener()
    layer.fault = "no groups"
    async with late.subscribe(JEAN, viewer):
        layer.fault = ""
        await late.heartbeat()

        await workers[0].pubsub.publish_remote(JEAN, SAID)

        await viewer.until("message.done")
    await late.close()


async def test_viewers_of_what_came_from_several_sides_see_it_again(layer, workers):
    asker = Listener()
    one, other = workers

    async with one.pubsub.subscribe(JEAN, asker):
        await one.pubsub.publish(JEAN, SAID, exclude=asker)
        await layer.received()

        assert [waiting(one), waiting(other)] == [[JEAN], [JEAN]]
    assert (asker.types(), one.viewer.types(), other.viewer.types()) == (
        [],
        ["message.done"],
        ["message.done"],
    )


async def test_lone_viewer_is_not_shown_again_what_it_sent(workers):
    one, _other = workers

    await one.pubsub.publish(JEAN, SAID, exclude=one.viewer)

    assert waiting(one) == []


async def test_nothing_is_sent_where_the_store_knows_of_no_other_worker(layer, workers):
    one, other = workers

    await one.pubsub.publish(JEAN, SAID, workers=1)
    await layer.received()

    assert (one.viewer.types(), other.viewer.types()) == (["message.done"], [])
    assert not one.pubsub.has_remote_subscribers(JEAN, 1)
    assert one.pubsub.has_remote_subscribers(JEAN, 2)
    assert one.pubsub.has_remote_subscribers(JEAN, None)
    assert not one.pubsub.has_subscribers("camille", 0)


async def test_erasure_ends_the_pages_of_other_workers_at_once(workers):
    one, other = workers

    await one.pubsub.publish_erased(JEAN)

    await other.viewer.until("session.ended")
    assert (one.viewer.heard, other.viewer.heard) == ([ERASED], [ERASED])
    assert (one.erased, other.erased) == ([JEAN], [JEAN])


#: Other events are held back.
_AWAY_FOR_LONG = {"away_s": 1000.0, "erased_every_s": 0.01}


@pytest.mark.parametrize("times", [_AWAY_FOR_LONG])
@pytest.mark.parametrize("fault", ["loses", "fails"])
async def test_erasure_that_nobody_received_is_sent_once_the_layer_is_back(layer, workers, fault):
    one, other = workers
    layer.fault = fault
    await one.pubsub.publish_erased(JEAN)
    unheard = not other.viewer.heard
    layer.fault = ""

    await other.viewer.until("session.ended")
    assert unheard


@pytest.mark.parametrize("times", [QUICK])
async def test_viewers_are_told_of_an_erasure_once(layer, workers):
    one, other = workers

    await one.pubsub.publish_remote(JEAN, SessionEnded("erased"))
    await one.pubsub.publish_erased(JEAN)
    await one.pubsub.erasures_published()
    await layer.received()

    assert len(other.erased) > 1
    assert other.viewer.heard == [ERASED]


async def test_erasure_that_is_written_otherwise_is_told_once_too(layer, workers):
    one, other = workers
    text = '{"type": "session.ended", "reason": "erased"}'
    event = {"event": "session.ended", "about": "", "text": text}
    message = {"type": "event", "from": "another", "group": watch_group(JEAN), **event}

    await layer.group_send(watch_group(JEAN), message)
    await one.pubsub.publish_erased(JEAN)
    await layer.received()

    assert [event.json for event in other.viewer.heard] == [text]


@pytest.mark.parametrize("times", [{**QUICK, "max_erased": 2}])
async def test_erasures_that_wait_for_the_layer_are_bounded(layer, workers):
    one, other = workers
    layer.fault = "fails"
    for id_ in ("s1", "s2", "s3", "s4"):
        await one.pubsub.publish_erased(id_)
    layer.fault = ""

    await one.pubsub.erasures_published()
    await layer.received()

    assert set(other.erased) == {"s3", "s4"}


async def test_worker_without_viewers_is_told_of_erasures_too(layer, workers):
    lonely, erased = PubSub(layer, away_s=0.0), []
    lonely.on_erased(erased.append)
    await lonely.heartbeat()

    await workers[0].pubsub.publish_erased(JEAN)
    await layer.received()

    assert erased == [JEAN]
    await lonely.close()


async def test_receiving_goes_on_by_another_channel_once_the_layer_fails(layer, workers):
    one, other = workers
    broken = set(layer.groups[EVERYBODY])
    layer.broken |= broken
    async with asyncio.timeout(5):
        while not other.viewer.heard:
            await one.pubsub.publish_remote(JEAN, SAID)
            await asyncio.sleep(0)

    assert not broken & {channel for group in layer.groups.values() for channel in group}
    assert await other.pubsub.heartbeat(), "what was lost meanwhile is shown again"


async def test_receiving_that_was_ended_begins_again(workers):
    one, other = workers
    receiving = {task for task in asyncio.all_tasks() if task.get_name() == "pubsub"}
    for task in receiving:
        task.cancel()
    await asyncio.wait(receiving)

    await other.pubsub.heartbeat()
    await one.pubsub.publish_remote(JEAN, SAID)

    await other.viewer.until("message.done")


async def test_stall_of_this_process_is_not_taken_for_a_layer_that_is_away(flushed_redis):
    layer = RedisPubSubChannelLayer(**backends.channel_layer_for(flushed_redis)["CONFIG"])
    pubsub = PubSub(layer)

    async with pubsub.subscribe(JEAN, Listener(), wait=False):
        subscribing = next(task for task in asyncio.all_tasks() if task.get_name() == "join")
        await asyncio.sleep(0)
        time.sleep(1.5 * LAYER_TIMEOUT_S)  # noqa: ASYNC251 - the loop stands still, Redis does not
        await asyncio.wait({subscribing})

        assert not pubsub.has_remote_subscribers(JEAN, 1), "the one worker is this one"
    await pubsub.close()
    await layer.flush()


async def test_layer_that_never_answers_is_left_alone():
    class Silent(Layer):
        asked = 0

        async def group_add(self, group: str, channel: str) -> None:
            self.asked += 1
            await asyncio.Event().wait()

    layer = Silent()
    pubsub = PubSub(layer, away_s=60.0)

    async with asyncio.timeout(10):
        for _ in range(3):
            async with pubsub.subscribe(JEAN, Listener()):
                assert pubsub.has_remote_subscribers(JEAN, 1), "this worker could not join"

    assert layer.asked == 1
