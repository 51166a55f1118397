"""Tickets erased for good: in the admin, by command, and when their time is over."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.conversations.handover.contacts import record_contact
from chat.conversations.handover.models import ContactRequest
from chat.conversations.store.protocol import STORE
from chat.core.errors import SessionGone
from chat.ops.customer_erasure import erase_customer
from chat.ops.retention import Overdue, Periods, erase_overdue, overdue
from chat.shop.photos import files
from chat.shop.photos.models import Photo
from chat.shop.photos.reencoding import ProcessedPhoto
from chat.shop.photos.services import attach, keep
from chat.shop.tickets.erasure import erase_tickets
from chat.shop.tickets.links import follow_path
from chat.shop.tickets.models import OutgoingMail, Ticket, TicketEntry
from chat.shop.tickets.services import add_customer_message, add_note, change_state, reply
from chat.shop.tickets.states import State
from tests.backends import use_redis
from tests.builders import question
from tests.shop.tickets.builders import REF, opened
from tests.web.access.staff import ADVISERS, MANAGERS, staff

pytestmark = pytest.mark.django_db(transaction=True)

CLEAN = ProcessedPhoto(4, 3, b"full", b"small")
LIST = "admin:chat_ticket_changelist"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.ENV = replace(settings.ENV, media_dir=str(tmp_path / "media"))


def full(email: str = "camille@example.test", photo: str = "1") -> Ticket:
    """A ticket with an answer, a note, a message, e-mails and a photo."""
    ticket = opened(email=email)
    claire, _ = User.objects.get_or_create(username="claire")
    reply(ticket.pk, "Bonjour", claire)
    add_note(ticket.pk, "Client difficile", claire)
    add_customer_message(ticket.pk, "Merci", "k1")
    keep(REF, photo * 64, CLEAN)
    attach(REF, ticket.number or "")
    return ticket


def enter(username: str, group: str) -> Client:
    client = Client()
    client.force_login(staff(username, group))
    return client


def left() -> dict[str, int]:
    return {
        "tickets": Ticket.objects.count(),
        "entries": TicketEntry.objects.count(),
        "mails": OutgoingMail.objects.count(),
        "photos": Photo.objects.count(),
        "files": len(list(files.stored())),
    }


NOTHING = dict.fromkeys(("tickets", "entries", "mails", "photos", "files"), 0)


def test_ticket_goes_with_all_that_belongs_to_it():
    ticket, other = full(), full("zoe@example.test", "2")

    extent = erase_tickets([ticket.pk])

    assert (extent.numbers, extent.open_numbers) == ((ticket.number,), (ticket.number,))
    assert (extent.entries, extent.mails, extent.photos) == (4, 4, 1)
    assert left() == {"tickets": 1, "entries": 4, "mails": 4, "photos": 1, "files": 2}
    assert Photo.objects.get().ticket_number == other.number
    assert erase_tickets([ticket.pk]).numbers == ()


def test_database_that_refuses_erases_nothing_not_even_a_file():
    ticket = full()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE DELETE ON chat_ticket "
            "BEGIN SELECT RAISE(ABORT, 'busy'); END"
        )
    before = left()
    try:
        with pytest.raises(DatabaseError):
            erase_tickets([ticket.pk])
        with pytest.raises(DatabaseError):
            erase_customer(ticket.email, user_id=User.objects.get().pk)
        assert left() == before
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER refuse")


def test_files_stay_until_the_erasure_is_certain():
    ticket = full()
    before = left()

    with transaction.atomic():
        erase_tickets([ticket.pk])
        transaction.set_rollback(True)  # what comes after it in the same transaction fails

    assert left() == before


def test_page_says_what_goes_then_erases_and_keeps_a_trace_without_the_customer():
    ticket = full()
    nadia = enter("nadia", MANAGERS)
    url = reverse("admin:chat_ticket_erase", args=[ticket.pk])

    page = nadia.get(url).content.decode()
    assert left()["tickets"] == 1
    for told in (ticket.number or "", "Encore ouvert", "4 lignes", "1 photo", "4 e-mails"):
        assert told in page
    assert nadia.post(url).status_code == 302

    assert left() == NOTHING
    entry = LogEntry.objects.get(action_flag=DELETION)
    assert (entry.user.username, entry.object_repr) == ("nadia", ticket.number)
    assert "camille" not in f"{entry.change_message} {entry.object_repr}".lower()
    assert nadia.get(url).status_code == 302
    assert nadia.get(follow_path(ticket)).status_code == 404


def test_several_are_erased_after_a_question():
    tickets = [full(), full("zoe@example.test", "2")]
    nadia = enter("nadia", MANAGERS)
    form = {"action": "erase_several", "_selected_action": [ticket.pk for ticket in tickets]}

    page = nadia.post(reverse(LIST), form)
    assert page.status_code == 200
    assert "2 tickets" in page.content.decode()
    assert left()["tickets"] == 2
    nadia.post(reverse(LIST), {**form, "confirmed": "1"})

    assert left() == NOTHING
    assert LogEntry.objects.filter(action_flag=DELETION).count() == 2


def test_advisers_and_strangers_erase_nothing():
    ticket = full()
    record_contact("s", "camille@example.test", "")
    contact = ContactRequest.objects.get()
    form = {"action": "erase_several", "_selected_action": [ticket.pk], "confirmed": "1"}
    claire = enter("karim", ADVISERS)
    urls = [
        reverse("admin:chat_ticket_erase", args=[ticket.pk]),
        reverse("admin:chat_contactrequest_delete", args=[contact.pk]),
    ]

    for url in urls:
        assert [claire.get(url).status_code, claire.post(url).status_code] == [403, 403]
        assert Client().post(url).status_code == 302
    claire.post(reverse(LIST), form)
    assert (
        "Effacer définitivement"
        not in claire.get(reverse("admin:chat_ticket_change", args=[ticket.pk])).content.decode()
    )

    assert left()["tickets"] == 1
    assert ContactRequest.objects.count() == 1


def test_erasing_needs_the_token_of_the_form():
    ticket = full()
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff("nadia", MANAGERS))

    assert client.post(reverse("admin:chat_ticket_erase", args=[ticket.pk])).status_code == 403
    assert left()["tickets"] == 1


def test_callback_request_is_deleted_by_a_manager():
    record_contact("s", "camille@example.test", "Canapé")
    nadia = enter("nadia", MANAGERS)
    url = reverse("admin:chat_contactrequest_delete", args=[ContactRequest.objects.get().pk])

    assert nadia.get(url).status_code == 200
    nadia.post(url, {"post": "yes"})

    assert not ContactRequest.objects.exists()
    assert "camille" not in LogEntry.objects.get().object_repr


# By command


def run(capsys: Any, *arguments: str) -> dict[str, Any]:
    call_command("erase_ticket", *arguments, "--yes", "--json")
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_command_erases_by_number_and_gives_a_receipt(capsys):
    ticket, other = full(), full("zoe@example.test", "2")
    staff("admin", is_superuser=True)

    dry = run(capsys, ticket.number or "", "--dry-run")
    assert (dry["erased"], left()["tickets"]) == (False, 2)
    told = run(capsys, (ticket.number or "").lower())

    assert (told["tickets"], told["photos"], told["by"]) == ([ticket.number], 1, "admin")
    assert Ticket.objects.get() == other
    with pytest.raises(CommandError) as unknown:
        run(capsys, other.number or "", ticket.number or "")
    assert unknown.value.returncode == 3
    assert Ticket.objects.get() == other


def test_customer_s_request_erases_all_of_theirs_and_nothing_of_others(capsys):
    full("Camille@Example.test")
    opened(email="camille@example.test")
    other = full("zoe@example.test", "2")
    for number, email in enumerate(("camille@example.test", "zoe@example.test")):
        record_contact(f"s{number}", email, "")
    keep(REF, "3" * 64, CLEAN)
    staff("admin", is_superuser=True)

    told = run(capsys, "--email", " CAMILLE@example.test")

    assert len(told["tickets"]) == 2
    assert (told["contacts"], told["photos"], told["loose_photos"]) == (1, 1, 1)
    assert Ticket.objects.get() == other
    assert ContactRequest.objects.get().email == "zoe@example.test"
    assert [photo.ticket_number for photo in Photo.objects.all()] == [other.number]
    assert left()["files"] == 2
    traces = LogEntry.objects.filter(action_flag=DELETION)
    assert traces.count() == 3
    assert all("camille" not in f"{t.object_repr} {t.change_message}".lower() for t in traces)
    with pytest.raises(CommandError) as nothing:
        run(capsys, "--email", "camille@example.test")
    assert nothing.value.returncode == 3


@pytest.mark.parametrize("arguments", [(), ("SAV-2026-00001", "--email", "a@b.test")])
def test_command_wants_numbers_or_an_address(arguments):
    with pytest.raises(CommandError) as refused:
        call_command("erase_ticket", *arguments)
    assert refused.value.returncode == 2


def test_command_asks_and_needs_the_right():
    ticket = full()
    staff("admin", is_superuser=True)
    staff("karim", ADVISERS)
    for more in ((), ("--yes", "--as", "karim")):
        with pytest.raises(CommandError) as refused:
            call_command("erase_ticket", ticket.number, *more)
        assert refused.value.returncode == 2
    assert left()["tickets"] == 1


# When their time is over

PERIODS = Periods(tickets_days=100, contacts_days=10, mails_days=50)


def aged(ticket: Ticket, age: timedelta) -> Ticket:
    """Let the whole life of a ticket be so much earlier."""
    Ticket.objects.filter(pk=ticket.pk).update(opened_at=timezone.now() - age)
    ticket.entries.update(at=timezone.now() - age)
    ticket.mails.update(sent_at=timezone.now() - age)
    return ticket


@pytest.mark.parametrize(
    "state, age, goes",
    [
        (State.CLOSED, 101 * DAY, True),
        (State.RESOLVED, 101 * DAY, True),
        (State.CLOSED, 99 * DAY, False),
        (State.NEW, 999 * DAY, False),
        (State.IN_PROGRESS, 999 * DAY, False),
        (State.WAITING, 999 * DAY, False),
    ],
)
def test_ticket_goes_after_its_time_and_never_while_it_is_open(state, age, goes):
    ticket = aged(full(), age)
    Ticket.objects.update(state=state)

    assert overdue(timezone.now(), PERIODS).tickets == goes
    erase_overdue(timezone.now(), PERIODS)

    assert Ticket.objects.filter(pk=ticket.pk).exists() is not goes
    assert left()["files"] == (0 if goes else 2)


def test_last_event_counts_not_the_opening():
    ticket = aged(full(), 200 * DAY)
    change_state(ticket.pk, State.CLOSED, None)

    assert erase_overdue(timezone.now(), PERIODS).tickets == 0


def test_ticket_that_was_reopened_meanwhile_stays():
    ticket = aged(full(), 200 * DAY)
    Ticket.objects.update(state=State.RESOLVED)
    over = Ticket.objects.filter(state=State.RESOLVED)
    add_customer_message(ticket.pk, "Encore cassé", "k2")

    assert erase_tickets([ticket.pk], among=over).numbers == ()
    assert left()["tickets"] == 1


def test_callback_requests_and_mails_go_after_their_time():
    opened()
    old = timezone.now() - 60 * DAY
    for number in range(4):
        record_contact(f"s{number}", "camille@example.test", "")
    requests = list(ContactRequest.objects.order_by("pk"))
    ContactRequest.objects.filter(pk__in=[one.pk for one in requests[:3]]).update(asked_at=old)
    ContactRequest.objects.filter(pk=requests[0].pk).update(handled_at=old)
    ContactRequest.objects.filter(pk=requests[1].pk).update(handled_at=timezone.now())
    mails = list(OutgoingMail.objects.order_by("pk"))
    OutgoingMail.objects.update(created_at=old, due_at=old)
    OutgoingMail.objects.filter(pk=mails[0].pk).update(sent_at=old)

    assert erase_overdue(timezone.now(), PERIODS) == Overdue(tickets=0, contacts=2, mails=1)
    assert list(ContactRequest.objects.order_by("pk")) == [requests[1], requests[3]]
    assert OutgoingMail.objects.get() == mails[1]  # not sent yet: it is tried again


def test_nothing_goes_where_the_shop_keeps_all():
    aged(full(), 9999 * DAY)
    Ticket.objects.update(state=State.CLOSED)
    record_contact("s", "camille@example.test", "")
    ContactRequest.objects.update(asked_at=timezone.now() - 9999 * DAY)

    assert erase_overdue(timezone.now(), Periods(0, 0, 0)).count == 0


def test_command_applies_what_is_configured(settings, capsys):
    aged(full(), 40 * DAY)
    Ticket.objects.update(state=State.CLOSED)
    settings.ENV = replace(settings.ENV, tickets_retention_days=30)

    call_command("apply_retention", "--dry-run", "--json")
    dry = json.loads(capsys.readouterr().out)
    assert (dry["erased"], dry["tickets"], left()["tickets"]) == (False, 1, 1)
    call_command("apply_retention")

    assert "1 ticket(s) clos" in capsys.readouterr().out
    assert left() == NOTHING


def test_customer_s_request_erases_the_conversation_that_still_lives(
    settings, flushed_redis, capsys
):
    use_redis(settings, flushed_redis)
    staff("admin", is_superuser=True)
    record_contact("camille", "camille@example.test", "")

    async def said(session_id: str) -> None:
        await STORE.get().accept(session_id, "web", question(), create="always")

    for session_id in ("camille", "zoe"):
        asyncio.run(said(session_id))
    told = run(capsys, "--email", "camille@example.test")

    assert told["conversations"] == 1
    with pytest.raises(SessionGone):
        asyncio.run(STORE.get().load("camille", "web"))
    assert asyncio.run(STORE.get().load("zoe", "web")).messages
