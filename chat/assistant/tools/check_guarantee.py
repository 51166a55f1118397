"""What the shop's guarantee and the law give a customer today, rule by rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from chat.assistant.tools.customer_words import proofs_written
from chat.assistant.tools.find_order import ASK_PROOF, number_written, order_proved
from chat.assistant.tools.types import BadArguments, Tool, ToolContext
from chat.core.clock import now
from chat.core.json import JSON
from chat.shop import hours
from chat.shop.orders.lookup import FoundOrder
from chat.shop.tickets.law import hidden_defects, legal_conformity, mediation, withdrawal
from chat.shop.tickets.problems import Component, components_in
from chat.shop.tickets.rules import AppliedRule, Applies
from chat.shop.tickets.warranty import commercial_guarantee

MAX_PROBLEM_CHARS = 500
FIRST_DAY = date(2000, 1, 1)
#: A delivery further ahead is no date that anybody was given.
MAX_DAYS_AHEAD = 730

_APPLIES = {Applies.YES: "oui", Applies.NO: "non", Applies.UNKNOWN: "à vérifier"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What rules are applied to. None where it is not known. ``known_from``: French."""

    delivered_on: date | None
    is_distance_sale: bool | None
    is_made_to_measure: bool | None
    components: tuple[Component, ...]
    known_from: str


async def _run(arguments: JSON, context: ToolContext) -> JSON:
    session = context.session
    today = now().astimezone(hours.PARIS).date()
    component = _component(arguments.get("component"))
    problem = _problem(arguments.get("problem"))
    if arguments.get("order_number") is not None:
        number = number_written(arguments["order_number"], session)
        proofs = list(proofs_written(session))
        if not proofs:
            raise BadArguments(ASK_PROOF)
        purchase = _of_order(await order_proved(context, number, proofs, arguments.get("name")))
    else:
        purchase = _of_words(arguments, today)
    parts = (component,) if component else components_in(problem) or purchase.components
    return _payload(purchase, parts, today, problem)


def _of_order(order: FoundOrder) -> Purchase:
    delivered_at = order.delivered_at
    measured = {line.made_to_measure for line in order.lines}
    named = {part for line in order.lines for part in line.components}
    return Purchase(
        delivered_on=delivered_at.astimezone(hours.PARIS).date() if delivered_at else None,
        is_distance_sale=order.is_distance_sale,
        is_made_to_measure=measured.pop() if len(measured) == 1 else None,
        components=tuple(part for part in Component if part in named) or tuple(Component),
        known_from=f"Commande {order.number}",
    )


def _of_words(arguments: JSON, today: date) -> Purchase:
    remote = arguments.get("bought_remotely")
    if remote is not None and not isinstance(remote, bool):
        raise BadArguments("bought_remotely doit être vrai, faux ou null.")
    delivered_on = _day(arguments.get("delivery_date"), today)
    return Purchase(
        delivered_on=delivered_on,
        is_distance_sale=remote,
        is_made_to_measure=None,
        components=tuple(Component),
        known_from="Date donnée par le client, à vérifier" if delivered_on else "Règles générales",
    )


def _payload(purchase: Purchase, parts: tuple[Component, ...], today: date, problem: str) -> JSON:
    delivered_on = purchase.delivered_on
    law = (
        legal_conformity(delivered_on, today, problem),
        hidden_defects(None, today, delivered_on),
        withdrawal(
            delivered_on,
            today,
            is_distance_sale=purchase.is_distance_sale,
            is_made_to_measure=purchase.is_made_to_measure,
        ),
        mediation(),
    )
    shown = [commercial_guarantee(part, delivered_on, today, problem) for part in parts]
    return {
        "delivered_on": delivered_on.isoformat() if delivered_on else None,
        "known_from": purchase.known_from,
        "commercial_guarantee": [_card(card) for card in shown],
        "law": [_card(card) for card in law],
        "sources": [_source(card) for card in (*shown, *law)],
    }


def _source(card: AppliedRule) -> JSON:
    return {
        "kind": "rule",
        "label": card.label,
        "ref": card.rule,
        "url": f"/garanties/#{card.rule}",
    }


def _card(card: AppliedRule) -> JSON:
    return {
        "rule": card.rule,
        "label": card.label,
        "applies": _APPLIES[card.applies],
        "ends_on": card.ends_on.isoformat() if card.ends_on else None,
        "why": card.why,
        "source": card.source,
    }


def _component(value: object) -> Component | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in set(Component):
        raise BadArguments(f"component doit être l'un de : {', '.join(Component)}, ou null.")
    return Component(value)


def _problem(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadArguments("problem doit être un texte ou null.")
    return value[:MAX_PROBLEM_CHARS]


def _day(value: object, today: date) -> date | None:
    if value is None:
        return None
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day <= today + timedelta(days=MAX_DAYS_AHEAD):
        raise BadArguments("delivery_date doit être une date comme 2025-03-12, ou null.")
    return day


TOOL = Tool(
    name="check_guarantee",
    label="Vérification de vos garanties…",
    description="Garantie commerciale et droits légaux à ce jour, avec source et date de fin. "
    "Donner le numéro d'une commande dont le client a aussi écrit l'e-mail, ou le code postal "
    "et le nom de famille ; sinon la date de livraison que le client dit, si elle est connue.",
    parameters={
        "type": "object",
        "properties": {
            "order_number": {"type": ["string", "null"], "description": "Comme CMD-2025-54321."},
            "name": {"type": ["string", "null"], "description": "Nom de famille de l'achat."},
            "delivery_date": {"type": ["string", "null"], "description": "Comme 2025-03-12."},
            "component": {
                "type": ["string", "null"],
                "enum": [*(part.value for part in Component), None],
            },
            "problem": {
                "type": ["string", "null"],
                "description": "Le problème, dans les mots du client.",
            },
            "bought_remotely": {
                "type": ["boolean", "null"],
                "description": "Vrai pour un achat en ligne ou par téléphone.",
            },
        },
        "required": [
            "order_number",
            "name",
            "delivery_date",
            "component",
            "problem",
            "bought_remotely",
        ],
        "additionalProperties": False,
    },
    run=_run,
)
