"""A ticket comes to exist: once for each form that its customer validated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from chat.orders.models import OrderLine
from chat.orders.queries import find_order
from chat.shop import PARIS
from chat.tickets import outbox
from chat.tickets.cards import Applies
from chat.tickets.deadline import deadline
from chat.tickets.forms import Step, TicketForm
from chat.tickets.models import Ticket, TicketEntry
from chat.tickets.open_hours import risk_starts
from chat.tickets.priority import Assessment, Case, assess
from chat.tickets.problems import components_in, problem_in, severity_in
from chat.tickets.warranty import commercial_guarantee

#: For one e-mail address: whoever opens more in somebody's name fills their letter box.
MAX_A_DAY = 10
MAX_DANGER_CHARS = 60


class Incomplete(Exception):
    """The form still lacks something. ``step``: what is to be asked."""

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.step = step


class TooManyTickets(Exception):
    """This address had ``MAX_A_DAY`` tickets within a day; the text says so in French."""

    def __init__(self) -> None:
        super().__init__(
            "Trop de demandes ont été ouvertes avec cette adresse aujourd'hui. "
            "Répondez à l'une d'elles, ou appelez le magasin."
        )


@dataclass(frozen=True, slots=True)
class _Bought:
    """What the shop itself knows of the purchase; nothing unless the order is theirs."""

    is_theirs: bool = False
    delivered_on: date | None = None
    value_cents: int | None = None


def open_ticket(form: TicketForm, session_ref: str) -> tuple[Ticket, bool]:
    """Return the ticket of this form, and whether this very call made it.

    The row, its history and the e-mails to the customer and to the shop are written together
    or not at all. However often the same form is validated, one ticket exists: the first one,
    whatever the form says by then.

    Raises:
        Incomplete:
        TooManyTickets:
        django.db.Error: nothing was made; the same form may be tried again.
    """
    existing = Ticket.objects.filter(form_id=form.id).first()
    if existing is not None:
        return existing, False
    if not form.is_complete:
        raise Incomplete(form.step)
    opened_at = timezone.now()
    since = opened_at - timedelta(days=1)
    if Ticket.objects.filter(email=form.email, opened_at__gt=since).count() >= MAX_A_DAY:
        raise TooManyTickets
    try:
        with transaction.atomic():
            return _make(form, session_ref, opened_at), True
    except IntegrityError:  # validated twice at once
        existing = Ticket.objects.filter(form_id=form.id).first()
        if existing is None:
            raise
        return existing, False


def _make(form: TicketForm, session_ref: str, opened_at: datetime) -> Ticket:
    today = opened_at.astimezone(PARIS).date()
    bought = _bought(form)
    said = date.fromisoformat(form.delivered_on) if form.delivered_on else None
    delivered_on = bought.delivered_on or said
    assessment = _assess(form, bought, delivered_on, today)
    ticket = Ticket.objects.create(
        form_id=form.id,
        session_ref=session_ref,
        priority=assessment.priority,
        points=assessment.points,
        breakdown=[[reason.label, reason.points] for reason in assessment.breakdown],
        danger=assessment.danger[:MAX_DANGER_CHARS],
        problem=problem_in(form.words),
        severity=severity_in(form.words),
        words=form.words,
        product_reference=form.product_reference,
        product_name=form.product_name,
        order_number=form.order_number,
        order_is_theirs=bought.is_theirs,
        delivered_on=delivered_on,
        customer_name=form.customer_name,
        email=form.email,
        opened_at=opened_at,
        first_answer_risk_at=risk_starts(opened_at, assessment.priority),
        first_answer_due_at=deadline(opened_at, assessment.priority),
    )
    ticket.number = f"SAV-{today.year}-{ticket.pk:05d}"
    ticket.save(update_fields=["number"])
    TicketEntry.objects.create(
        ticket=ticket,
        at=opened_at,
        kind=TicketEntry.Kind.OPENED,
        text="Demande validée par le client dans la conversation.",
        key=f"opened:{ticket.pk}",
    )
    outbox.queue_opened(ticket)
    return ticket


def _assess(
    form: TicketForm, bought: _Bought, delivered_on: date | None, today: date
) -> Assessment:
    return assess(
        Case(
            problem=problem_in(form.words),
            severity=severity_in(form.words),
            words=form.words,
            days_since_delivery=(today - delivered_on).days if delivered_on else None,
            under_guarantee=_under_guarantee(form.words, delivered_on, today),
            earlier_tickets=Ticket.objects.filter(email=form.email).count(),
            value_cents=bought.value_cents,
        )
    )


def _under_guarantee(words: str, delivered_on: date | None, today: date) -> bool | None:
    """Return whether one of the parts named is under guarantee; None when nothing says."""
    cards = [
        commercial_guarantee(part, delivered_on, today, words) for part in components_in(words)
    ]
    applies = {card.applies for card in cards}
    if Applies.YES in applies:
        return True
    return None if not applies or Applies.UNKNOWN in applies else False


def _bought(form: TicketForm) -> _Bought:
    """Look the order up with the e-mail as its proof: a number alone may be anybody's."""
    order = find_order(form.order_number, [form.email]) if form.order_number else None
    if order is None:
        return _Bought()
    lines = list(OrderLine.objects.filter(order=order))
    of_piece = [line for line in lines if line.product_reference == form.product_reference]
    # An order of one article leaves no doubt about which is meant.
    line = next(iter(of_piece or (lines if len(lines) == 1 else [])), None)
    delivered_at = order.delivered_at
    return _Bought(
        is_theirs=True,
        delivered_on=delivered_at.astimezone(PARIS).date() if delivered_at else None,
        value_cents=line.unit_price_cents * line.quantity if line else None,
    )
