"""The recap and its buttons without JavaScript."""

from __future__ import annotations

import json
import re

import pytest
from django.test import AsyncClient

from chat.conversations import cookie
from chat.conversations.store.protocol import STORE
from chat.shop.tickets.models import Ticket
from tests.builders import question
from tests.shop.tickets.builders import complete

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("backend")]


@pytest.fixture
def session_id():
    return cookie.new_session_id()


@pytest.fixture
async def form(session_id):
    store = STORE.get()
    await store.accept(session_id, "web", question(), create="new")
    form = complete(words="Le pied <b>cède</b>")
    await store.put_form(session_id, "web", form.to_json(), expected_version=0)
    return form


@pytest.fixture
def client(session_id):
    client = AsyncClient()
    client.cookies[cookie.NAME] = cookie.sign(session_id)
    return client


def given(form, **more):
    return {"id": form.id, "version": str(form.version), **more}


async def test_page_shows_the_recap_with_what_its_buttons_need(client, form):
    page = (await client.get("/")).content.decode()

    assert page.count(f'name="id" value="{form.id}"') == 3
    assert page.count(f'name="version" value="{form.version}"') == 3
    assert "Le pied &lt;b&gt;cède&lt;/b&gt;" in page
    assert "01/09/2026" in page
    assert 'type="date" value="2026-09-01"' in page


async def test_page_without_a_form_or_with_a_half_one_shows_none(client, session_id):
    empty = (await client.get("/")).content.decode()
    store = STORE.get()
    await store.accept(session_id, "web", question(), create="new")
    half = complete().to_json() | {"email": ""}
    await store.put_form(session_id, "web", half, expected_version=0)
    page = (await client.get("/")).content.decode()

    assert "data-recap" not in empty + page


async def test_confirming_twice_opens_one_ticket(client, form):
    answers = [await client.post("/demande/valider/", given(form)) for _ in range(2)]

    page = (await client.get("/")).content.decode()
    assert [answer.status_code for answer in answers] == [302, 302]
    number = (await Ticket.objects.aget()).number
    assert len(re.findall(rf"<strong>{number}</strong>", page)) == 1
    assert "data-recap" not in page


async def test_what_is_wrong_is_shown_at_its_field_with_what_was_typed(client, form):
    answer = await client.post(
        "/demande/modifier/", given(form, email='non"><b>', customer_name="Zoé", words="Le pied")
    )

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Cette adresse e-mail n&#x27;est pas valide." in page
    assert 'value="non&quot;&gt;&lt;b&gt;"' in page
    assert 'value="Zoé"' in page
    assert re.search(r"<details[^>]* open>", page)
    assert (await STORE.get().load(form_owner(client), "web")).form == form.to_json()


def form_owner(client) -> str:
    session_id = cookie.session_id_from({cookie.NAME: client.cookies[cookie.NAME].value})
    assert session_id
    return session_id


async def test_an_edit_is_taken(client, form):
    answer = await client.post("/demande/modifier/", given(form, customer_name="Zoé"))

    assert answer.status_code == 302
    kept = (await STORE.get().load(form_owner(client), "web")).form
    assert (kept["customer_name"], kept["version"]) == ("Zoé", form.version + 1)


@pytest.mark.parametrize("path", ["valider", "modifier", "abandonner"])
async def test_a_stale_button_shows_the_new_recap(client, form, path):
    await client.post("/demande/modifier/", given(form, customer_name="Zoé"))

    answer = await client.post(f"/demande/{path}/", given(form, customer_name="Karim"))

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Le récapitulatif a changé entre-temps" in page
    assert "Zoé" in page
    assert not await Ticket.objects.aexists()


async def test_a_dropped_form_is_gone(client, form):
    answer = await client.post("/demande/abandonner/", given(form))

    assert answer.status_code == 302
    assert "data-recap" not in (await client.get("/")).content.decode()


@pytest.mark.parametrize(
    "posted", [{}, {"id": "a"}, {"id": "a b", "version": "1"}, {"id": "a", "version": "٣"}]
)
async def test_what_is_no_button_of_ours_is_refused(client, form, posted):
    assert (await client.post("/demande/valider/", posted)).status_code == 422
    assert not await Ticket.objects.aexists()


async def test_who_has_no_conversation_confirms_nothing(form):
    answer = await AsyncClient().post("/demande/valider/", given(form))

    assert answer.status_code == 404
    assert not await Ticket.objects.aexists()


async def test_the_customers_own_file_has_the_form(client, form):
    response = await client.get("/conversation/export/")
    exported = json.loads(b"".join([part async for part in response]))

    assert exported["form"] == form.to_json()
