"""An adviser's socket: who may open it, what it shows, and that it closes with the rights."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from channels.db import database_sync_to_async
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission, User
from django.db import OperationalError
from django.test import Client

from chat.assistant.llm import LLM_CLIENT
from chat.conversations.handover import advisers
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.adviser_store import Adviser
from chat.conversations.store.protocol import STORE
from chat.core.ids import ref_of
from chat.ops.ending import erase_session
from chat.turns.turn import take_turn
from chat.web.sockets.base import SOCKET_RULES, SocketRules
from meuble_project.asgi import connections
from tests import database
from tests.communicator import Communicator
from tests.fakes import FakeLLM
from tests.stores import FaultyStore

CAMILLE = "conversation-of-camille"
REF = ref_of(CAMILLE)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def _said(replace_parts):
    """Camille said hello and was answered."""
    replace_parts(LLM_CLIENT.to(FakeLLM(["Bonjour !"])))
    turn = await take_turn(CAMILLE, owner="web", message_id="q1", text="Bonjour")
    await turn.ended()
    await PUBSUB.get().settle()


def hire(name, *permissions, **options):
    user = User.objects.create_user(name, password="x", is_staff=True, **options)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def logged_in(user):
    client = Client()
    client.force_login(user)
    return client.cookies[django_settings.SESSION_COOKIE_NAME].value


@database_sync_to_async
def come(name, *permissions, **options):
    """Hire somebody and log them in; return the user and the cookie."""
    user = hire(name, *permissions, **options)
    return user, logged_in(user)


def page_of(login, ref=REF, headers=()):
    cookie = f"{django_settings.SESSION_COOKIE_NAME}={login}" if login else ""
    sent = [(b"cookie", cookie.encode()), (b"host", b"testserver"), *headers]
    return Communicator(connections, f"/ws/desk/{ref}/", headers=sent)


async def close_code(page):
    async with asyncio.timeout(5):
        while (event := await page.receive_output(timeout=5))["type"] != "websocket.close":
            pass
    return event["code"]


@asynccontextmanager
async def open_page(login, **options):
    page = page_of(login, **options)
    assert (await page.connect(timeout=5))[0]
    yield page
    await page.disconnect()


async def until(page, type_):
    events = []
    async with asyncio.timeout(5):
        while not events or events[-1]["type"] != type_:
            events.append(json.loads(await page.receive_from(timeout=5)))
    return events


def adviser_of(user):
    return Adviser(str(user.pk), user.first_name)


SEES = ("view_chatsession",)
ACTS = ("view_chatsession", "takeover_chatsession")


async def test_nobody_is_refused():
    page = page_of("")
    await page.connect(timeout=5)
    assert await close_code(page) == 4401


@pytest.mark.parametrize(
    ("name", "options"),
    [("Sans droit", {}), ("Parti", {"is_active": False}), ("Zoé", {"is_staff": False})],
)
async def test_who_has_no_right_is_refused(name, options):
    user, login = await come("x", *(() if name == "Sans droit" else SEES))
    await User.objects.filter(pk=user.pk).aupdate(**options)
    page = page_of(login)
    await page.connect(timeout=5)
    assert await close_code(page) == (4401 if name == "Parti" else 4403)


async def test_page_of_another_site_is_refused():
    _user, login = await come("claire", *SEES)
    page = page_of(login, headers=[(b"origin", b"https://zoe.example")])
    await page.connect(timeout=5)
    assert await close_code(page) == 4403


@pytest.mark.parametrize("ref", ["0" * 16, "0123", CAMILLE])
async def test_unknown_conversation_is_not_found(ref):
    _user, login = await come("claire", *SEES)
    page = page_of(login, ref=ref)
    await page.connect(timeout=5)
    assert await close_code(page) == 4404


async def test_a_customers_cookie_opens_nothing():
    page = Communicator(
        connections, f"/ws/desk/{REF}/", headers=[(b"cookie", f"chat_session={CAMILLE}".encode())]
    )
    await page.connect(timeout=5)
    assert await close_code(page) == 4401


async def test_too_many_pages_are_refused(settings):
    settings.ENV = replace(settings.ENV, sockets_per_visitor=1)
    _user, login = await come("claire", *SEES)
    async with open_page(login) as page:
        await until(page, "desk.state")
        second = page_of(login)
        await second.connect(timeout=5)
        assert await close_code(second) == 4429


async def test_state_tells_all_the_staff_may_know():
    _user, login = await come("claire", *SEES)

    async with open_page(login) as page:
        (state,) = await until(page, "desk.state")

    assert [m["text"] for m in state["messages"]] == ["Bonjour", "Bonjour !"]
    assert (state["ref"], state["holder"], state["asked_at"]) == (REF, None, None)
    assert (state["language"], state["speaker"], state["asked"]) == ("fr", "assistant", False)
    assert [staff_note["kind"] for staff_note in state["asides"]] == ["turn"]
    assert CAMILLE not in json.dumps(state)


async def test_holder_and_colleague_see_the_same_and_whose_it_is():
    claire, hers = await come("claire", *ACTS, first_name="Claire")
    _karim, his = await come("karim", *ACTS, first_name="Karim")

    async with open_page(hers) as mine, open_page(his) as other:
        await until(mine, "desk.state")
        await until(other, "desk.state")
        await advisers.take_over(CAMILLE, adviser_of(claire))
        *seen, at_hers = await until(mine, "desk.state")
        *_, at_his = await until(other, "desk.state")
        await advisers.note(CAMILLE, adviser_of(claire), "Fidèle")
        *_, note = await until(other, "aside.added")
        await take_turn(CAMILLE, owner="web", message_id="q2", text="Vous êtes là ?")
        *_, said = await until(other, "message.done")

    assert {"session.state", "speaker.changed"} <= {event["type"] for event in seen}
    assert at_hers["holder"] == {"name": "Claire", "mine": True}
    assert at_his["holder"] == {"name": "Claire", "mine": False}
    assert note["aside"]["text"] == "Fidèle"
    assert said["message"]["text"] == "Vous êtes là ?"


async def test_customer_who_asks_is_seen_at_once():
    _user, login = await come("claire", *SEES)
    async with open_page(login) as page:
        await until(page, "desk.state")
        await advisers.ask_for_adviser(CAMILLE, "web")
        *_, state = await until(page, "desk.state")

    assert state["asked_at"] is not None


@pytest.mark.parametrize("frame", ["turn.stop", "adviser.ask", "message.send", "dance"])
async def test_nothing_is_done_over_this_socket(frame):
    _user, login = await come("claire", *ACTS)
    async with open_page(login) as page:
        await until(page, "desk.state")
        await page.send_json_to({"type": frame, "id": "m1", "text": "Bonjour"})
        (error,) = await until(page, "error")
        await page.send_json_to({"type": "ping"})
        await until(page, "pong")

    assert error["code"] == "invalid_message"
    assert len((await STORE.get().load(CAMILLE, "web")).messages) == 2


@pytest.mark.parametrize("how", ["deactivated", "right", "staff", "password", "logged out"])
@pytest.mark.parametrize("noticed", ["in time", "at a frame"])
async def test_socket_closes_when_the_rights_go(replace_parts, how, noticed):
    every_s = 0.02 if noticed == "in time" else 60
    replace_parts(SOCKET_RULES.to(SocketRules(rights_every_s=every_s)))
    user, login = await come("claire", *SEES)

    async with open_page(login) as page:
        await until(page, "desk.state")
        await database_sync_to_async(lose)(user, how, login)
        if noticed == "at a frame":
            await page.send_json_to({"type": "session.sync"})
        assert await close_code(page) == 4403


def lose(user, how, login):
    if how == "deactivated":
        User.objects.filter(pk=user.pk).update(is_active=False)
    elif how == "right":
        user.user_permissions.clear()
    elif how == "staff":
        User.objects.filter(pk=user.pk).update(is_staff=False)
    elif how == "password":
        user.set_password("another")
        user.save()
    else:
        client = Client()
        client.cookies[django_settings.SESSION_COOKIE_NAME] = login
        client.logout()


async def test_open_page_of_the_holder_keeps_the_hold(replace_parts):
    kept, renewed = asyncio.Event(), []

    async def noting(renew_assignment, session_id, adviser_id):
        renewed.append(adviser_id)
        kept.set()
        return await renew_assignment(session_id, adviser_id)

    replace_parts(
        STORE.to(FaultyStore.of(STORE.get(), renew_assignment=noting)),
        SOCKET_RULES.to(SocketRules(rights_every_s=0.01, renew_assignment_every_s=0.0)),
    )
    claire, hers = await come("claire", *ACTS, first_name="Claire")
    _karim, his = await come("karim", *ACTS, first_name="Karim")
    await advisers.take_over(CAMILLE, adviser_of(claire))

    async with open_page(his) as other:
        await until(other, "desk.state")
        async with open_page(hers) as page:
            await until(page, "desk.state")
            async with asyncio.timeout(5):
                await kept.wait()

    assert set(renewed) == {str(claire.pk)}


async def test_database_that_is_away_is_not_taken_for_a_lost_right():
    asked = []
    _user, login = await come("claire", *SEES)

    def away(sql):
        asked.append(sql)
        raise OperationalError

    async with open_page(login) as page:
        await until(page, "desk.state")
        with database.intercepting(away):
            await page.send_json_to({"type": "session.sync"})
            await until(page, "desk.state")
    assert asked


async def test_database_that_is_away_for_long_closes_the_socket(replace_parts):
    replace_parts(SOCKET_RULES.to(SocketRules(rights_outage_s=-1.0)))
    _user, login = await come("claire", *SEES)

    async with open_page(login) as page:
        await until(page, "desk.state")
        with database.refusing(User._meta.db_table):
            await page.send_json_to({"type": "session.sync"})
            assert await close_code(page) == 1012


async def test_erased_conversation_is_said():
    _user, login = await come("claire", *SEES)
    async with open_page(login) as page:
        await until(page, "desk.state")
        await erase_session(CAMILLE, "web")
        *_, ended = await until(page, "session.ended")

    assert ended["reason"] == "erased"


async def test_flood_is_cut(replace_parts):
    rules = SocketRules(frames_at_once=2, frames_per_s=100, longest_slowed_s=0.02)
    replace_parts(SOCKET_RULES.to(rules))
    _user, login = await come("claire", *SEES)
    async with open_page(login) as page:
        for _ in range(30):
            await page.send_json_to({"type": "ping"})
        assert await close_code(page) == 4429
