"""What other workers say in a conversation is known here when Redis goes. On a Redis of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import redis
from channels_redis.pubsub import RedisPubSubChannelLayer

from chat.conversations.realtime.events import Failed, MessageDone
from chat.conversations.realtime.pubsub import PUBSUB, PubSub
from chat.conversations.store.protocol import ANY_OWNER, STORE, WEB_OWNER
from chat.conversations.types import End, Message, Outcome
from chat.turns.viewers import follow_store, read_state
from meuble_project import backends
from tests.backends import use_redis
from tests.builders import answer_to, done, leased, question
from tests.conversations.store.workers import back
from tests.fakes import Listener

CAMILLE = "camille"
FAILED = Outcome(end=End.FAILED, code="assistant_timeout")


class OtherWorker:
    """Another process, as far as Redis and the channel layer can tell."""

    def __init__(self, worker, layer):
        self.worker = worker
        self.store = worker.store
        self._pubsub = PubSub(layer)

    async def ask(self, id_: str, owner: str = WEB_OWNER) -> None:
        message = question("Et ceci ?", id_)
        await self.store.accept(CAMILLE, owner, message, create="always")
        await self.tell(MessageDone(message))

    async def answer(self, id_: str) -> Message:
        lease = await leased(self.store, id_, CAMILLE)
        answer = answer_to(lease, f"**Réponse** à {id_}")
        await self.store.finish(lease, done(lease), answer)
        await self.tell(MessageDone(answer))
        return answer

    async def fail(self, id_: str) -> None:
        lease = await leased(self.store, id_, CAMILLE)
        await self.store.finish(lease, FAILED, None)
        await self.tell(Failed.from_error(FAILED.error(), id_))

    async def tell(self, event) -> None:
        await self._pubsub.publish_remote(CAMILLE, event)


@pytest.fixture
async def here(server, settings):
    """The store of this worker, which hears of others."""
    use_redis(settings, server.url)
    follow_store()
    return STORE.get()


@pytest.fixture
async def other(here, server, workers):
    configured = backends.channel_layer_for(server.url)["CONFIG"]
    layer = RedisPubSubChannelLayer(**configured)
    yield OtherWorker(workers(), layer)
    await layer.flush()


@pytest.fixture
async def page(here):
    """Camille's page at this worker, where she asked her first question."""
    viewer = Listener()
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        await here.accept(CAMILLE, WEB_OWNER, question(), create="always")
        yield viewer


async def shown() -> list[str]:
    return [message.id for message in (await read_state(CAMILLE, WEB_OWNER)).messages]


async def test_page_loaded_again_while_redis_is_away_shows_the_newest_answer(
    server, here, other, page
):
    answer = await other.answer("q1")
    await other.ask("q2")
    await page.until("message.done", 2)
    server.kill()

    state = await read_state(CAMILLE, WEB_OWNER)

    assert here.backend == "memory"
    assert [message.id for message in state.messages] == ["q1", answer.id, "q2"]
    assert state.messages[1].to_json() == answer.to_json()
    assert not state.messages[1].extra  # its HTML is no part of it
    assert await here.outcome(CAMILLE, "q1") == Outcome(end=End.DONE, answer_id=answer.id)


async def test_merge_has_each_message_once(server, here, other, page):
    await other.answer("q1")
    await page.until("message.done")
    server.freeze()
    await here.accept(CAMILLE, WEB_OWNER, question("Encore", "q3"), create="always")
    meanwhile = await shown()
    server.thaw()
    await back(here)

    session = await other.store.load(CAMILLE, ANY_OWNER)

    assert meanwhile == ["q1", "answer-to-q1", "q3"]
    assert [message.id for message in session.messages] == meanwhile
    assert session.waiting == ("q3",)
    assert all(message.extra is None for message in session.messages)


async def test_question_that_was_answered_elsewhere_is_not_answered_again(
    server, here, other, page
):
    answer = await other.answer("q1")
    await page.until("message.done")
    server.kill()

    claim = await here.claim(CAMILLE, ["q1"], "second-answer")

    assert (claim.lease, claim.ended["q1"].answer_id) == (None, answer.id)


async def test_failure_that_was_told_elsewhere_is_shown(server, here, other, page):
    await other.fail("q1")
    await page.until("error")
    server.kill()

    state = await read_state(CAMILLE, WEB_OWNER)

    assert [(one["id"], one["code"]) for one in state.failed] == [("q1", "assistant_timeout")]


async def test_what_both_say_in_memory_is_heard_while_redis_refuses_writes(
    server, here, other, page
):
    await other.store.load(CAMILLE, WEB_OWNER)
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", "1")
        await here.accept(CAMILLE, WEB_OWNER, question("Encore", "q2"), create="always")
        await other.ask("q3")
        assert here.backend == other.store.backend == "memory"
        answer = await other.answer("q3")
        await page.until("message.done", 2)
        in_memory = await shown()
        client.config_set("maxmemory", "0")
    await back(here)
    await back(other.store)

    assert in_memory == ["q1", "q2", "q3", answer.id]
    assert sorted(await shown()) == sorted(in_memory)


def said_after(earlier: Message, id_: str) -> Message:
    """What the same customer says after ``earlier`` was acknowledged."""
    return replace(question("Encore", id_), sent_at=earlier.sent_at + timedelta(seconds=1))


@pytest.mark.parametrize("first_back", ["here", "other"])
async def test_page_that_moved_keeps_its_order_though_its_first_words_are_heard_late(
    server, here, other, page, first_back
):
    """A worker that writes an answer tells of the next question only when that answer ended."""
    await other.store.load(CAMILLE, WEB_OWNER)
    first = question("Et ceci ?", "q2")
    with redis.Redis.from_url(server.url) as client:
        client.config_set("maxmemory", "1")
        await other.store.accept(CAMILLE, WEB_OWNER, first, create="new")
        await here.accept(CAMILLE, WEB_OWNER, said_after(first, "q3"), create="new")
        await other.tell(MessageDone(first))
        await page.until("message.done")
        in_memory = await shown()
        for store in (here, other.store):
            store._returning.cancel()
        client.config_set("maxmemory", "0")
    stores_back = [here, other.store] if first_back == "here" else [other.store, here]
    for store in stores_back:
        await store._give_back()

    assert in_memory == ["q1", "q2", "q3"]
    assert await shown() == in_memory


async def test_words_heard_late_stand_in_the_copy_where_they_were_said(server, here, other, page):
    first = question("Et ceci ?", "q2")
    await here.accept(CAMILLE, WEB_OWNER, said_after(first, "q3"), create="new")
    await other.tell(MessageDone(first))
    await page.until("message.done")
    server.kill()

    assert await shown() == ["q1", "q2", "q3"]


@pytest.mark.parametrize(("heard_s", "language"), [(1, "fr"), (3, "en")], ids=["late", "at once"])
async def test_language_is_that_of_the_last_words_whenever_they_are_heard(
    server, here, other, page, heard_s, language
):
    asked = (await here.load(CAMILLE, WEB_OWNER)).messages[0]
    server.kill()
    french = question("Je voudrais un grand canapé gris, s'il vous plaît", "q2")
    french = replace(french, sent_at=asked.sent_at + timedelta(seconds=2))
    await here.accept(CAMILLE, WEB_OWNER, french, create="new")
    english = question("I would like to buy a big grey sofa, please", "q3")
    english = replace(english, sent_at=asked.sent_at + timedelta(seconds=heard_s))

    here.note_heard(CAMILLE, english)

    assert here._memory.record(CAMILLE).language == language


async def test_second_answer_is_not_taken_in(server, here, other, page):
    answer = await other.answer("q1")
    second = Message(author=answer.author, id="second", text="Non.", reply_to="q1")
    await other.tell(MessageDone(second))
    await page.until("message.done", 2)
    server.kill()

    assert await shown() == ["q1", answer.id]


async def test_conversation_of_a_program_takes_in_nothing(server, here, other):
    """The id may be another owner's by now, who was told so by another worker."""
    await here.accept(CAMILLE, "key:1", question(), create="always")
    viewer = Listener()
    async with PUBSUB.get().subscribe(CAMILLE, viewer):
        await other.tell(MessageDone(question("Secret", "q2")))
        await viewer.until("message.done")
        server.kill()

        session = await here.load(CAMILLE, "key:1")

    assert [message.id for message in session.messages] == ["q1"]
