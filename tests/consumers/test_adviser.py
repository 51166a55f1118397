"""An adviser's socket: who may open it, what it shows, and that it closes with the rights."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.contrib.auth.models import Permission, User
from django.db import OperationalError
from django.test import Client

from chat.assistant.closing import erase_session
from chat.assistant.turn import take_turn
from chat.consumers import adviser, socket
from chat.sessions.desk import Adviser
from chat.sessions.store import default_store
from chat.sessions.types import ref_of
from chat.takeover import asides, desk
from meuble_project.asgi import application
from tests.fakes import FakeLLM

CAMILLE = "conversation-of-camille"
REF = ref_of(CAMILLE)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _fresh_store():
    default_store.cache_clear()
    yield
    default_store.cache_clear()


@pytest.fixture(autouse=True)
async def _said(_fresh_store, monkeypatch):
    """Camille said hello and was answered."""
    monkeypatch.setattr("chat.assistant.attempt.default_llm", lambda: FakeLLM(["Bonjour !"]))
    turn = await take_turn(CAMILLE, owner="web", message_id="q1", text="Bonjour")
    await turn.ended()
    await asides.settle()


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
    return WebsocketCommunicator(application, f"/ws/desk/{ref}/", headers=sent)


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
    page = WebsocketCommunicator(
        application, f"/ws/desk/{REF}/", headers=[(b"cookie", f"chat_session={CAMILLE}".encode())]
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
    assert [aside["kind"] for aside in state["asides"]] == ["turn"]
    assert CAMILLE not in json.dumps(state)


async def test_holder_and_colleague_see_the_same_and_whose_it_is():
    claire, hers = await come("claire", *ACTS, first_name="Claire")
    _karim, his = await come("karim", *ACTS, first_name="Karim")

    async with open_page(hers) as mine, open_page(his) as other:
        await until(mine, "desk.state")
        await until(other, "desk.state")
        await desk.take_over(CAMILLE, adviser_of(claire))
        *seen, at_hers = await until(mine, "desk.state")
        *_, at_his = await until(other, "desk.state")
        await desk.note(CAMILLE, adviser_of(claire), "Fidèle")
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
        await desk.ask_for_adviser(CAMILLE, "web")
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
    assert len((await default_store().load(CAMILLE, "web")).messages) == 2


@pytest.mark.parametrize("how", ["deactivated", "right", "staff", "password", "logged out"])
@pytest.mark.parametrize("noticed", ["in time", "at a frame"])
async def test_socket_closes_when_the_rights_go(monkeypatch, how, noticed):
    monkeypatch.setattr(adviser, "RIGHTS_EVERY_S", 0.02 if noticed == "in time" else 60)
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


async def test_open_page_of_the_holder_keeps_the_hold(monkeypatch):
    monkeypatch.setattr(adviser, "RIGHTS_EVERY_S", 0.01)
    monkeypatch.setattr(adviser, "HOLD_EVERY_S", 0.0)
    kept, renewed = asyncio.Event(), []
    store = default_store()
    keep_hold = store.keep_hold

    async def noting(session_id, adviser_id):
        renewed.append(adviser_id)
        kept.set()
        return await keep_hold(session_id, adviser_id)

    monkeypatch.setattr(store, "keep_hold", noting)
    claire, hers = await come("claire", *ACTS, first_name="Claire")
    _karim, his = await come("karim", *ACTS, first_name="Karim")
    await desk.take_over(CAMILLE, adviser_of(claire))

    async with open_page(his) as other:
        await until(other, "desk.state")
        async with open_page(hers) as page:
            await until(page, "desk.state")
            async with asyncio.timeout(5):
                await kept.wait()

    assert set(renewed) == {str(claire.pk)}


async def test_database_that_is_away_is_not_taken_for_a_lost_right(monkeypatch):
    asked = asyncio.Event()
    _user, login = await come("claire", *SEES)

    async def away(session_key):
        asked.set()
        raise OperationalError

    async with open_page(login) as page:
        await until(page, "desk.state")
        monkeypatch.setattr(adviser, "aviewer_of", away)
        await page.send_json_to({"type": "session.sync"})
        await until(page, "desk.state")
        assert asked.is_set()
        monkeypatch.setattr(adviser, "RIGHTS_OUTAGE_S", -1.0)
        await page.send_json_to({"type": "session.sync"})
        assert await close_code(page) == 1012


async def test_erased_conversation_is_said():
    _user, login = await come("claire", *SEES)
    async with open_page(login) as page:
        await until(page, "desk.state")
        await erase_session(CAMILLE, "web")
        *_, ended = await until(page, "session.ended")

    assert ended["reason"] == "erased"


async def test_flood_is_cut(monkeypatch):
    monkeypatch.setattr(socket, "FRAMES_AT_ONCE", 2)
    monkeypatch.setattr(socket, "FRAMES_PER_S", 100)
    monkeypatch.setattr(socket, "LONGEST_SLOWED_S", 0.02)
    _user, login = await come("claire", *SEES)
    async with open_page(login) as page:
        for _ in range(30):
            await page.send_json_to({"type": "ping"})
        assert await close_code(page) == 4429
