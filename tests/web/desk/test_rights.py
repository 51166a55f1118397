"""Who may open which page of the desk, and do what: every page and action, every person."""

from __future__ import annotations

import pytest
from channels.db import database_sync_to_async
from django.contrib.admin.models import LogEntry

from chat.conversations.handover import advisers
from chat.conversations.store.adviser_store import Adviser
from chat.conversations.store.protocol import ANY_OWNER, STORE
from chat.core.errors import SessionNotFound
from tests.staff import CAST, begin, logged_in, make_person

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/chat/chatsession/"
#: Pages and actions under a session, with the right that each asks for besides "view".
PAGES = {
    "": "view",
    "history/": "view",
    "end/": "end",
    "export/": "export",
    "print/": "export",
    "erase/": "erase",
}
ACTIONS = {
    "take-over/": "takeover",
    "say/": "takeover",
    "note/": "takeover",
    "hand-back/": "takeover",
    "end/": "end",
    "erase/": "erase",
}
STAFF = [person for person in CAST if person != "zoe"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("person", STAFF)
async def test_page_opens_with_its_right_alone(person, path):
    ref = await begin(STORE.get(), "s1")
    client = await logged_in(person)

    answer = await client.get(f"{LIST}{ref}/{path}")

    allowed = {"view", PAGES[path]} <= set(CAST[person])
    assert answer.status_code == (200 if allowed else 403)
    if not allowed:
        assert "n’a pas le droit" in answer.text
        assert "je vous écoute" not in answer.text


@pytest.mark.parametrize("path", ACTIONS)
@pytest.mark.parametrize("person", STAFF)
async def test_action_is_done_with_its_right_alone(person, path):
    ref = await begin(STORE.get(), "s1")
    client = await logged_in(person)
    if path in {"say/", "hand-back/"} and "takeover" in CAST[person]:
        await client.post(f"{LIST}{ref}/take-over/")
    before = await snapshot()

    answer = await client.post(f"{LIST}{ref}/{path}", {"text": "Bonjour", "id": "m1"})

    allowed = {"view", ACTIONS[path]} <= set(CAST[person])
    assert answer.status_code == (302 if allowed else 403)
    assert (await snapshot() != before) is allowed


async def snapshot():
    store = STORE.get()
    try:
        return await store.load("s1", ANY_OWNER), await store.staff_notes("s1")
    except SessionNotFound:
        return None


@pytest.mark.parametrize("path", ["", "?q=lit", "?partial=1", "waiting/"])
@pytest.mark.parametrize("person", STAFF)
async def test_list_opens_with_the_right_to_see(person, path):
    answer = await (await logged_in(person)).get(LIST + path)

    assert answer.status_code == (200 if "view" in CAST[person] else 403)


@pytest.mark.parametrize("person", ["", "zoe"], ids=["camille", "zoe"])
@pytest.mark.parametrize("path", PAGES)
async def test_strangers_are_sent_to_the_login_and_learn_nothing(person, path):
    ref = await begin(STORE.get(), "s1")
    client = await logged_in(person)

    there = await client.get(f"{LIST}{ref}/{path}")
    nowhere = await client.get(f"{LIST}{'0' * 16}/{path}")

    assert there.status_code == nowhere.status_code == 302
    assert there.url == f"/admin/login/?next={LIST}{ref}/{path}"
    assert nowhere.url == f"/admin/login/?next={LIST}{'0' * 16}/{path}"


@pytest.mark.parametrize("person", ["", "zoe"], ids=["camille", "zoe"])
@pytest.mark.parametrize("path", ACTIONS)
async def test_strangers_do_nothing(person, path):
    ref = await begin(STORE.get(), "s1")
    client = await logged_in(person)
    before = await snapshot()

    answer = await client.post(f"{LIST}{ref}/{path}", {"text": "Bonjour"})
    by_script = await client.post(
        f"{LIST}{ref}/{path}", {"text": "Bonjour"}, headers={"accept": "application/json"}
    )

    assert answer.status_code == 302
    assert answer.url == f"/admin/login/?next={LIST}"
    assert by_script.status_code == 401
    assert await snapshot() == before
    assert await LogEntry.objects.acount() == 0


@pytest.mark.parametrize("path", ACTIONS)
async def test_form_of_another_site_is_refused(path):
    ref = await begin(STORE.get(), "s1")
    client = await logged_in("nadia", enforce_csrf_checks=True)
    before = await snapshot()

    answer = await client.post(f"{LIST}{ref}/{path}", {"text": "Bonjour"})

    assert answer.status_code == 403
    assert await snapshot() == before


@pytest.mark.parametrize("path", ["take-over/", "say/", "note/", "hand-back/"])
async def test_action_is_not_an_address_to_open(path):
    ref = await begin(STORE.get(), "s1")

    assert (await (await logged_in("nadia")).get(f"{LIST}{ref}/{path}")).status_code == 405


@pytest.mark.parametrize(
    ("person", "shown", "hidden"),
    [
        ("luc", [], ["take-over/", "note/", "end/", "export/", "print/", "erase/"]),
        ("karim", ["take-over/", "note/", "end/"], ["export/", "print/", "erase/"]),
        ("nadia", ["take-over/", "note/", "end/", "export/", "print/", "erase/"], []),
    ],
)
async def test_page_offers_what_its_reader_may_do(person, shown, hidden):
    ref = await begin(STORE.get(), "s1")

    page = (await (await logged_in(person)).get(f"{LIST}{ref}/")).text

    assert [path for path in shown if f"{LIST}{ref}/{path}" not in page] == []
    assert [path for path in hidden if f"{LIST}{ref}/{path}" in page] == []


async def test_right_that_is_taken_away_is_missed_at_once():
    ref = await begin(STORE.get(), "s1")
    client = await logged_in("karim")
    assert (await client.get(f"{LIST}{ref}/")).status_code == 200

    karim = await database_sync_to_async(make_person)("karim")
    await karim.user_permissions.aclear()

    assert (await client.get(f"{LIST}{ref}/")).status_code == 403


async def test_adviser_in_charge_is_named_to_the_other_who_takes_nothing():
    ref = await begin(STORE.get(), "s1")
    await advisers.take_over("s1", Adviser("77", "Claire"))
    karim = await logged_in("karim")

    page = (await karim.get(f"{LIST}{ref}/")).text
    refused = await karim.post(f"{LIST}{ref}/take-over/")
    by_script = await karim.post(f"{LIST}{ref}/take-over/", headers={"accept": "application/json"})
    silenced = await karim.post(f"{LIST}{ref}/say/", {"text": "Je suis là", "id": "m1"})

    assert "tenue par Claire" in page
    assert 'data-mode="other"' in page
    assert refused.status_code == by_script.status_code == silenced.status_code == 409
    assert "Claire tient cette conversation." in refused.text
    assert by_script.json()["message"] == "Claire tient cette conversation."
    assert "Vous ne tenez pas cette conversation" in silenced.text
    assert (await STORE.get().load("s1", ANY_OWNER)).adviser_id == "77"
