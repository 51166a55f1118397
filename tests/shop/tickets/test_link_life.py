"""The customer's link to a ticket expires and can be revoked, with the photos on its page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.shop.photos.reencoding import ProcessedPhoto
from chat.shop.photos.services import attach, keep
from chat.shop.tickets.links import follow_path, follow_url, sign_token
from chat.shop.tickets.models import OutgoingMail, Ticket
from chat.shop.tickets.queries import link_expires_at
from chat.shop.tickets.services import add_note, reply, revoke_link, send_new_link
from tests.shop.tickets.builders import REF, opened
from tests.web.access.staff import ADVISERS, staff

pytestmark = pytest.mark.django_db(transaction=True)

DAY = timedelta(days=1)


@pytest.fixture
def ticket(settings: Any, tmp_path: Path) -> Ticket:
    settings.ENV = replace(settings.ENV, media_dir=str(tmp_path / "media"), follow_link_days=90)
    return opened()


@pytest.fixture
def karim(db: None) -> Any:
    return staff("karim", ADVISERS)


def quiet_for(ticket: Ticket, age: timedelta) -> None:
    """Let nothing have happened on the ticket for so long."""
    moment = timezone.now() - age
    Ticket.objects.filter(pk=ticket.pk).update(opened_at=moment)
    ticket.entries.update(at=moment)


def status(client: Client, path: str) -> int:
    return client.get(path).status_code


@pytest.mark.parametrize("age, answer", [(89 * DAY, 200), (91 * DAY, 404)])
def test_link_expires_after_the_last_event(client, ticket, age, answer):
    quiet_for(ticket, age)

    assert status(client, follow_path(ticket)) == answer


def test_expired_link_takes_no_words_and_says_how_to_get_another(client, ticket):
    quiet_for(ticket, 91 * DAY)
    answers = [
        client.post(follow_path(ticket), {"text": "Bonjour", "key": "k1"}),
        client.get(follow_path(ticket)),
        client.get(reverse("chat:ticket", args=[sign_token("SAV-2020-00001")])),
        client.get(reverse("chat:ticket", args=[sign_token(ticket.number or "", 7)])),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers[1:]}) == 1
    page = answers[1].content.decode()
    assert "n’est pas valable" in page
    assert "demandez-en un autre au magasin" in page
    assert "SAV-" not in page
    assert not ticket.entries.filter(kind="customer").exists()


def test_each_answer_renews_the_link_and_a_note_does_not(client, ticket, karim):
    quiet_for(ticket, 91 * DAY)
    add_note(ticket.pk, "À rappeler", karim)
    assert status(client, follow_path(ticket)) == 404

    reply(ticket.pk, "Bonjour", karim)
    assert status(client, follow_path(ticket)) == 200


def test_shop_may_let_links_live_for_ever(client, ticket, settings):
    settings.ENV = replace(settings.ENV, follow_link_days=0)
    quiet_for(ticket, 9999 * DAY)

    assert link_expires_at(ticket) is None
    assert status(client, follow_path(ticket)) == 200


def test_revoked_link_is_void_and_the_next_e_mail_has_another(client, ticket, karim):
    old_path, old_url = follow_path(ticket), follow_url(ticket)
    waiting = OutgoingMail.objects.get(key__startswith="opened:")
    assert old_url in waiting.body

    assert revoke_link(ticket.pk, karim, "k1")
    assert not revoke_link(ticket.pk, karim, "k1")
    ticket.refresh_from_db()
    reply(ticket.pk, "Bonjour", karim)

    assert ticket.link_version == 1
    assert [status(client, old_path), status(client, follow_path(ticket))] == [404, 200]
    assert client.post(old_path, {"text": "Bonjour", "key": "k1"}).status_code == 404
    for mail in OutgoingMail.objects.filter(to=ticket.email):
        assert old_url not in mail.body
        assert f"\n{follow_url(ticket)}\n" in mail.body
    assert not OutgoingMail.objects.filter(key__startswith="link:").exists()


def test_e_mail_that_went_is_not_rewritten(ticket, karim):
    old_url = follow_url(ticket)
    OutgoingMail.objects.update(sent_at=timezone.now())
    revoke_link(ticket.pk, karim)

    assert old_url in OutgoingMail.objects.get(key__startswith="opened:").body


def test_new_link_replaces_an_expired_one(client, ticket, karim):
    old_path = follow_path(ticket)
    quiet_for(ticket, 91 * DAY)

    assert send_new_link(ticket.pk, karim, "k1")
    assert not send_new_link(ticket.pk, karim, "k1")
    ticket.refresh_from_db()

    mail = OutgoingMail.objects.get(key__startswith="link:")
    assert (mail.to, mail.body.count(follow_url(ticket))) == (ticket.email, 1)
    assert [status(client, old_path), status(client, follow_path(ticket))] == [404, 200]


def test_photos_on_the_page_are_void_with_its_link(client, ticket, karim):
    keep(REF, "1" * 64, ProcessedPhoto(4, 3, b"full", b"small"))
    attach(REF, ticket.number or "")
    page = client.get(follow_path(ticket)).content.decode()
    addresses = [found.replace("&amp;", "&") for found in re.findall(r'"(/photos/[^"]+)"', page)]
    assert len(addresses) == 2
    assert [status(client, address) for address in addresses] == [200, 200]
    without = re.sub(r"&v=\d+|v=\d+&", "", addresses[0])
    assert status(client, without) == 403

    quiet_for(ticket, 91 * DAY)
    assert [status(client, address) for address in addresses] == [403, 403]
    quiet_for(ticket, DAY)
    revoke_link(ticket.pk, karim)
    assert [status(client, address) for address in addresses] == [403, 403]

    browser = Client()
    browser.force_login(karim)
    shown = browser.get(reverse("admin:chat_ticket_change", args=[ticket.pk])).content.decode()
    (small, _whole) = re.findall(r'"(/photos/[^"]+)"', shown)
    assert status(browser, small.replace("&amp;", "&")) == 200


def test_adviser_sees_until_when_it_works_revokes_it_and_sends_another(ticket, karim):
    browser = Client()
    browser.force_login(karim)
    page = reverse("admin:chat_ticket_change", args=[ticket.pk])
    until = timezone.localtime(link_expires_at(ticket))

    assert f"Valable jusqu’au {until:%d/%m/%Y}" in browser.get(page).content.decode()
    for what in ("revoke_link", "send_link"):
        url = reverse("admin:chat_ticket_do", args=[ticket.pk, what])
        assert browser.post(url, {"key": what}).status_code == 302
    ticket.refresh_from_db()

    assert ticket.link_version == 2
    told = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert told == ["Lien de suivi révoqué.", "Nouveau lien de suivi envoyé au client."]
    quiet_for(ticket, 91 * DAY)
    Ticket.objects.update(link_sent_at=None)
    assert "Expiré le" in browser.get(page).content.decode()
