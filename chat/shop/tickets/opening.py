"""Creation of a ticket from a confirmed draft, exactly once per draft."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction

from chat.core import clock
from chat.shop.hours import PARIS
from chat.shop.orders.models import OrderLine
from chat.shop.orders.queries import find_order
from chat.shop.tickets import outbox
from chat.shop.tickets.deadline import deadline
from chat.shop.tickets.draft import Step, TicketDraft
from chat.shop.tickets.models import Ticket, TicketEntry
from chat.shop.tickets.open_hours import risk_starts
from chat.shop.tickets.priority import Assessment, Case, assess
from chat.shop.tickets.problems import components_in, problem_in, severity_in
from chat.shop.tickets.rules import Applies
from chat.shop.tickets.warranty import commercial_guarantee

#: Tickets per e-mail address and day, which bounds the e-mails sent to a stranger's address.
MAX_A_DAY = 10
MAX_DANGER_CHARS = 60


class Incomplete(Exception):
    """The draft is incomplete. ``step``: the next step of the dialogue."""

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.step = step


class TooManyTickets(Exception):
    """The e-mail address has ``MAX_A_DAY`` tickets within a day; the text is in French."""

    def __init__(self) -> None:
        super().__init__(
            "Trop de demandes ont été ouvertes avec cette adresse aujourd'hui. "
            "Répondez à l'une d'elles, ou appelez le magasin."
        )


@dataclass(frozen=True, slots=True)
class _Bought:
    """Facts of the purchase from the shop's orders; blank unless the order is the customer's."""

    is_theirs: bool = False
    delivered_on: date | None = None
    value_cents: int | None = None


def open_ticket(draft: TicketDraft, session_ref: str) -> tuple[Ticket, bool]:
    """Return the ticket of a draft, and whether this call created it.

    The row, its history and the e-mails to the customer and to the shop are written in one
    transaction. Idempotent per draft: later calls return the first ticket, even if the draft has
    changed.

    Raises:
        Incomplete: a required field is missing.
        TooManyTickets: too many for this e-mail address.
        django.db.Error: nothing was created; the call may be repeated.
    """
    existing = Ticket.objects.filter(form_id=draft.id).first()
    if existing is not None:
        return existing, False
    if not draft.is_complete:
        raise Incomplete(draft.step)
    opened_at = clock.now()
    since = opened_at - timedelta(days=1)
    if Ticket.objects.filter(email=draft.email, opened_at__gt=since).count() >= MAX_A_DAY:
        raise TooManyTickets
    try:
        with transaction.atomic():
            return _make(draft, session_ref, opened_at), True
    except IntegrityError:  # confirmed twice at the same time
        existing = Ticket.objects.filter(form_id=draft.id).first()
        if existing is None:
            raise
        return existing, False


def _make(draft: TicketDraft, session_ref: str, opened_at: datetime) -> Ticket:
    today = opened_at.astimezone(PARIS).date()
    bought = _bought(draft)
    said = date.fromisoformat(draft.delivered_on) if draft.delivered_on else None
    delivered_on = bought.delivered_on or said
    assessment = _assess(draft, bought, delivered_on, today)
    ticket = Ticket.objects.create(
        form_id=draft.id,
        session_ref=session_ref,
        priority=assessment.priority,
        points=assessment.points,
        breakdown=[[reason.label, reason.points] for reason in assessment.breakdown],
        danger=assessment.danger[:MAX_DANGER_CHARS],
        problem=problem_in(draft.words),
        severity=severity_in(draft.words),
        words=draft.words,
        product_reference=draft.product_reference,
        product_name=draft.product_name,
        order_number=draft.order_number,
        order_is_theirs=bought.is_theirs,
        delivered_on=delivered_on,
        customer_name=draft.customer_name,
        email=draft.email,
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
    draft: TicketDraft, bought: _Bought, delivered_on: date | None, today: date
) -> Assessment:
    return assess(
        Case(
            problem=problem_in(draft.words),
            severity=severity_in(draft.words),
            words=draft.words,
            days_since_delivery=(today - delivered_on).days if delivered_on else None,
            under_guarantee=_under_guarantee(draft.words, delivered_on, today),
            earlier_tickets=Ticket.objects.filter(email=draft.email).count(),
            value_cents=bought.value_cents,
        )
    )


def _under_guarantee(words: str, delivered_on: date | None, today: date) -> bool | None:
    """Return whether a component named in the text is under guarantee; None if unknown."""
    rules = [
        commercial_guarantee(part, delivered_on, today, words) for part in components_in(words)
    ]
    applies = {rule.applies for rule in rules}
    if Applies.YES in applies:
        return True
    return None if not applies or Applies.UNKNOWN in applies else False


def _bought(draft: TicketDraft) -> _Bought:
    """Look up the order with the e-mail as proof of ownership."""
    order = find_order(draft.order_number, [draft.email]) if draft.order_number else None
    if order is None:
        return _Bought()
    lines = list(OrderLine.objects.filter(order=order))
    of_piece = [line for line in lines if line.product_reference == draft.product_reference]
    # An order with a single article is unambiguous.
    line = next(iter(of_piece or (lines if len(lines) == 1 else [])), None)
    delivered_at = order.delivered_at
    return _Bought(
        is_theirs=True,
        delivered_on=delivered_at.astimezone(PARIS).date() if delivered_at else None,
        value_cents=line.unit_price_cents * line.quantity if line else None,
    )
