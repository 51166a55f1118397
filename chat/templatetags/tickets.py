"""After-sales tickets on pages that are not theirs."""

from __future__ import annotations

from typing import Any

from django import template
from django.db import Error as DatabaseFailure

from chat.shop.tickets.queries import counts

register = template.Library()


@register.inclusion_tag("admin/tickets/_cards.html", takes_context=True)
def ticket_cards(context: template.Context) -> dict[str, Any]:
    """``{% ticket_cards %}``: what waits, for staff who may see tickets; nothing for others."""
    user = context["request"].user
    if not (user.is_staff and user.has_perm("chat.view_ticket")):
        return {"may_see_tickets": False}
    try:
        return {"may_see_tickets": True, "tickets": counts(user.pk)}
    except DatabaseFailure:
        return {"may_see_tickets": True, "tickets": None}
