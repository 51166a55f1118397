"""The page on which a customer follows a ticket: ``chat/web/pages/tickets.py``."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.core.clock import CLOCK
from chat.shop.photos.models import Photo
from chat.shop.tickets.links import follow_path, sign_token
from chat.shop.tickets.models import Ticket
from chat.shop.tickets.phrases import full_moment
from chat.shop.tickets.services import add_customer_message, add_note, change_state, reply
from chat.shop.tickets.states import State
from tests.database import refusing
from tests.runtime import FixedClock
from tests.shop.tickets.builders import opened
from tests.shop.tickets.test_links import forged

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ticket() -> Ticket:
    return opened()


@pytest.fixture
def claire() -> User:
    return User.objects.create_user("claire42", first_name="Claire", last_name="Petit")


def page_of(client: Client, ticket: Ticket) -> str:
    response = client.get(follow_path(ticket))
    assert response.status_code == 200
    return response.content.decode()


def key_in(page: str) -> str:
    found = re.search(r'name="key" value="([^"]+)"', page)
    assert found
    return found[1]


def send(client: Client, ticket: Ticket, text: str, key: str = "k1") -> Any:
    return client.post(follow_path(ticket), {"text": text, "key": key})


def test_page_tells_where_the_ticket_stands(client, ticket):
    page = page_of(client, ticket)

    assert ticket.number in page
    assert "Reçue, pas encore prise en charge" in page
    assert full_moment(ticket.first_answer_due_at) in page
    assert "Canapé OSLO" in page
    assert "L217-3" in page
    secrets = rf'{re.escape(sign_token(ticket.number))}| value="[^"]*"'
    for word in ("P1", "P2", "P3", "points", "Dossiers", "camille@example.test"):
        assert word not in re.sub(secrets, "", page)


def test_page_shows_what_was_said_and_no_note(client, ticket, claire):
    reply(ticket.pk, "Bonjour <b>\n\nÀ mardi.", claire)
    add_note(ticket.pk, "Client difficile", claire)
    add_customer_message(ticket.pk, "Merci", "k1")
    change_state(ticket.pk, State.RESOLVED, claire)
    page = page_of(client, ticket)

    assert "Bonjour &lt;b&gt;" in page
    assert "Claire" in page
    assert "Merci" in page
    assert page.count("Résolue") == 2  # where it stands, and when it came there
    for hidden in ("difficile", "claire42", "Petit", "en cours", "→"):
        assert hidden not in page


def test_answer_of_a_customer_is_kept_once(client, ticket):
    key = key_in(page_of(client, ticket))
    answers = [send(client, ticket, " Le pied\r\naussi. ", key) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == f"{follow_path(ticket)}#fil"
    assert [entry.text for entry in ticket.entries.filter(kind="customer")] == ["Le pied\naussi."]


def test_answer_needs_the_token_of_the_form(ticket):
    client = Client(enforce_csrf_checks=True)
    assert send(client, ticket, "Bonjour").status_code == 403

    page = page_of(client, ticket)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    data = {"text": "Bonjour", "key": key_in(page), "csrfmiddlewaretoken": token[1]}
    assert client.post(follow_path(ticket), data).status_code == 302


@pytest.mark.parametrize("text, status", [("  ", 422), ("x" * 4001, 422), ("x" * 4000, 302)])
def test_what_cannot_be_kept_is_given_back(client, ticket, text, status):
    answer = send(client, ticket, text)

    assert answer.status_code == status
    if status == 422 and text.strip():
        assert text in answer.content.decode()
    assert ticket.entries.filter(kind="customer").exists() == (status == 302)


def test_too_many_answers_are_told_to_wait(client, ticket, settings):
    settings.ENV = replace(settings.ENV, chat_rate_per_minute=2)
    answers = [send(client, ticket, f"Message {n}", f"k{n}") for n in range(3)]

    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert 1 <= int(answers[2]["Retry-After"]) <= 60
    assert "Message 2" in answers[2].content.decode()
    assert key_in(answers[2].content.decode()) == "k2"
    assert ticket.entries.filter(kind="customer").count() == 2


def test_closed_ticket_says_so_and_takes_nothing(client, ticket, claire):
    change_state(ticket.pk, State.CLOSED, claire)
    page = page_of(client, ticket)
    refused = send(client, ticket, "Encore un mot")

    assert "Cette demande est close" in page
    assert "<form" not in page
    assert refused.status_code == 409
    assert "Encore un mot" in refused.content.decode()


def test_late_answer_is_admitted(client, ticket, claire):
    Ticket.objects.update(first_answer_due_at=timezone.now() - timedelta(minutes=1))
    assert "vous prions de nous en excuser" in page_of(client, ticket)

    reply(ticket.pk, "Pardon", claire)
    assert "excuser" not in page_of(client, ticket)


def test_forged_and_unknown_links_look_alike(client, ticket):
    unknown = reverse("chat:ticket", args=[sign_token("SAV-2020-00001")])
    paths = [f"/suivi/{token}/" for token in forged() if token and "/" not in token]
    answers = [client.get(path) for path in (unknown, *paths)]
    posted = client.post(unknown, {"text": "x"})

    assert {answer.status_code for answer in (*answers, posted)} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert "SAV-" not in answers[0].content.decode()


def test_page_is_kept_nowhere_and_found_by_nobody(client, ticket):
    answer = client.get(follow_path(ticket))

    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert '<meta name="robots" content="noindex, nofollow">' in answer.content.decode()
    assert answer["Referrer-Policy"] == "same-origin"


def test_other_methods_are_refused(client, ticket):
    answer = client.put(follow_path(ticket))

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD, POST"


def test_database_away_is_said(client, ticket):
    with refusing('FROM "chat_ticket"', OperationalError("a secret address")):
        answer = client.get(follow_path(ticket))

    assert answer.status_code == 503
    assert answer["Retry-After"] == "60"
    assert "ne peut pas être lue" in answer.content.decode()
    assert "secret" not in answer.content.decode()


def test_words_are_given_back_when_the_database_leaves_meanwhile(client, ticket):
    with refusing('INSERT INTO "chat_ticketentry"'):
        answer = send(client, ticket, "Un long message", "k7")

    assert answer.status_code == 503
    assert "Un long message" in answer.content.decode()
    assert key_in(answer.content.decode()) == "k7"


def test_no_log_holds_a_link_that_works(client, ticket, settings, replace_parts, caplog):
    settings.ENV = replace(settings.ENV, follow_link_days=90)
    with caplog.at_level(logging.DEBUG):
        send(client, ticket, "  ")
        client.put(follow_path(ticket))
        replace_parts(CLOCK.to(FixedClock(ticket.opened_at + timedelta(days=91))))
        gone = client.get(follow_path(ticket))

    assert gone.status_code == 404
    assert sign_token(ticket.number or "").rpartition(":")[2] not in caplog.text


def test_page_shows_the_photos_that_went_with_the_ticket(client, ticket):
    photo = Photo.objects.create(
        session_ref="0" * 16,
        ticket_number=ticket.number,
        slot=0,
        name="one.jpg",
        width=60,
        height=40,
        bytes=9,
        sha256="0" * 64,
    )
    Photo.objects.create(
        session_ref="1" * 16, slot=0, name="two", width=60, height=40, bytes=9, sha256="1" * 64
    )

    page = page_of(client, ticket)

    assert page.count(f"/photos/{photo.pk}/?s=") == 2
    assert page.count("/photos/") == 2
