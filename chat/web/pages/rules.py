"""The page of the rules that answers cite: the shop's guarantee and the law, in plain words."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chat.core.clock import now
from chat.shop import hours
from chat.shop.tickets.law import hidden_defects, legal_conformity, mediation, withdrawal
from chat.shop.tickets.problems import Component
from chat.shop.tickets.rules import AppliedRule
from chat.shop.tickets.warranty import EXCLUSIONS, YEARS, commercial_guarantees, exclusions_for
from chat.web.pages.counting import counted

CACHE_CONTROL = "public, max-age=300"
#: What a term is counted from, which a card without dates does not say.
_FROM = {
    "law.conformity": "à compter de la livraison",
    "law.hidden_defects": "à compter de la découverte du défaut",
    "law.withdrawal": "à compter de la livraison",
    "law.mediation": "après une réclamation écrite au magasin",
}
_COVERED = {
    Component.STRUCTURE: "la structure",
    Component.MECHANISM: "les mécanismes",
    Component.FABRIC: "les tissus",
    Component.CUSHIONS: "les coussins",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as the page shows it. ``id`` is what a citation's address ends with."""

    id: str
    label: str
    why: str
    source: str
    counted_from: str
    excluded: str = ""


@counted
@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """Show every rule, each under the address by which answers cite it."""
    today = now().astimezone(hours.PARIS).date()
    law = (
        legal_conformity(None, today),
        hidden_defects(None, today),
        withdrawal(None, today, is_distance_sale=None, is_made_to_measure=None),
        mediation(),
    )
    env = settings.ENV
    context = {
        "commercial": [_commercial(card) for card in commercial_guarantees(None, today)],
        "law": [_rule(card) for card in law],
        "shop_name": env.shop_name,
        "shop_phone": env.shop_phone,
        "shop_email": env.shop_email,
    }
    response = render(request, "chat/rules.html", context)
    response["Cache-Control"] = CACHE_CONTROL
    return response


def _rule(card: AppliedRule) -> Rule:
    why = card.why.replace(", dont la date manque", "")  # here nobody was asked for one
    return Rule(card.rule, card.label, why, card.source, _FROM[card.rule])


def _commercial(card: AppliedRule) -> Rule:
    component = next(part for part in YEARS if card.rule == f"commercial.{part}")
    why = f"Elle couvre {_COVERED[component]} pendant {YEARS[component]} ans."
    excluded = exclusions_for(component, "tache, accroc, brûlure, animal")
    known = ", ".join(name for name in EXCLUSIONS if name in excluded)
    return Rule(card.rule, card.label, why, card.source, "à compter de la livraison", known)
