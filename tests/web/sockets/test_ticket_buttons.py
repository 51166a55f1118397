"""Buttons of the recap over the socket."""

from __future__ import annotations

import asyncio
import threading

import pytest

from chat.conversations import cookie
from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import STORE
from chat.shop.tickets.models import Ticket
from tests import database
from tests.builders import question
from tests.conversations.store.cast import take_over
from tests.shop.tickets.builders import complete
from tests.web.sockets.test_customer import open_tab, until

pytestmark = pytest.mark.django_db(transaction=True)

INSERT = f'INSERT INTO "{Ticket._meta.db_table}"'


@pytest.fixture
def store(replace_parts):
    store = MemoryStore(86_400)
    replace_parts(STORE.to(store))
    return store


@pytest.fixture
def session_id():
    return cookie.new_session_id()


@pytest.fixture
async def form(store, session_id):
    await store.accept(session_id, "web", question(), create="new")
    await store.stop(session_id, "web")
    form = complete()
    await store.put_form(session_id, "web", form.to_json(), expected_version=0)
    return form


def button(verb, form, **more):
    return {"type": f"ticket.{verb}", "id": form.id, "version": form.version, **more}


async def test_recap_comes_with_the_state_and_goes_with_the_ticket(store, session_id, form):
    async with open_tab(session_id) as tab:
        (state,) = await until(tab, "session.state")
        await tab.send_json_to(button("confirm", form))
        done, changed = await until(tab, "form.changed")

    assert (state["form"]["id"], state["form"]["complete"]) == (form.id, True)
    assert ["email", "E-mail", form.email, form.email] in state["form"]["rows"]
    assert (done["type"], done["message"]["author"]) == ("message.done", "system")
    assert changed["form"] is None
    assert await Ticket.objects.acount() == 1


async def test_two_tabs_and_two_clicks_make_one_ticket(store, session_id, form):
    async with open_tab(session_id) as one, open_tab(session_id) as two:
        for tab in (one, two):
            await until(tab, "session.state")
        for tab in (one, two, one):
            await tab.send_json_to(button("confirm", form))
        for tab in (one, two):
            events = await until(tab, "form.changed")
            assert [event["type"] for event in events] == ["message.done", "form.changed"]

    assert await Ticket.objects.acount() == 1


async def test_an_edit_is_shown_in_every_tab(store, session_id, form):
    async with open_tab(session_id) as one, open_tab(session_id) as two:
        for tab in (one, two):
            await until(tab, "session.state")
        await one.send_json_to(button("edit", form, fields={"customer_name": "Zoé"}))
        changes = [(await until(tab, "form.changed"))[-1]["form"] for tab in (one, two)]

    assert [change["version"] for change in changes] == [form.version + 1] * 2
    assert ["customer_name", "Nom", "Zoé", "Zoé"] in changes[1]["rows"]


async def test_an_edit_that_changes_nothing_is_answered(store, session_id, form):
    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        await tab.send_json_to(button("edit", form, fields={"email": form.email}))
        (changed,) = await until(tab, "form.changed")

    assert changed["form"]["version"] == form.version


async def test_what_is_wrong_is_told_by_field(store, session_id, form):
    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        await tab.send_json_to(button("edit", form, fields={"email": "non", "words": " "}))
        (refused,) = await until(tab, "form.refused")

    assert (refused["code"], refused["id"]) == ("invalid_form", form.id)
    assert refused["fields"] == {
        "email": "Cette adresse e-mail n'est pas valide.",
        "words": "Décrivez le problème en quelques mots.",
    }


async def test_a_stale_button_is_refused_with_the_new_recap(store, session_id, form):
    newer = form.with_fields({"customer_name": "Zoé"})
    await store.put_form(session_id, "web", newer.to_json(), expected_version=form.version)
    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        for verb, more in (
            ("confirm", {}),
            ("drop", {}),
            ("edit", {"fields": {"email": "a@b.fr"}}),
        ):
            await tab.send_json_to(button(verb, form, **more))
            refused, changed = await until(tab, "form.changed")
            assert (refused["type"], refused["code"]) == ("form.refused", "stale_form")
            assert changed["form"]["version"] == newer.version

    assert not await Ticket.objects.aexists()


async def test_a_database_that_is_away_is_told_and_the_next_click_works(store, session_id, form):
    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        with database.refusing(INSERT):
            await tab.send_json_to(button("confirm", form))
            (refused,) = await until(tab, "form.refused")
        await tab.send_json_to(button("confirm", form))
        await until(tab, "form.changed")

    assert (refused["code"], refused["retry_after_s"]) == ("assistant_unavailable", 5)
    assert "n'est pas encore enregistrée" in refused["message"]
    assert await Ticket.objects.acount() == 1


async def test_a_database_that_hangs_holds_up_nothing_else_of_the_tab(store, session_id, form):
    released = threading.Event()
    with database.hanging(INSERT, released) as hangs:
        async with open_tab(session_id) as tab:
            await until(tab, "session.state")
            await tab.send_json_to(button("confirm", form))
            assert await asyncio.to_thread(hangs.wait, database.LONGEST_S)
            await tab.send_json_to({"type": "ping"})
            events = await until(tab, "pong")
            released.set()
            await until(tab, "form.changed")

    assert [event["type"] for event in events] == ["pong"]


async def test_buttons_work_while_an_adviser_answers(store, session_id, form):
    await take_over(store, session_id)
    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        await tab.send_json_to(button("confirm", form))
        done, _ = await until(tab, "form.changed")

    assert "SAV-" in done["message"]["text"]


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "ticket.confirm"},
        {"type": "ticket.confirm", "id": "a", "version": "1"},
        {"type": "ticket.confirm", "id": "a", "version": True},
        {"type": "ticket.confirm", "id": "a b", "version": 1},
        {"type": "ticket.edit", "id": "a", "version": 1},
        {"type": "ticket.edit", "id": "a", "version": 1, "fields": ["email"]},
        {"type": "ticket.open", "id": "a", "version": 1},
    ],
)
async def test_a_frame_that_is_no_button_is_refused(store, session_id, frame):
    async with open_tab(session_id) as tab:
        await until(tab, "session.state")
        await tab.send_json_to(frame)
        (error,) = await until(tab, "error")

    assert error["code"] == "invalid_message"


async def test_a_stranger_presses_in_vain(store, session_id, form):
    async with open_tab(cookie.new_session_id()) as zoe:
        await until(zoe, "session.state")
        await zoe.send_json_to(button("confirm", form))
        (refused,) = await until(zoe, "form.refused")

    assert refused["code"] == "session_not_found"
    assert not await Ticket.objects.aexists()
