"""What the staff do to a ticket on its page, form by form."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.http import QueryDict

from chat.shop.tickets import services
from chat.shop.tickets.models import CannedAnswer, Ticket
from chat.shop.tickets.priority import Priority
from chat.shop.tickets.services import BadText
from chat.shop.tickets.states import LABELS, State

if TYPE_CHECKING:
    from django.db.models import QuerySet

#: Does it, and returns what stands in the admin's log, "" when nothing was to be done.
Act = Callable[[Ticket, QueryDict, User], str]


def reply(ticket: Ticket, form: QueryDict, user: User) -> str:
    before = ticket.entries.count()
    services.reply(ticket.pk, form.get("text", ""), user, form.get("key"))
    return "Réponse envoyée au client." if ticket.entries.count() > before else ""


def note(ticket: Ticket, form: QueryDict, user: User) -> str:
    before = ticket.entries.count()
    services.add_note(ticket.pk, form.get("text", ""), user, form.get("key"))
    return "Note ajoutée." if ticket.entries.count() > before else ""


def state(ticket: Ticket, form: QueryDict, user: User) -> str:
    wanted = form.get("state", "")
    if wanted not in set(State):
        raise BadText("Choisissez un état.")
    done = services.change_state(ticket.pk, State(wanted), user)
    return f"État : {LABELS[State(wanted)]}." if done else ""


def assign(ticket: Ticket, form: QueryDict, user: User) -> str:
    wanted = form.get("adviser", "")
    adviser = next((one for one in advisers() if str(one.pk) == wanted), None)
    if wanted and adviser is None:
        raise BadText("Ce compte ne peut pas suivre de tickets.")
    if not services.assign(ticket.pk, adviser, user):
        return ""
    return f"Confié à {name_of(adviser)}." if adviser else "N’est plus confié à personne."


def priority(ticket: Ticket, form: QueryDict, user: User) -> str:
    wanted = form.get("priority", "")
    if wanted not in set(Priority):
        raise BadText("Choisissez une priorité.")
    done = services.change_priority(ticket.pk, Priority(wanted), user)
    return f"Priorité : {wanted}." if done else ""


def revoke(ticket: Ticket, form: QueryDict, user: User) -> str:
    done = services.revoke_link(ticket.pk, user, form.get("key"))
    return "Lien de suivi révoqué." if done else ""


def send_link(ticket: Ticket, form: QueryDict, user: User) -> str:
    done = services.send_new_link(ticket.pk, user, form.get("key"))
    return "Nouveau lien de suivi envoyé au client." if done else ""


ACTS: dict[str, Act] = {
    "reply": reply,
    "note": note,
    "state": state,
    "assign": assign,
    "priority": priority,
    "revoke_link": revoke,
    "send_link": send_link,
}


def advisers() -> list[User]:
    """Return who may be given a ticket: staff who may change one."""
    active: QuerySet[User] = get_user_model().objects.filter(is_active=True, is_staff=True)
    return [user for user in active.order_by("username") if user.has_perm("chat.change_ticket")]


def name_of(user: User) -> str:
    return user.get_full_name() or user.get_username()


def with_canned(ticket: Ticket, form: QueryDict) -> str:
    """Return what was typed with the chosen answer behind it, filled in."""
    chosen = form.get("canned", "")
    found = CannedAnswer.objects.filter(pk=chosen).first() if chosen.isdecimal() else None
    typed = form.get("text", "").replace("\r\n", "\n").strip()
    added = services.filled_in(found, ticket) if found else ""
    return "\n\n".join(part for part in (typed, added) if part)
