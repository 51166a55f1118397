"""What the admin shows of one ticket."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import User

from chat.core import clock
from chat.core.ids import new_id
from chat.shop.hours import PARIS
from chat.shop.photos.queries import evidence_state
from chat.shop.tickets import services, states
from chat.shop.tickets.law import hidden_defects, legal_conformity
from chat.shop.tickets.models import CannedAnswer, Ticket
from chat.shop.tickets.phrases import full_moment
from chat.shop.tickets.priority import Priority
from chat.shop.tickets.problems import components_in, evidence_for, problem_in
from chat.shop.tickets.queries import link_expires_at, photos_for, urgency
from chat.shop.tickets.rules import AppliedRule
from chat.shop.tickets.warranty import commercial_guarantee
from chat.web.desk.admin import ticket_actions


def context_of(ticket: Ticket, user: User) -> dict[str, Any]:
    """Return the facts, the history, and what may be done next."""
    state = states.State(ticket.state)
    asked = evidence_for(problem_in(ticket.words))
    photos = photos_for(ticket)
    return {
        "ticket": ticket,
        "urgency": urgency(ticket, clock.now()),
        "due": full_moment(ticket.first_answer_due_at),
        "answered": full_moment(ticket.first_answered_at) if ticket.first_answered_at else "",
        "evidence": evidence_state(asked.photos, asked.videos, len(photos)),
        "showing": asked.showing,
        "photos": photos,
        "cards": _cards(ticket),
        "entries": list(ticket.entries.select_related("by").order_by("at", "pk")),
        "mails": list(ticket.mails.order_by("created_at", "pk")),
        "earlier": _earlier(ticket),
        "link_until": link_expires_at(ticket),
        "link_expired": _is_past(link_expires_at(ticket)),
        "states": [(one.value, states.LABELS[one]) for one in states.may_become(state)],
        "priorities": list(Priority),
        "advisers": [(one.pk, ticket_actions.name_of(one)) for one in ticket_actions.advisers()],
        "canned": _canned(ticket, user),
        "key": new_id(),
        "max_chars": services.MAX_TEXT_CHARS,
        "typed": {},
    }


def _cards(ticket: Ticket) -> list[AppliedRule]:
    """What the shop and the law owe for this problem as of its opening."""
    on: date = ticket.opened_at.astimezone(PARIS).date()
    delivered_on = ticket.delivered_on
    parts = components_in(ticket.words)
    return [
        *(commercial_guarantee(part, delivered_on, on, ticket.words) for part in parts),
        legal_conformity(delivered_on, on, ticket.words),
        hidden_defects(on, on, delivered_on),
    ]


def _is_past(moment: datetime | None) -> bool:
    return moment is not None and moment <= clock.now()


def _earlier(ticket: Ticket) -> list[Ticket]:
    others = Ticket.objects.filter(email=ticket.email).exclude(pk=ticket.pk)
    return list(others.order_by("-opened_at")[:10])


def _canned(ticket: Ticket, user: User) -> list[tuple[int, str, str]]:
    if not user.has_perm("chat.view_cannedanswer"):
        return []
    return [
        (one.pk, one.title, services.filled_in(one, ticket)) for one in CannedAnswer.objects.all()
    ]
