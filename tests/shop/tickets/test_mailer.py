from __future__ import annotations

import asyncio
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import OperationalError, connections
from django.utils import timezone

from chat.shop.tickets import mailer as mailer_module
from chat.shop.tickets.mailer import GIVEN_UP, KEEP_BODIES, PAUSES, TAKEN_FOR, Mailer, send_mails
from chat.shop.tickets.models import OutgoingMail
from chat.shop.tickets.opening import open_ticket
from meuble_project import backends
from tests.ops.stats.test_flush import database_away
from tests.shop.tickets.builders import complete, opened
from tests.smtp_server import PostOffice

pytestmark = pytest.mark.django_db


def make_due() -> None:
    OutgoingMail.objects.filter(sent_at=None).update(due_at=timezone.now() - timedelta(seconds=1))


def test_everything_due_is_sent_once():
    opened()
    mailer = Mailer()

    assert [mailer.make_round() for _ in range(3)] == [2, 0, 0]
    assert {tuple(one.to) for one in mail.outbox} == {("camille@example.test",), ("sav@shop.test",)}
    for row in OutgoingMail.objects.all():
        assert row.sent_at is not None
        assert (row.tries, row.error) == (1, "")


def test_without_a_mail_server_no_e_mail_counts_as_sent(settings, caplog):
    for name, value in backends.email_for("console://", debug=False).items():
        setattr(settings, name, value)
    opened()

    assert Mailer().make_round() == 0
    for row in OutgoingMail.objects.all():
        assert (row.sent_at, row.tries, row.refusals) == (None, 1, 0)
        assert row.error.startswith("NoMailServerError: EMAIL_URL")
    assert "an e-mail was not sent" in caplog.text
    assert "camille" not in caplog.text


def test_mail_arrives_as_it_was_written(post_office: PostOffice):
    ticket = opened(words="Le pied est cassé : ça penche.\n.\nPoint seul.")
    Mailer().make_round()
    by_to = {str(one["To"]): one for one in post_office.received}
    ours = by_to["camille@example.test"]
    row = OutgoingMail.objects.get(to="camille@example.test")

    assert str(ours["Subject"]) == f"Votre demande {ticket.number} est enregistrée"
    assert str(ours["From"]) == "robot@shop.test"
    assert str(ours["Reply-To"]) == "sav@shop.test"
    assert str(ours["Auto-Submitted"]) == "auto-generated"
    assert ours.get_content_type() == "text/plain"
    assert ours.get_content().replace("\r\n", "\n").strip() == row.body.strip()
    assert "\n.\nPoint seul." in by_to["sav@shop.test"].get_content().replace("\r\n", "\n")


def test_refused_mail_is_tried_again_and_given_up_in_the_end(post_office, caplog):
    opened()
    OutgoingMail.objects.filter(to="sav@shop.test").delete()
    post_office.refusal = "450 camille@example.test is away"
    mailer = Mailer()
    row = OutgoingMail.objects.get()
    pauses = []
    for _ in PAUSES:
        before = timezone.now()
        assert mailer.make_round() == 0
        assert mailer.make_round() == 0  # not due yet
        row.refresh_from_db()
        pauses.append(round((row.due_at - before).total_seconds() / 60))
        make_due()
    mailer.make_round()
    make_due()
    mailer.make_round()
    row.refresh_from_db()

    assert pauses == [round(pause.total_seconds() / 60) for pause in PAUSES]
    assert row.tries == len(PAUSES) + 1
    assert row.sent_at is None
    assert "450" in row.error
    assert "given up" in caplog.text
    assert "camille" not in caplog.text
    assert post_office.received == []


@pytest.mark.parametrize("to", ["", " "])
def test_an_e_mail_to_nobody_is_given_up_and_stops_no_other(post_office: PostOffice, caplog, to):
    opened()
    OutgoingMail.objects.filter(to="camille@example.test").update(to=to)

    assert Mailer().make_round() == 1

    row = OutgoingMail.objects.get(to=to)
    assert (row.sent_at, row.refusals) == (None, OutgoingMail.MAX_REFUSALS)
    assert "no recipient" in row.error
    assert OutgoingMail.objects.filter(GIVEN_UP).get() == row
    assert "given up" in caplog.text


def round_when_due(mailer: Mailer) -> timedelta:
    """Make a round, as if all were due; return the pause until the next try."""
    make_due()
    before = timezone.now()
    mailer.make_round()
    return OutgoingMail.objects.get().due_at - before


@pytest.mark.parametrize("stage", ["refusal", "text_refusal"])
def test_three_refusals_for_good_end_an_e_mail(post_office: PostOffice, caplog, stage):
    opened()
    OutgoingMail.objects.filter(to="sav@shop.test").delete()
    setattr(post_office, stage, "550 5.1.1 camille@example.test: no such user")
    mailer = Mailer()

    pauses = [round_when_due(mailer) for _ in range(2)]
    round_when_due(mailer)
    asked = post_office.asked
    for _ in range(3):
        round_when_due(mailer)

    row = OutgoingMail.objects.get()
    assert [round(pause / timedelta(hours=1)) for pause in pauses] == [1, 6]
    assert (row.tries, row.refusals, row.is_refused, row.sent_at) == (3, 3, True, None)
    assert post_office.asked == asked, "it was tried again"
    assert "given up" in caplog.text
    assert "camille" not in caplog.text


def test_refusals_that_pass_do_not_count(post_office: PostOffice):
    """One for good among others leaves all further tries."""
    opened()
    OutgoingMail.objects.filter(to="sav@shop.test").delete()
    mailer = Mailer()
    for answer in ("550 who are you", "450 later", "451 later", "452 full"):
        post_office.refusal = answer
        round_when_due(mailer)
    assert OutgoingMail.objects.get().refusals == 1

    post_office.refusal = ""
    round_when_due(mailer)

    assert OutgoingMail.objects.get().sent_at is not None


@pytest.mark.parametrize("stage", ["greeting", "sender_refusal"])
def test_trouble_of_ours_ends_no_e_mail_early(post_office: PostOffice, stage):
    """A server that wants nothing of us says nothing of this e-mail."""
    opened()
    OutgoingMail.objects.filter(to="sav@shop.test").delete()
    setattr(post_office, stage, "554 not from you")
    mailer = Mailer()
    for _ in range(5):
        round_when_due(mailer)

    row = OutgoingMail.objects.get()
    assert (row.tries, row.refusals, row.is_given_up) == (5, 0, False)
    assert "554" in row.error


def test_given_up_e_mail_is_sent_again_by_the_staff(post_office: PostOffice, admin_client):
    opened()
    OutgoingMail.objects.filter(to="sav@shop.test").delete()
    post_office.refusal = "550 no such user"
    mailer = Mailer()
    for _ in range(3):
        round_when_due(mailer)
    row = OutgoingMail.objects.get()
    post_office.refusal = ""
    address = "/admin/chat/outgoingmail/"
    assert "refusé par le destinataire" in admin_client.get(address).content.decode()
    assert row.subject in admin_client.get(f"{address}?state=given_up").content.decode()
    assert row.subject not in admin_client.get(f"{address}?state=waiting").content.decode()

    told = admin_client.post(
        address, {"action": "send_again", "_selected_action": [row.pk]}, follow=True
    )
    assert "1 e-mail à nouveau en attente" in told.content.decode()
    assert mailer.make_round() == 1
    again = admin_client.post(
        address, {"action": "send_again", "_selected_action": [row.pk]}, follow=True
    )

    assert "Aucun e-mail à renvoyer" in again.content.decode()
    assert len(post_office.received) == 1


def test_all_pauses_are_used():
    assert len(PAUSES) + 1 == OutgoingMail.MAX_TRIES


def test_server_that_is_back_gets_what_waited(settings, post_office: PostOffice):
    opened()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = free.getsockname()[1]
        assert Mailer().make_round() == 0
    assert "Refused" in OutgoingMail.objects.all()[0].error

    settings.EMAIL_PORT = post_office.port
    make_due()
    assert Mailer().make_round() == 2
    assert len(post_office.received) == 2
    assert not OutgoingMail.objects.exclude(error="").exists()


@pytest.mark.django_db(transaction=True)
def test_what_the_database_could_not_be_told_is_not_sent_again(post_office: PostOffice):
    opened()
    mailer = Mailer()

    def fail_to_note(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if sql.startswith("UPDATE") and '"sent_at" = ' in sql.partition("WHERE")[0]:
            raise OperationalError("away")
        return execute(sql, params, many, context)

    with connections["default"].execute_wrapper(fail_to_note), pytest.raises(OperationalError):
        mailer.make_round()
    assert len(post_office.received) == 1
    make_due()
    mailer.make_round()

    assert len(post_office.received) == 2
    assert len({str(one["Message-ID"]) for one in post_office.received}) == 2
    assert not OutgoingMail.objects.filter(sent_at=None).exists()


def test_mail_of_a_worker_that_died_is_taken_up_later(monkeypatch):
    opened()
    row = OutgoingMail.objects.get(to="camille@example.test")
    assert mailer_module._take(row)
    Mailer().make_round()
    assert [one.to for one in mail.outbox] == [["sav@shop.test"]]

    OutgoingMail.objects.filter(pk=row.pk).update(due_at=timezone.now() - TAKEN_FOR)
    row.refresh_from_db()
    assert Mailer().make_round() == 1
    assert len(mail.outbox) == 2


def test_old_texts_are_removed_and_nothing_else():
    opened()
    Mailer().make_round()
    fresh, old = OutgoingMail.objects.order_by("pk")
    long_ago = timezone.now() - KEEP_BODIES - timedelta(hours=1)
    OutgoingMail.objects.filter(pk=old.pk).update(sent_at=long_ago)
    waiting, given_up = (
        OutgoingMail.objects.create(
            ticket=fresh.ticket,
            key=f"x{tries}",
            to="a@b.fr",
            subject="s",
            body="b",
            created_at=long_ago,
            due_at=long_ago,
            tries=tries,
        )
        for tries in (1, len(PAUSES) + 1)
    )
    assert mailer_module.forget_old_bodies() == 2
    bodies = {one.pk: bool(one.body) for one in OutgoingMail.objects.all()}

    assert bodies == {fresh.pk: True, old.pk: False, waiting.pk: True, given_up.pk: False}
    assert mailer_module.forget_old_bodies() == 0


@pytest.mark.django_db(transaction=True)
def test_postmen_who_go_round_together_send_each_mail_once(post_office: PostOffice):
    for _ in range(6):
        open_ticket(complete(), "0" * 16)
    start = threading.Barrier(4)

    def work(_: int) -> int:
        mailer = Mailer()
        start.wait()
        try:
            return sum(mailer.make_round() for _ in range(3))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(work, range(4)))

    ids = [str(one["Message-ID"]) for one in post_office.received]
    assert sum(sent) == len(ids) == len(set(ids)) == 12
    assert not OutgoingMail.objects.filter(sent_at=None).exists()


@pytest.mark.django_db(transaction=True)
async def test_worker_sends_by_itself_and_ends_when_told():
    await sync_to_async(opened)()
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Watched(Mailer):
        def make_round(self) -> int:
            count = super().make_round()
            loop.call_soon_threadsafe(done.set)
            return count

    sending = asyncio.create_task(send_mails(Watched()))
    async with asyncio.timeout(20):
        await done.wait()
    sending.cancel()
    await asyncio.wait({sending})

    assert sending.cancelled()
    assert len(mail.outbox) == 2


@pytest.mark.django_db(transaction=True)
async def test_worker_goes_on_when_the_database_is_back_and_says_it_was_away_once(caplog):
    await sync_to_async(opened)()
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Away(Mailer):
        rounds = 0

        def make_round(self) -> int:
            self.rounds += 1
            if self.rounds < 4:
                with database_away():
                    return super().make_round()
            count = super().make_round()
            loop.call_soon_threadsafe(done.set)
            return count

    with caplog.at_level(logging.WARNING, "chat.shop.tickets"):
        sending = asyncio.create_task(send_mails(Away(), every_s=0.001))
        async with asyncio.timeout(20):
            await done.wait()
        sending.cancel()
        await asyncio.wait({sending})

    assert caplog.text.count("e-mails wait for the database: OperationalError") == 1
    assert len(mail.outbox) == 2


@pytest.mark.django_db(transaction=True)
async def test_worker_that_stops_finishes_the_mail_it_sends_and_no_other(
    post_office: PostOffice,
):
    await sync_to_async(opened)()
    sending_now, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold() -> None:
        loop.call_soon_threadsafe(sending_now.set)
        go_on.wait(20)

    post_office.on_text = hold
    working = asyncio.create_task(send_mails())
    async with asyncio.timeout(20):
        await sending_now.wait()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()  # as the worker does, all at once
    for _ in range(10):
        await asyncio.sleep(0)
    assert not working.done()
    go_on.set()
    await asyncio.wait({working})

    def tried() -> list[tuple[int, bool]]:
        rows = OutgoingMail.objects.values_list("tries", "sent_at")
        return sorted((tries, sent_at is not None) for tries, sent_at in rows)

    assert len(post_office.received) == 1
    assert await sync_to_async(tried)() == [(0, False), (1, True)]
