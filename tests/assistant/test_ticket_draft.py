"""The buttons of the recap, on a real database: one effect however often, none when refused."""

from __future__ import annotations

import asyncio
import os
import sqlite3

import pytest
from channels.db import database_sync_to_async
from django.db import connection

from chat.assistant import ticket_draft
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.adviser_store import desk_key
from chat.conversations.store.protocol import STORE
from chat.core.errors import InvalidForm, RateLimited, SessionGone, SessionNotFound, StaleForm
from chat.core.ids import ref_of
from chat.core.stats.counters import STAT_COUNTERS
from chat.shop.photos.models import Photo
from chat.shop.tickets.models import OutgoingMail, Ticket
from chat.shop.tickets.opening import MAX_A_DAY
from meuble_project.backends import SQLITE_TIMEOUT_S
from tests import database
from tests.builders import ask
from tests.conversations.store.cast import take_over
from tests.fakes import Listener
from tests.shop.tickets.builders import complete, opened
from tests.stores import FaultyStore

pytestmark = pytest.mark.django_db(transaction=True)

CAMILLE = "camille"


@pytest.fixture
async def form(store):
    """A form to which nothing is lacking, in Camille's conversation."""
    await ask(store, session_id=CAMILLE)
    form = complete()
    await store.put_form(CAMILLE, "api", form.to_json(), expected_version=0)
    return form


@pytest.fixture
def confirm(form):
    def confirm(version: int | None = None, form_id: str | None = None):
        return ticket_draft.confirm(CAMILLE, "api", form_id or form.id, version or form.version)

    return confirm


async def said(store) -> list[str]:
    return [m.id for m in (await store.load(CAMILLE, "api")).messages]


async def test_confirming_opens_one_ticket_and_says_so(store, form, confirm):
    STAT_COUNTERS.get().take()
    hear, desk = Listener(), Listener()
    async with (
        PUBSUB.get().subscribe(CAMILLE, hear),
        PUBSUB.get().subscribe(desk_key(CAMILLE), desk),
    ):
        await confirm()

    ticket = await Ticket.objects.aget()
    session = await store.load(CAMILLE, "api")
    assert (ticket.form_id, ticket.session_ref) == (form.id, ref_of(CAMILLE))
    assert session.form is None
    assert session.messages[-1].id == f"ticket-{form.id}"
    assert ticket.number in session.messages[-1].text
    assert hear.types() == ["message.done", "form.changed"]
    assert desk.types() == ["aside.added"]
    (staff_note,) = await store.staff_notes(CAMILLE)
    assert staff_note.text == f"Ticket {ticket.number} ouvert ({ticket.priority})."
    batch = STAT_COUNTERS.get().take()
    assert batch is not None
    assert [number for (_, name), number in batch.sums.items() if name == "tickets.opened"] == [1]


async def test_however_often_at_once_and_after_there_is_one(store, form, confirm):
    await asyncio.gather(*(confirm() for _ in range(5)))
    await confirm()

    assert await Ticket.objects.acount() == 1
    assert await OutgoingMail.objects.filter(to=form.email).acount() == 1
    assert await said(store) == ["q1", f"ticket-{form.id}"]
    assert len(await store.staff_notes(CAMILLE)) == 1


async def test_a_stale_or_strange_button_opens_nothing(store, form, confirm):
    for stale in (confirm(version=form.version + 1), confirm(form_id="autre")):
        with pytest.raises(StaleForm):
            await stale
    with pytest.raises(SessionNotFound):
        await ticket_draft.confirm(CAMILLE, "web", form.id, form.version)

    assert not await Ticket.objects.aexists()
    assert (await store.load(CAMILLE, "api")).form == form.to_json()


async def test_the_ticket_of_another_conversation_is_not_announced(store, form):
    stranger = await database_sync_to_async(opened)()

    with pytest.raises(StaleForm):
        await ticket_draft.confirm(CAMILLE, "api", stranger.form_id, 1)

    assert await said(store) == ["q1"]


async def test_what_is_lacking_is_told(store, form, confirm):
    bare = complete(email="x@example.test").to_json() | {"id": form.id, "version": 9, "email": ""}
    await store.put_form(CAMILLE, "api", bare, expected_version=form.version)

    with pytest.raises(InvalidForm) as refused:
        await confirm(version=9)

    assert list(refused.value.fields) == ["email"]


async def test_a_database_that_is_away_keeps_the_form_and_trying_again_works(store, form, confirm):
    with database.refusing('"chat_ticket"'), pytest.raises(ticket_draft.TicketsAway) as told:
        await confirm()
    kept = (await store.load(CAMILLE, "api")).form
    await confirm()

    assert (told.value.code, told.value.retry_after_s) == ("assistant_unavailable", 5)
    assert kept == form.to_json()
    assert await Ticket.objects.acount() == 1


async def test_a_locked_database_holds_up_nobody_else_and_trying_again_works(store, form):
    many = (os.cpu_count() or 1) + 8  # more than asyncio has threads for the whole worker
    button = (CAMILLE, "api", form.id, form.version)
    lock = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        confirming = (ticket_draft.confirm(*button, longest_s=0.2) for _ in range(many))
        failed = await asyncio.gather(*confirming, return_exceptions=True)
        other = asyncio.create_task(asyncio.to_thread(lambda: "served"))
        # SQLite itself gives the lock up after ``SQLITE_TIMEOUT_S``.
        await asyncio.wait({other}, timeout=SQLITE_TIMEOUT_S / 2)
        was_served = other.done()
    finally:
        lock.close()

    assert [type(error) for error in failed] == [ticket_draft.TicketsAway] * many
    assert was_served, "hung confirmations took the threads of everybody else"
    assert (await store.load(CAMILLE, "api")).form == form.to_json()
    await ticket_draft.confirm(*button)
    assert await Ticket.objects.acount() == 1


async def test_who_died_before_the_announcement_is_caught_up(store, form, confirm, replace_parts):
    replace_parts(STORE.to(FaultyStore.of(store, announce=[asyncio.CancelledError()])))
    with pytest.raises(asyncio.CancelledError):
        await confirm()
    before = await said(store)
    await confirm()

    assert before == ["q1"]
    assert await said(store) == ["q1", f"ticket-{form.id}"]
    assert await Ticket.objects.acount() == 1


async def test_an_edit_in_between_does_not_leave_a_form_behind(store, form, replace_parts):
    """Another tab saves while this one confirms: the ticket says what was confirmed."""

    async def edited_meanwhile(announce, *given):
        await ticket_draft.edit(CAMILLE, "api", form.id, form.version, {"customer_name": "Zoé"})
        return await announce(*given)

    replace_parts(STORE.to(FaultyStore.of(store, announce=edited_meanwhile)))

    await ticket_draft.confirm(CAMILLE, "api", form.id, form.version)

    assert (await Ticket.objects.aget()).customer_name == "Camille Martin"
    assert (await store.load(CAMILLE, "api")).form is None


async def test_an_adviser_who_holds_it_is_in_nobodys_way(store, confirm):
    await take_over(store, CAMILLE)

    await confirm()

    assert await Ticket.objects.acount() == 1
    assert (await store.load(CAMILLE, "api")).adviser == "Claire"


async def test_photos_of_the_conversation_go_with_the_ticket(store, confirm):
    mine, hers = ref_of(CAMILLE), ref_of("zoe")
    for slot, ref in enumerate((mine, mine, hers)):
        await Photo.objects.acreate(
            session_ref=ref,
            slot=slot,
            name=f"p{slot}",
            sha256=f"{slot}",
            width=1,
            height=1,
            bytes=1,
        )

    await confirm()

    number = (await Ticket.objects.aget()).number
    assert await Photo.objects.filter(ticket_number=number, session_ref=mine).acount() == 2
    assert await Photo.objects.filter(ticket_number="", session_ref=hers).acount() == 1
    session = await store.load(CAMILLE, "api")
    assert "Vos 2 photos y sont jointes." in session.messages[-1].text


async def test_too_many_with_one_address_are_refused_in_words(confirm):
    for _ in range(MAX_A_DAY):
        await database_sync_to_async(opened)()

    with pytest.raises(RateLimited, match="rate_limited") as refused:
        await confirm()

    assert "Trop de demandes" in refused.value.message


async def test_editing_takes_all_fields_or_none(store, form):
    def edit(version: int, **fields: object):
        return ticket_draft.edit(CAMILLE, "api", form.id, version, fields)

    with pytest.raises(InvalidForm) as refused:
        await edit(form.version, email="non", words="", customer_name="Zoé", delivered_on=7)
    untouched = (await store.load(CAMILLE, "api")).form
    edited = await edit(form.version, customer_name="Zoé", order_number="", nonsense="x")
    with pytest.raises(StaleForm):
        await edit(form.version, customer_name="Karim")

    assert set(refused.value.fields) == {"email", "words", "delivered_on"}
    assert untouched == form.to_json()
    assert (edited.version, edited.customer_name) == (form.version + 1, "Zoé")
    assert (await store.load(CAMILLE, "api")).form == edited.to_json()


async def test_dropping_forgets_it_once(store, form):
    with pytest.raises(StaleForm):
        await ticket_draft.drop(CAMILLE, "api", form.id, 99)
    await ticket_draft.drop(CAMILLE, "api", form.id, form.version)
    await ticket_draft.drop(CAMILLE, "api", form.id, form.version)

    assert (await store.load(CAMILLE, "api")).form is None
    with pytest.raises(StaleForm):
        await ticket_draft.confirm(CAMILLE, "api", form.id, form.version)


async def test_in_a_conversation_that_ended_no_button_works(store, form, confirm):
    await store.end(CAMILLE, "api")

    with pytest.raises(SessionGone):
        await confirm()
    with pytest.raises(SessionGone):
        await ticket_draft.drop(CAMILLE, "api", form.id, form.version)
