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

from chat.tickets import postman as postman_module
from chat.tickets.models import OutgoingMail
from chat.tickets.opening import open_ticket
from chat.tickets.postman import KEEP_BODIES, PAUSES, TAKEN_FOR, Postman, send_mails
from tests.numbers.test_ledger import database_away
from tests.smtp_server import PostOffice
from tests.tickets.builders import complete, opened

pytestmark = pytest.mark.django_db

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"


def make_due() -> None:
    OutgoingMail.objects.filter(sent_at=None).update(due_at=timezone.now() - timedelta(seconds=1))


def test_everything_due_is_sent_once():
    opened()
    postman = Postman()

    assert [postman.make_round() for _ in range(3)] == [2, 0, 0]
    assert {tuple(one.to) for one in mail.outbox} == {("camille@example.test",), ("sav@shop.test",)}
    for row in OutgoingMail.objects.all():
        assert row.sent_at is not None
        assert (row.tries, row.error) == (1, "")


def test_mail_arrives_as_it_was_written(post_office: PostOffice):
    ticket = opened(words="Le pied est cassé : ça penche.\n.\nPoint seul.")
    Postman().make_round()
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
    postman = Postman()
    row = OutgoingMail.objects.get()
    pauses = []
    for _ in PAUSES:
        before = timezone.now()
        assert postman.make_round() == 0
        assert postman.make_round() == 0  # not due yet
        row.refresh_from_db()
        pauses.append(round((row.due_at - before).total_seconds() / 60))
        make_due()
    postman.make_round()
    make_due()
    postman.make_round()
    row.refresh_from_db()

    assert pauses == [round(pause.total_seconds() / 60) for pause in PAUSES]
    assert row.tries == len(PAUSES) + 1
    assert row.sent_at is None
    assert "450" in row.error
    assert "given up" in caplog.text
    assert "camille" not in caplog.text
    assert post_office.received == []


def test_server_that_is_back_gets_what_waited(settings, post_office: PostOffice):
    opened()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = free.getsockname()[1]
        assert Postman().make_round() == 0
    assert "Refused" in OutgoingMail.objects.all()[0].error

    settings.EMAIL_PORT = post_office.port
    make_due()
    assert Postman().make_round() == 2
    assert len(post_office.received) == 2
    assert not OutgoingMail.objects.exclude(error="").exists()


@pytest.mark.django_db(transaction=True)
def test_what_the_database_could_not_be_told_is_not_sent_again(post_office: PostOffice):
    opened()
    postman = Postman()

    def fail_to_note(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if sql.startswith("UPDATE") and '"sent_at" = ' in sql.partition("WHERE")[0]:
            raise OperationalError("away")
        return execute(sql, params, many, context)

    with connections["default"].execute_wrapper(fail_to_note), pytest.raises(OperationalError):
        postman.make_round()
    assert len(post_office.received) == 1
    make_due()
    postman.make_round()

    assert len(post_office.received) == 2
    assert len({str(one["Message-ID"]) for one in post_office.received}) == 2
    assert not OutgoingMail.objects.filter(sent_at=None).exists()


def test_mail_of_a_worker_that_died_is_taken_up_later(monkeypatch):
    opened()
    row = OutgoingMail.objects.get(to="camille@example.test")
    assert postman_module._take(row)
    Postman().make_round()
    assert [one.to for one in mail.outbox] == [["sav@shop.test"]]

    OutgoingMail.objects.filter(pk=row.pk).update(due_at=timezone.now() - TAKEN_FOR)
    row.refresh_from_db()
    assert Postman().make_round() == 1
    assert len(mail.outbox) == 2


def test_old_texts_are_removed_and_nothing_else():
    opened()
    Postman().make_round()
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
    assert postman_module.forget_old_bodies() == 2
    bodies = {one.pk: bool(one.body) for one in OutgoingMail.objects.all()}

    assert bodies == {fresh.pk: True, old.pk: False, waiting.pk: True, given_up.pk: False}
    assert postman_module.forget_old_bodies() == 0


@pytest.mark.django_db(transaction=True)
def test_postmen_who_go_round_together_send_each_mail_once(post_office: PostOffice):
    for _ in range(6):
        open_ticket(complete(), "0" * 16)
    start = threading.Barrier(4)

    def work(_: int) -> int:
        postman = Postman()
        start.wait()
        try:
            return sum(postman.make_round() for _ in range(3))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(work, range(4)))

    ids = [str(one["Message-ID"]) for one in post_office.received]
    assert sum(sent) == len(ids) == len(set(ids)) == 12
    assert not OutgoingMail.objects.filter(sent_at=None).exists()


@pytest.mark.django_db(transaction=True)
async def test_worker_sends_by_itself_and_ends_when_told(monkeypatch):
    await sync_to_async(opened)()
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Watched(Postman):
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
async def test_worker_goes_on_when_the_database_is_back_and_says_it_was_away_once(
    monkeypatch, caplog
):
    monkeypatch.setattr(postman_module, "EVERY_S", 0.001)
    await sync_to_async(opened)()
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Away(Postman):
        rounds = 0

        def make_round(self) -> int:
            self.rounds += 1
            if self.rounds < 4:
                with database_away():
                    return super().make_round()
            count = super().make_round()
            loop.call_soon_threadsafe(done.set)
            return count

    with caplog.at_level(logging.WARNING, "chat.tickets"):
        sending = asyncio.create_task(send_mails(Away()))
        async with asyncio.timeout(20):
            await done.wait()
        sending.cancel()
        await asyncio.wait({sending})

    assert caplog.text.count("e-mails wait for the database: OperationalError") == 1
    assert len(mail.outbox) == 2


@pytest.mark.django_db(transaction=True)
async def test_worker_that_stops_finishes_the_mail_it_sends_and_no_other(settings, monkeypatch):
    await sync_to_async(opened)()
    sending_now, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    send = postman_module.EmailMessage.send

    def slow(self: Any) -> Any:
        loop.call_soon_threadsafe(sending_now.set)
        assert go_on.wait(20)
        return send(self)

    monkeypatch.setattr(postman_module.EmailMessage, "send", slow)
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

    assert len(mail.outbox) == 1
    rows = await sync_to_async(list)(OutgoingMail.objects.values_list("tries", "sent_at"))
    assert sorted((tries, sent_at is not None) for tries, sent_at in rows) == [
        *((0, False), (1, True))
    ]
