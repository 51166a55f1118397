from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from chat.assistant.llm import LLM_CLIENT
from chat.conversations import cookie
from chat.conversations.handover import advisers
from chat.conversations.realtime.events import MessageDelta, MessageDone, SessionEnded, ToolStarted
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.adviser_store import Adviser
from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import STORE
from chat.conversations.types import Author, Message
from chat.core import rate_limits
from chat.core.errors import AssistantUnavailable, SessionNotFound, StoreUnavailable
from chat.ops import ending
from chat.web.sockets.base import SOCKET_RULES, SocketRules
from chat.web.sockets.customer import CustomerConsumer
from tests.communicator import Communicator
from tests.fakes import FakeLLM
from tests.stores import FaultyStore


@pytest.fixture
def store(replace_parts):
    store = MemoryStore(86_400)
    replace_parts(STORE.to(store))
    return store


@pytest.fixture
def session_id():
    return cookie.new_session_id()


@pytest.fixture
def model(replace_parts):
    def use(llm):
        replace_parts(LLM_CLIENT.to(llm))
        return llm

    return use


def tab_of(session_id, headers=()):
    tab = Communicator(CustomerConsumer.as_asgi(), "/ws/chat/", headers=list(headers))
    tab.scope["cookies"] = {cookie.NAME: cookie.sign(session_id)} if session_id else {}
    return tab


@asynccontextmanager
async def open_tab(session_id, headers=()):
    """An open socket, as a browser holding the session cookie would have it."""
    tab = tab_of(session_id, headers)
    assert await tab.connect() == (True, None)
    yield tab
    await tab.disconnect()


async def until(tab, type_):
    """Receive events up to one of this type; return them all."""
    events = []
    try:
        async with asyncio.timeout(5):
            while not events or events[-1]["type"] != type_:
                events.append(json.loads(await tab.receive_from(timeout=5)))
    except TimeoutError:
        pytest.fail(f"no {type_} came, but {[event['type'] for event in events]}")
    return events


async def say(tab, text="Bonjour", id_="q1"):
    await tab.send_json_to({"type": "message.send", "id": id_, "text": text})


async def test_customer_sees_the_answer_being_written_then_whole(store, model, session_id):
    model(FakeLLM(["Bon", "jour"]))

    async with open_tab(session_id) as tab:
        (state,) = await until(tab, "session.state")
        await say(tab)
        events = await until(tab, "message.done")

    assert (state["messages"], state["draft"], state["speaker"]) == ([], None, "assistant")
    assert state["storage_backend"] == "memory"
    assert events[0] == {"type": "message.accepted", "id": "q1"}
    assert events[1]["offset"] == 0
    answer = events[-1]["message"]
    assert (answer["author"], answer["text"], answer["html"], answer["interrupted"]) == (
        "assistant",
        "Bonjour",
        "<p>Bonjour</p>",
        False,
    )
    assert {event["id"] for event in events[1:-1]} == {answer["id"]}


async def test_nothing_is_stored_until_something_is_said(store, session_id):
    async with open_tab(session_id) as tab:
        await until(tab, "session.state")

    assert await store.count() == 0


async def test_second_tab_sees_the_question_and_the_answer(store, model, session_id):
    model(FakeLLM(["Oui."]))

    async with open_tab(session_id) as one, open_tab(session_id) as two:
        await until(one, "session.state")
        await until(two, "session.state")
        await say(one)
        question, *_ = await until(two, "message.done")
        *_, answer = await until(two, "message.done")

    assert (question["message"]["author"], question["message"]["id"]) == ("customer", "q1")
    assert answer["message"]["text"] == "Oui."


async def test_stop_is_heard_in_mid_answer(store, model, session_id):
    model(FakeLLM(["Il était"], hangs=True))

    async with open_tab(session_id) as tab:
        await say(tab)
        await until(tab, "message.delta")
        await tab.send_json_to({"type": "turn.stop"})
        *_, done = await until(tab, "message.done")

    assert (done["message"]["text"], done["message"]["interrupted"]) == ("Il était", True)


async def test_reconnection_finds_the_draft_then_the_rest(store, model, session_id):
    llm = model(FakeLLM(["Il était"], hangs=True))

    async with open_tab(session_id) as tab:
        await say(tab)
        await until(tab, "message.delta")
    async with open_tab(session_id) as tab:
        (state,) = await until(tab, "session.state")
        await tab.send_json_to({"type": "turn.stop"})
        await until(tab, "message.done")

    assert state["draft"]["text"] == "Il était"
    assert state["waiting"] == ["q1"]
    assert len(llm.asked) == 1


async def test_message_sent_again_gets_the_same_answer(store, model, session_id):
    llm = model(FakeLLM(["Une fois."]))

    async with open_tab(session_id) as tab:
        await say(tab)
        *_, first = await until(tab, "message.done")
        await say(tab)
        accepted, again = await until(tab, "message.done")
        await say(tab, "Autre texte")
        (conflict,) = await until(tab, "error")

    assert (accepted["type"], again) == ("message.accepted", first)
    assert (conflict["code"], conflict["id"]) == ("id_conflict", "q1")
    assert len(llm.asked) == 1


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", "invalid_json"),
        ("null", "invalid_message"),
        ('{"type": "dance"}', "invalid_message"),
        ('{"type": "message.send", "id": "a", "text": " "}', "invalid_message"),
        ('{"type": "message.send", "id": "a*", "text": "x"}', "invalid_message"),
        ("[" * 10_000, "invalid_json"),
    ],
)
async def test_bad_frame_is_answered_and_the_socket_lives(store, session_id, frame, code):
    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        await tab.send_to(text_data=frame)
        (error,) = await until(tab, "error")
        await tab.send_json_to({"type": "ping"})
        assert await until(tab, "pong") == [{"type": "pong"}]

    assert error["code"] == code
    assert await store.count() == 0


async def test_bytes_are_refused(store, session_id):
    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        await tab.send_to(bytes_data=b'{"type": "ping"}')
        (error,) = await until(tab, "error")

    assert error["code"] == "invalid_message"


@pytest.mark.parametrize("cookies", [{}, {cookie.NAME: "someone:forged"}])
async def test_socket_without_a_valid_cookie_is_closed(cookies):
    tab = tab_of("")
    tab.scope["cookies"] = cookies

    await tab.connect()

    assert await tab.receive_output() == {"type": "websocket.close", "code": 4401}


async def test_visitors_of_one_address_share_a_limit(store, model, settings):
    """Whoever drops the cookie is a new visitor, but not at a new address."""
    model(FakeLLM(["Bonjour"]))
    settings.ENV = replace(settings.ENV, chat_rate_per_address_per_minute=1, trusted_proxies=1)
    codes = []
    for forwarded in (b"203.0.113.7", b"192.0.2.1, 203.0.113.7", b"203.0.113.8"):
        headers = [(b"x-forwarded-for", forwarded)]
        async with open_tab(cookie.new_session_id(), headers) as tab:
            await until(tab, "session.state")
            await say(tab, text=" " if forwarded.endswith(b"8") else "Bonjour")
            codes.append(json.loads(await tab.receive_from(timeout=5)).get("code"))

    assert codes == [None, "rate_limited", "invalid_message"]


@pytest.mark.parametrize(("type_", "at_once"), [("ping", 3), ("session.sync", 15)])
async def test_socket_that_asks_too_much_is_heard_later_then_cut(
    store, session_id, replace_parts, type_, at_once
):
    rules = SocketRules(frames_at_once=at_once, frames_per_s=10, longest_slowed_s=0.25)
    replace_parts(SOCKET_RULES.to(rules))
    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        for _ in range(200):
            await tab.send_json_to({"type": type_})
        outputs = []
        while not outputs or outputs[-1]["type"] != "websocket.close":
            outputs.append(await tab.receive_output(timeout=5))

    assert outputs[-1]["code"] == 4429
    assert 3 < len(outputs) < 25, "three at once, some later, the others never"


async def test_page_of_another_site_is_refused(session_id):
    tab = tab_of(session_id, [(b"origin", b"https://evil.example"), (b"host", b"localhost")])

    await tab.connect()

    assert await tab.receive_output() == {"type": "websocket.close", "code": 4403}


async def test_too_many_sockets_of_one_visitor_are_refused(store, session_id, settings):
    settings.ENV = replace(settings.ENV, sockets_per_visitor=1)

    async with open_tab(session_id) as first:
        await until(first, "session.state")
        second = tab_of(session_id)
        await second.connect()
        assert await second.receive_output() == {"type": "websocket.close", "code": 4429}
        await second.disconnect()
    async with open_tab(session_id) as again:
        await until(again, "session.state")


async def test_visitor_who_writes_too_fast_is_told_when_to_come_back(
    store, model, session_id, settings
):
    settings.ENV = replace(settings.ENV, chat_rate_per_minute=1)
    model(FakeLLM(["Oui."]))

    async with open_tab(session_id) as tab:
        await say(tab)
        await until(tab, "message.done")
        await say(tab, "Encore", "q2")
        (error,) = await until(tab, "error")

    assert (error["code"], error["id"]) == ("rate_limited", "q2")
    assert 0 < error["retry_after_s"] <= 60


async def test_expired_conversation_is_said(model, session_id, replace_parts):
    replace_parts(STORE.to(MemoryStore(1)))
    model(FakeLLM(["Oui."]))

    async with open_tab(session_id) as tab:
        await say(tab)
        await until(tab, "message.done")
        await tab.send_json_to({"type": "session.sync"})
        await until(tab, "session.state")
        (ended,) = await until(tab, "session.ended")
        await say(tab, "Toujours là ?", "q2")
        *_, error = await until(tab, "error")

    assert ended == {"type": "session.ended", "reason": "expired"}
    assert (error["code"], error["id"]) == ("session_not_found", "q2")


async def test_erased_conversation_is_said(store, model, session_id):
    llm = model(FakeLLM(["Il était"], hangs=True))

    async with open_tab(session_id) as tab:
        await say(tab)
        await until(tab, "message.delta")
        await ending.erase_session(session_id, "web")
        *_, ended = await until(tab, "session.ended")
        await say(tab, "Encore", "q2")
        (again, _error) = await until(tab, "error")

    assert ended["reason"] == again["reason"] == "erased"
    assert llm.closed == 1
    assert await store.count() == 0


async def test_erasure_by_a_worker_that_died_is_told_when_it_is_asked_again(
    store, model, session_id
):
    model(FakeLLM(["Oui."]))

    async with open_tab(session_id) as tab:
        await say(tab)
        await until(tab, "message.done")
        await store.erase(session_id, "web")
        with pytest.raises(SessionNotFound):
            await ending.erase_session(session_id, "web")
        *_, ended = await until(tab, "session.ended")

    assert ended["reason"] == "erased"


async def test_conversation_that_cannot_be_read_is_waited_for(store, session_id, replace_parts):
    replace_parts(
        STORE.to(FaultyStore.of(store, load=[StoreUnavailable()] * 3)),
        SOCKET_RULES.to(SocketRules(sync_again_s=0.01)),
    )

    async with open_tab(session_id) as tab:
        error, state = await until(tab, "session.state")

    assert (error["code"], error["retry_after_s"]) == ("assistant_unavailable", 3)
    assert state["messages"] == []


async def test_adviser_is_asked_for_from_one_tab_and_shown_in_all(store, model, session_id):
    model(FakeLLM(["Bonjour"]))
    async with open_tab(session_id) as tab, open_tab(session_id) as other:
        await say(tab)
        await until(tab, "session.state")
        *_, done = await until(tab, "message.done")
        assert done["message"]["author"] == "assistant"
        for _ in range(2):
            await tab.send_json_to({"type": "adviser.ask"})
        await until(other, "adviser.asked")
        *_, told = await until(other, "message.done")
        await other.send_json_to({"type": "session.sync"})
        *_, state = await until(other, "session.state")

    assert told["message"]["author"] == "system"
    assert state["asked"] is True
    assert [m["author"] for m in state["messages"]] == ["customer", "assistant", "system"]


async def test_who_said_nothing_yet_is_told_to_begin(store, session_id):
    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        await tab.send_json_to({"type": "adviser.ask"})
        (error,) = await until(tab, "error")

    assert error["code"] == "invalid_message"
    assert await store.count() == 0


async def test_asking_counts_as_a_message(store, model, session_id, settings):
    settings.ENV = replace(settings.ENV, chat_rate_per_minute=1)
    model(FakeLLM(["Bonjour"]))
    async with open_tab(session_id) as tab:
        await say(tab)
        await until(tab, "message.done")
        await tab.send_json_to({"type": "adviser.ask"})
        *_, error = await until(tab, "error")

    assert error["code"] == "rate_limited"


async def test_takeover_in_mid_answer_is_seen_whole(store, model, session_id):
    model(FakeLLM(["Il était"], hangs=True))
    async with open_tab(session_id) as tab:
        await say(tab)
        await until(tab, "message.delta")
        await advisers.take_over(session_id, Adviser("7", "Claire"))
        events = await until(tab, "speaker.changed")
        await say(tab, "Merci", "q2")
        *_, accepted = await until(tab, "message.accepted")
        await tab.send_json_to({"type": "session.sync"})
        *_, state = await until(tab, "session.state")

    cut, shown, changed = events
    assert (cut["message"]["text"], cut["message"]["interrupted"]) == ("Il était", True)
    assert (shown["waiting"], shown["draft"]) == ([], None)
    assert (changed["speaker"], changed["name"]) == ("adviser", "Claire")
    assert accepted["id"] == "q2"
    assert (state["waiting"], state["name"]) == ([], "Claire")


async def test_late_word_of_the_model_does_not_reach_the_tab(store, model, session_id):
    model(FakeLLM(["Bonjour"]))
    async with open_tab(session_id) as tab:
        await say(tab)
        await until(tab, "message.done")
        await advisers.take_over(session_id, Adviser("7", "Claire"))
        await until(tab, "speaker.changed")
        await until(tab, "message.done")
        late = Message(author=Author.ASSISTANT, text="Trop tard", reply_to="q1")
        for event in (MessageDelta("a9", 0, "Trop"), ToolStarted("x", "y"), MessageDone(late)):
            await PUBSUB.get().publish(session_id, event)
        await advisers.say(session_id, Adviser("7", "Claire"), "c1", "Bonjour, Claire ici.")
        (said,) = await until(tab, "message.done")

    assert said["message"]["author"] == "adviser"


async def test_end_that_comes_over_two_paths_is_told_once(store, session_id):
    answer = Message(author=Author.ASSISTANT, id="a1", text="Oui.", reply_to="q1")
    ends = [MessageDone(answer), MessageDone(answer), MessageDone(replace(answer, text="Non."))]
    async with open_tab(session_id) as tab:
        for event in (*ends, SessionEnded("ended")):
            await PUBSUB.get().publish(session_id, event)
        events = await until(tab, "session.ended")

    told = [event["message"]["text"] for event in events if event["type"] == "message.done"]
    assert told == ["Oui.", "Non."]


async def test_question_that_fails_again_in_the_same_way_is_told_again(store, model, session_id):
    """Both ends are equal: the tab would wait for ever if the second were taken for a copy."""
    model(FakeLLM([], error=AssistantUnavailable()))

    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        await say(tab)
        *_, first = await until(tab, "error")
        await say(tab)
        accepted, second = await until(tab, "error")

    assert accepted["type"] == "message.accepted"
    assert (first["id"], first) == ("q1", second)


async def test_what_is_heard_while_the_state_is_read_follows_it_once(
    store, session_id, replace_parts
):
    read, shown = asyncio.Event(), asyncio.Event()

    async def slow(load, *args, **options):
        session = await load(*args, **options)
        read.set()
        await shown.wait()
        return session

    await store.accept(
        session_id, "web", Message(author=Author.CUSTOMER, id="q1", text="Bonjour"), create="always"
    )
    replace_parts(STORE.to(FaultyStore.of(store, load=slow)))
    async with open_tab(session_id) as tab:
        await read.wait()
        await PUBSUB.get().publish(session_id, MessageDelta("a1", 0, "Oui"))
        shown.set()
        await PUBSUB.get().publish(session_id, SessionEnded("ended"))
        events = await until(tab, "session.ended")

    assert [event["type"] for event in events] == [
        "session.state",
        "message.delta",
        "session.ended",
    ]


async def test_state_says_who_may_speak_to_a_tab_that_heard_no_change(store, session_id):
    await store.accept(
        session_id, "web", Message(author=Author.CUSTOMER, id="q1", text="Bonjour"), create="always"
    )
    await advisers.take_over(session_id, Adviser("7", "Claire"))
    late = Message(author=Author.ASSISTANT, text="Trop tard", reply_to="q1")

    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        for event in (MessageDelta("a9", 0, "Trop"), MessageDone(late), SessionEnded("ended")):
            await PUBSUB.get().publish(session_id, event)
        events = await until(tab, "session.ended")

    assert [event["type"] for event in events] == ["session.ended"]


async def test_state_shows_the_newest_messages_and_the_tab_loads_the_others(store, session_id):
    for n in range(70):
        question = Message(author=Author.CUSTOMER, id=f"q{n}", text=f"Question {n}")
        await store.accept(session_id, "web", question, create="always")

    async with open_tab(session_id) as tab:
        (state,) = await until(tab, "session.state")
        await tab.send_json_to({"type": "messages.load", "before": state["messages"][0]["id"]})
        (loaded,) = await until(tab, "messages.loaded")
        await tab.send_json_to({"type": "messages.load", "before": "elsewhere"})
        (error,) = await until(tab, "error")

    assert [message["id"] for message in state["messages"]] == [f"q{n}" for n in range(20, 70)]
    assert (state["has_earlier"], state["total"]) == (True, 70)
    assert [message["id"] for message in loaded["messages"]] == [f"q{n}" for n in range(20)]
    assert (loaded["before"], loaded["has_earlier"]) == ("q20", False)
    assert error["code"] == "invalid_message"


async def test_tabs_that_ask_for_the_state_without_end_are_shown_it_less_often(
    store, model, session_id
):
    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        for _ in range(rate_limits.PAGES_AT_ONCE):
            await tab.send_json_to({"type": "session.sync"})
        await tab.send_json_to({"type": "ping"})
        states = await until(tab, "pong")
        late = await until(tab, "session.state")

    assert len(states) - 1 < rate_limits.PAGES_AT_ONCE
    assert late[-1]["type"] == "session.state"
