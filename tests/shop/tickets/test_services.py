from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connections

from chat.core.clock import CLOCK
from chat.shop.tickets.deadline import deadline
from chat.shop.tickets.models import CannedAnswer, OutgoingMail, Ticket, TicketEntry
from chat.shop.tickets.open_hours import risk_starts
from chat.shop.tickets.priority import Priority
from chat.shop.tickets.services import (
    BadText,
    add_customer_message,
    add_note,
    assign,
    change_priority,
    change_state,
    filled_in,
    reply,
)
from chat.shop.tickets.states import NotAllowed, State
from tests.runtime import FixedClock
from tests.shop.tickets.builders import opened

pytestmark = pytest.mark.django_db

KEY = "a-key-of-a-form"


@pytest.fixture
def claire(db: None) -> User:
    return User.objects.create_user("claire", first_name="Claire", last_name="Petit", is_staff=True)


@pytest.fixture
def ticket(db: None) -> Ticket:
    return opened()


def history(ticket: Ticket) -> list[tuple[str, str, str]]:
    return list(ticket.entries.order_by("pk").values_list("kind", "text", "state"))[1:]


def mails(ticket: Ticket) -> list[str]:
    kinds = ticket.mails.order_by("pk").values_list("key", flat=True)
    return [key.partition(":")[0] for key in kinds if not key.startswith("opened")]


def test_reply_is_told_answers_in_time_and_waits_for_the_customer(ticket, claire):
    entry = reply(ticket.pk, " Bonjour,\r\nvoici. ", claire, KEY)
    ticket.refresh_from_db()

    assert history(ticket) == [("reply", "Bonjour,\nvoici.", "waiting")]
    assert (ticket.state, ticket.adviser) == ("waiting", claire)
    assert ticket.first_answered_at == entry.at
    assert mails(ticket) == ["reply"]
    assert "voici." in OutgoingMail.objects.get(key=f"reply:{ticket.pk}:{entry.pk}").body


def test_reply_sent_twice_is_one(ticket, claire):
    first = reply(ticket.pk, "Bonjour", claire, KEY)
    change_state(ticket.pk, State.CLOSED, claire)

    assert reply(ticket.pk, "Bonjour encore", claire, KEY).pk == first.pk
    assert [kind for kind, _, _ in history(ticket)] == ["reply", "state"]
    assert mails(ticket) == ["reply"]


def test_first_answer_and_adviser_stay_the_first(ticket, claire):
    karim = User.objects.create_user("karim", is_staff=True)
    first = reply(ticket.pk, "Un", claire)
    reply(ticket.pk, "Deux", karim)
    ticket.refresh_from_db()

    assert (ticket.first_answered_at, ticket.adviser) == (first.at, claire)
    assert mails(ticket) == ["reply", "reply"]


def test_customer_reopens_what_was_resolved(ticket, claire):
    change_state(ticket.pk, State.RESOLVED, claire)
    add_customer_message(ticket.pk, "Pas pour moi", KEY)
    ticket.refresh_from_db()

    assert ticket.state == "in_progress"
    assert history(ticket)[-1] == ("customer", "Pas pour moi", "in_progress")
    assert mails(ticket) == ["resolved", "customer_wrote"]


def test_customer_of_a_new_ticket_leaves_it_new(ticket):
    add_customer_message(ticket.pk, "J'oubliais : le pied aussi.", KEY)
    ticket.refresh_from_db()

    assert ticket.state == "new"
    assert history(ticket) == [("customer", "J'oubliais : le pied aussi.", "")]


def test_customer_sending_twice_is_heard_once(ticket):
    for _ in range(3):
        add_customer_message(ticket.pk, "Bonjour", KEY)

    assert len(history(ticket)) == 1
    assert mails(ticket) == ["customer_wrote"]


def test_key_counts_within_one_ticket_and_one_kind(ticket, claire):
    other = opened()
    add_customer_message(ticket.pk, "Un", KEY)
    add_customer_message(other.pk, "Deux", KEY)
    reply(ticket.pk, "Trois", claire, KEY)
    add_note(ticket.pk, "Quatre", claire, KEY)
    add_note(ticket.pk, "Quatre", claire, KEY)
    add_customer_message(ticket.pk, "Cinq", f"opened:{other.pk}")
    add_customer_message(ticket.pk, "Six", "x" * 5000)

    assert [text for _, text, _ in history(ticket)] == ["Un", "Trois", "Quatre", "Cinq", "Six"]
    assert [text for _, text, _ in history(other)] == ["Deux"]


@pytest.mark.parametrize("text", ["", " \n\t", "\x00", "x" * 4001])
def test_what_cannot_be_taken_changes_nothing(ticket, claire, text):
    for write in (
        lambda: reply(ticket.pk, text, claire),
        lambda: add_customer_message(ticket.pk, text, KEY),
        lambda: add_note(ticket.pk, text, claire),
    ):
        with pytest.raises(BadText):
            write()
    assert history(ticket) == []


def test_closed_ticket_takes_no_more_words_but_notes(ticket, claire):
    change_state(ticket.pk, State.CLOSED, claire)
    for write in (
        lambda: reply(ticket.pk, "x", claire),
        lambda: add_customer_message(ticket.pk, "x", KEY),
        lambda: change_state(ticket.pk, State.IN_PROGRESS, claire),
    ):
        with pytest.raises(NotAllowed):
            write()
    add_note(ticket.pk, "Rappelé.", claire)
    ticket.refresh_from_db()

    assert [kind for kind, _, _ in history(ticket)] == ["state", "note"]
    assert ticket.closed_at is not None
    assert mails(ticket) == []


def test_change_of_state_is_said_once(ticket, claire):
    changes = [change_state(ticket.pk, State.RESOLVED, claire) for _ in range(2)]

    assert changes == [True, False]
    assert history(ticket) == [("state", "nouveau → résolu", "resolved")]
    assert mails(ticket) == ["resolved"]


def test_assignment_is_told_and_taken_back(ticket, claire):
    assert [assign(ticket.pk, one, claire) for one in (claire, claire, None)] == [
        *(True, False, True)
    ]
    assert [text for _, text, _ in history(ticket)] == [
        *("Confié à Claire Petit", "Confié à personne")
    ]


def test_deadline_follows_the_priority_until_somebody_answered(ticket, claire):
    opened_at = ticket.opened_at
    assert change_priority(ticket.pk, Priority.P0, claire)
    assert not change_priority(ticket.pk, Priority.P0, claire)
    ticket.refresh_from_db()
    assert ticket.first_answer_due_at == deadline(opened_at, Priority.P0)
    assert ticket.first_answer_risk_at == risk_starts(opened_at, Priority.P0)

    reply(ticket.pk, "Bonjour", claire)
    change_priority(ticket.pk, Priority.P3, claire)
    ticket.refresh_from_db()
    assert ticket.priority == "P3"
    assert ticket.first_answer_due_at == deadline(opened_at, Priority.P0)


def test_canned_answer_is_filled_in_once():
    ticket = Ticket(number="SAV-1", customer_name="{numero} {x}", product_name="OSLO")
    answer = CannedAnswer(text="{client}, {numero}, {produit}, {autre}, {0}")

    assert filled_in(answer, ticket) == "{numero} {x}, SAV-1, OSLO, {autre}, {0}"
    assert filled_in(answer, Ticket()) == "Madame, Monsieur, , votre meuble, {autre}, {0}"


@pytest.mark.django_db(transaction=True)
def test_many_who_write_at_once_are_all_heard_once_each():
    ticket = opened()
    claire = User.objects.create_user("claire", is_staff=True)
    start = threading.Barrier(6)

    def write(n: int) -> None:
        start.wait()
        try:
            add_customer_message(ticket.pk, f"Message {n % 3}", f"key-{n % 3}")
            reply(ticket.pk, f"Réponse {n % 2}", claire, f"key-{n % 2}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))

    texts = sorted(text for _, text, _ in history(ticket))
    assert texts == [*(f"Message {n}" for n in range(3)), "Réponse 0", "Réponse 1"]
    assert sorted(mails(ticket)) == ["customer_wrote"] * 3 + ["reply"] * 2
    first = TicketEntry.objects.filter(kind="reply").order_by("at").first()
    ticket.refresh_from_db()
    assert first is not None
    assert ticket.first_answered_at == first.at


def test_answer_after_the_deadline_is_late_for_ever(replace_parts, ticket, claire):
    late = ticket.first_answer_due_at + timedelta(minutes=1)
    replace_parts(CLOCK.to(FixedClock(late)))
    reply(ticket.pk, "Pardon", claire)
    ticket.refresh_from_db()

    assert ticket.first_answered_at > ticket.first_answer_due_at
