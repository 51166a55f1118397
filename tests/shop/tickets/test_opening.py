from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, OperationalError, connections
from django.utils import timezone

from chat.core.clock import CLOCK
from chat.shop import hours
from chat.shop.orders.loader import load_orders
from chat.shop.orders.models import Order
from chat.shop.tickets.deadline import deadline
from chat.shop.tickets.draft import Step, TicketDraft
from chat.shop.tickets.models import OutgoingMail, Ticket, TicketEntry
from chat.shop.tickets.opening import MAX_A_DAY, Incomplete, TooManyTickets, open_ticket
from chat.shop.tickets.priority import Priority
from devtools.demo.data import DEMO_ORDERS
from tests.database import refusing
from tests.runtime import FixedClock
from tests.shop.tickets.builders import COMPLETE, DANGER, REF, complete, opened

pytestmark = pytest.mark.django_db

QUEUEING = 'INSERT INTO "chat_outgoingmail"'


def test_ticket_holds_what_the_form_says():
    ticket = opened(product_reference="SAL-CAP-001")

    assert re.fullmatch(r"SAV-20\d\d-\d{5,}", ticket.number or "")
    assert (ticket.number or "").endswith(f"-{ticket.pk:05d}")
    assert str(timezone.localdate().year) in (ticket.number or "")
    assert (ticket.words, ticket.email) == (COMPLETE["words"], COMPLETE["email"])
    assert (ticket.session_ref, ticket.state) == (REF, "new")
    ticket.refresh_from_db()
    ticket.full_clean(exclude=["customer_name"])


def test_form_validated_again_and_again_is_one_ticket():
    form = complete()
    first, created = open_ticket(form, REF)
    others = [open_ticket(form.with_fields({"words": f"Autre {n}"}), REF) for n in range(5)]

    assert created
    assert {ticket.pk for ticket, _ in others} == {first.pk}
    assert not any(is_new for _, is_new in others)
    assert Ticket.objects.get().words == COMPLETE["words"]
    assert OutgoingMail.objects.filter(key__startswith="opened:").count() == 1
    assert TicketEntry.objects.count() == 1


@pytest.mark.parametrize("lacking", ["words", "product_name", "delivered_on", "email"])
def test_incomplete_form_makes_nothing(lacking):
    form = TicketDraft.new().with_fields({**COMPLETE, lacking: ""})
    with pytest.raises(Incomplete) as refused:
        open_ticket(form, REF)

    assert refused.value.step is form.step is not Step.RECAP
    assert not Ticket.objects.exists()


def test_danger_is_p0_by_itself_with_its_word_and_points():
    ticket = opened(words=DANGER)

    assert ticket.priority == Priority.P0
    assert ticket.danger == "effondre"
    assert sum(points for _, points in ticket.breakdown) == ticket.points
    assert ["Problème : structure", 30] in ticket.breakdown


@pytest.mark.parametrize(
    "words, delivered, priority",
    [
        # 25 + 20 + 8 or more + 15 + 10 + 2 over 65; 10 + 5 + 5 + 5 + 10 + 2 under 45.
        ("Le moteur relax est en panne", "today", "P1"),
        ("Le moteur fait du bruit", "today", "P1"),
        ("Les coussins s'affaissent un peu", "today", "P1"),
        ("Une odeur de neuf", "2020-01-01", "P3"),
        ("Le tissu bouloche", "2020-01-01", "P3"),
    ],
)
def test_priority_follows_the_points(words, delivered, priority):
    day = timezone.localdate().isoformat() if delivered == "today" else delivered
    ticket = opened(words=words, delivered_on=day)

    assert (ticket.priority, ticket.points) == (
        priority,
        sum(points for _, points in ticket.breakdown),
    )


def test_earlier_tickets_of_the_address_count():
    labels = [
        next(row for row in opened().breakdown if row[0].startswith("Dossiers")) for _ in range(4)
    ]

    assert labels == [[f"Dossiers précédents : {n}", p] for n, p in enumerate((10, 8, 5, 3))]
    other = opened(email="jean@example.test")
    assert ["Dossiers précédents : 0", 10] in other.breakdown


def test_deadline_is_counted_in_hours_of_opening(replace_parts):
    saturday = datetime(2026, 11, 21, 18, tzinfo=hours.PARIS)
    replace_parts(CLOCK.to(FixedClock(saturday)))
    ticket = opened(words=DANGER)

    assert ticket.first_answer_due_at == datetime(2026, 11, 23, 13, tzinfo=hours.PARIS)
    assert ticket.first_answer_risk_at == datetime(2026, 11, 23, 12, tzinfo=hours.PARIS)
    assert ticket.first_answer_due_at == deadline(saturday, Priority.P0)


def test_number_has_the_year_of_the_shop(replace_parts):
    eve = datetime.fromisoformat("2026-12-31T23:30:00+00:00")
    replace_parts(CLOCK.to(FixedClock(eve)))

    assert (opened().number or "").startswith("SAV-2027-")


def test_order_of_the_same_address_gives_date_and_value():
    load_orders(DEMO_ORDERS)
    order = Order.objects.get(number="CMD-2025-54321")
    given = {"order_number": order.number, "delivered_on": ""}
    theirs = opened(**given, email=order.email.upper())
    anybody = opened(**given, email="zoe@example.test")

    assert order.delivered_at is not None
    assert (theirs.order_is_theirs, anybody.order_is_theirs) == (True, False)
    assert theirs.delivered_on == order.delivered_at.astimezone(hours.PARIS).date()
    assert anybody.delivered_on is None
    assert ["Valeur : inconnue", 2] in anybody.breakdown


def test_price_of_the_piece_weighs():
    load_orders(DEMO_ORDERS)
    order = Order.objects.get(number="CMD-2025-54321")
    line = order.lines.first()
    assert line is not None
    ticket = opened(
        order_number=order.number, email=order.email, product_reference=line.product_reference
    )

    euros = line.unit_price_cents * line.quantity // 100
    assert f"Valeur : {euros} €" in [label for label, _ in ticket.breakdown]


def test_nothing_is_left_when_the_mail_cannot_be_written():
    form = complete()
    with refusing(QUEUEING), pytest.raises(OperationalError):
        open_ticket(form, REF)
    assert not Ticket.objects.exists()
    assert not TicketEntry.objects.exists()

    assert open_ticket(form, REF)[1]


def test_another_conflict_is_not_taken_for_a_ticket():
    conflict = IntegrityError("another")
    with refusing(QUEUEING, conflict), pytest.raises(IntegrityError, match="another"):
        open_ticket(complete(), REF)


def test_one_address_gets_a_bounded_number_a_day():
    for _ in range(MAX_A_DAY):
        form = complete()
        open_ticket(form, REF)
    with pytest.raises(TooManyTickets):
        opened()

    assert not open_ticket(form, REF)[1]  # the old one is still found
    opened(email="jean@example.test")
    Ticket.objects.update(opened_at=timezone.now() - timedelta(days=1, minutes=1))
    opened()


@pytest.mark.django_db(transaction=True)
def test_form_validated_by_many_at_once_is_one_ticket():
    form = complete()
    start = threading.Barrier(8)

    def press(_: int) -> tuple[int, bool]:
        start.wait()
        try:
            ticket, created = open_ticket(form, REF)
            return ticket.pk, created
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(press, range(8)))

    assert len({pk for pk, _ in found}) == 1
    assert sum(created for _, created in found) == 1
    assert TicketEntry.objects.count() == 1
    assert OutgoingMail.objects.count() == 2  # to the customer and to the shop
