from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth.models import User

from chat.shop.tickets.links import follow_url
from chat.shop.tickets.models import OutgoingMail, Ticket
from chat.shop.tickets.phrases import full_moment
from chat.shop.tickets.services import add_customer_message, change_state, reply
from chat.shop.tickets.states import State
from tests.shop.tickets.builders import DANGER, opened

pytestmark = pytest.mark.django_db

CUSTOMER, SHOP = "camille@example.test", "sav@shop.test"


def mail_of(kind: str) -> OutgoingMail:
    return OutgoingMail.objects.get(key__startswith=f"{kind}:")


@pytest.fixture
def claire(db: None) -> User:
    return User.objects.create_user("claire", is_staff=True)


def test_opening_tells_the_customer_number_deadline_link_and_law():
    ticket = opened()
    mail = mail_of("opened")

    assert (mail.to, mail.reply_to) == (CUSTOMER, SHOP)
    assert mail.subject == f"Votre demande {ticket.number} est enregistrée"
    assert f"\n{follow_url(ticket)}\n" in mail.body
    assert follow_url(ticket).startswith("https://chat.shop.test/suivi/SAV-")
    assert f"au plus tard le {full_moment(ticket.first_answer_due_at)}." in mail.body
    assert "L217-3" in mail.body
    assert "1641" in mail.body
    assert "ne la remplace pas" in mail.body
    assert "&" not in mail.body.replace(follow_url(ticket), "")


@pytest.mark.parametrize("words", [DANGER, "Le tissu bouloche"])
def test_customer_is_told_no_priority_and_warned_of_danger(words):
    ticket = opened(words=words)
    body = mail_of("opened").body

    assert ticket.priority not in body
    assert "points" not in body
    assert ("n'utilisez plus ce meuble" in body) == (words == DANGER)


def test_strangers_cannot_have_the_shop_write_what_they_like():
    bait = "Gagnez https://evil.test"
    opened(words=bait, customer_name=bait, product_name=bait)
    mail = mail_of("opened")

    assert "evil" not in mail.subject + mail.body
    assert "evil" in mail_of("opened_shop").body


def test_no_field_adds_a_header():
    opened(product_name="Canapé\r\nBcc: x@y.test", customer_name="C\nX: y")

    for mail in OutgoingMail.objects.all():
        assert "\n" not in mail.subject
        assert "\r" not in mail.subject + mail.body


def test_shop_is_told_all_it_needs():
    ticket = opened(words=f"{DANGER} & <b>", order_number="CMD-2025-54321")
    mail = mail_of("opened_shop")

    assert (mail.to, mail.reply_to) == (SHOP, CUSTOMER)
    assert mail.subject == f"[P0] {ticket.number} · Canapé OSLO"
    assert f"{DANGER} & <b>" in mail.body
    assert "CMD-2025-54321 (non vérifiée)" in mail.body
    assert f"https://chat.shop.test/admin/chat/ticket/{ticket.pk}/change/" in mail.body


def test_answers_and_ends_are_told_with_the_link(claire):
    ticket = opened()
    reply(ticket.pk, "Nous <passons> l'été & lundi.", claire)
    add_customer_message(ticket.pk, "Merci & à lundi.", "k1")
    change_state(ticket.pk, State.RESOLVED, claire)
    url = follow_url(ticket)

    assert "\nNous <passons> l'été & lundi.\n" in mail_of("reply").body
    assert url in mail_of("reply").body
    assert url in mail_of("resolved").body
    assert "rouverte" in mail_of("resolved").body
    assert "\nMerci & à lundi.\n" in mail_of("customer_wrote").body
    assert url not in mail_of("customer_wrote").body


def test_shop_without_an_address_gets_nothing(settings):
    settings.ENV = replace(settings.ENV, shop_email="")
    ticket = opened()
    add_customer_message(ticket.pk, "Bonjour", "k1")

    assert [mail.key for mail in OutgoingMail.objects.all()] == [f"opened:{ticket.pk}:"]
    assert mail_of("opened").reply_to == ""


def test_long_subject_is_cut():
    opened(product_name="x" * 200)

    assert len(mail_of("opened_shop").subject) == 200
    assert Ticket.objects.count() == 1
