"""Filling in the form of an after-sales request. Only the customer's button makes it one."""

from __future__ import annotations

from typing import Any

from chat.assistant.ticket_draft import keep
from chat.assistant.tools import customer_words
from chat.assistant.tools.customer_words import proofs_written
from chat.assistant.tools.types import Tool, ToolContext
from chat.conversations.store.protocol import STORE, WEB_OWNER
from chat.conversations.types import Session
from chat.core.errors import ChatError
from chat.core.json import JSON
from chat.core.lookups import look_up
from chat.shop import hours
from chat.shop.catalog.queries import find_products
from chat.shop.orders.lookup import FoundOrder, TooManyTries, look_up_order
from chat.shop.orders.proof import is_email
from chat.shop.tickets.draft import BadField, TicketDraft
from chat.shop.tickets.draft_dialogue import (
    append_details,
    decode_draft,
    new_draft,
    next_text,
    with_values,
)
from chat.shop.tickets.problems import folded

#: The form may change between reading and writing, by a button.
_TRIES = 3
_AWAY = {"error": "La demande ne peut pas être préparée pour le moment ; réessayer bientôt."}
_ELSEWHERE = (
    "La demande est prête, mais elle ne se valide que sur la page de conversation du magasin : "
    "propose un conseiller."
)
_NOT_SAID = "Le client ne l'a pas écrit : demande-le-lui."


async def _run(arguments: JSON, context: ToolContext) -> JSON:
    session = context.session
    given, not_taken = _said_by_customer(arguments, session)
    try:
        for _ in range(_TRIES):
            now = await STORE.get().load(session.id, session.owner)
            before = decode_draft(now.form) or new_draft(now.form_version)
            form, wrong = _filled(before, given)
            form = await _completed(form, context)
            if (form == before and now.form is not None) or await keep(now, form):
                return _payload(before, form, {**not_taken, **wrong}, session)
    except ChatError:
        return _AWAY
    return _AWAY


def _said_by_customer(arguments: JSON, session: Session) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what may be kept of the arguments, and why not the rest, by name."""
    is_said = {
        "product": customer_words.wrote_words,
        "order_number": customer_words.wrote_order_number,
        "delivery_date": customer_words.wrote_day,
        "email": customer_words.wrote_email,
        "name": customer_words.wrote_words,
    }
    given: dict[str, Any] = {"no_order": arguments.get("no_order") is True}
    not_taken: dict[str, str] = {}
    problem = arguments.get("problem")
    if isinstance(problem, str) and problem.strip():
        given["words"] = customer_words.messages_quoted(session, problem)
        if not given["words"]:
            not_taken["problem"] = "Reprends mot pour mot ce que le client a écrit."
    for name, check in is_said.items():
        value = arguments.get(name)
        if not isinstance(value, str) or not value.strip():
            continue
        if check(session, value):
            given[_FIELDS[name]] = value
        else:
            not_taken[name] = _NOT_SAID
    return given, not_taken


_FIELDS = {
    "product": "product_name",
    "order_number": "order_number",
    "delivery_date": "delivered_on",
    "email": "email",
    "name": "customer_name",
}


def _filled(form: TicketDraft, given: dict[str, Any]) -> tuple[TicketDraft, dict[str, str]]:
    """Return the form with all that it takes, as one version more, and what it does not take."""
    words = append_details(form.words, given["words"]) if given.get("words") else ""
    taken = {"words": words, "no_order": given["no_order"]}
    wrong: dict[str, str] = {}
    for name in _FIELDS.values():
        try:
            form.with_fields({name: given.get(name)})
        except BadField as error:
            wrong[name] = str(error)
        else:
            taken[name] = given.get(name)
    return with_values(form, taken), wrong


async def _completed(form: TicketDraft, context: ToolContext) -> TicketDraft:
    """Return the form with what the shop knows: of the order, once proved, or of the product."""
    version = form.version
    order = await _order(form, context)
    if order is not None:
        form = form.with_fields(_of_order(order, form.product_name))
    if form.product_name and not form.product_reference:
        found = await look_up(find_products, form.product_name, 2)
        if len(found) == 1:
            form = form.with_fields({"product_reference": found[0].reference})
    return form if form.version == version else _one_more(form, version)


def _one_more(form: TicketDraft, version: int) -> TicketDraft:
    return TicketDraft.from_json({**form.to_json(), "version": version + 1})


async def _order(form: TicketDraft, context: ToolContext) -> FoundOrder | None:
    session = context.session
    proofs = proofs_written(session)
    is_known = form.product_reference and form.delivered_on
    if not form.order_number or not proofs or is_known:
        return None
    if not form.customer_name and not any(map(is_email, proofs)):
        return None  # a postcode alone proves nothing: it is looked up once the name is given
    try:
        return await look_up_order(
            session.id,
            form.order_number,
            proofs,
            form.customer_name,
            address=context.address,
        )
    except TooManyTries:
        return None


def _of_order(order: FoundOrder, product_name: str) -> dict[str, Any]:
    """Return what the order says: the day of delivery, and its article if there is no doubt."""
    delivered_at = order.delivered_at
    fields: dict[str, Any] = {
        "delivered_on": (
            delivered_at.astimezone(hours.PARIS).date().isoformat() if delivered_at else None
        )
    }
    wanted = set(folded(product_name).split())
    lines = [line for line in order.lines if wanted & set(folded(line.name).split())]
    if not product_name and not order.more_lines:
        lines = list(order.lines)
    if len(lines) == 1:
        fields |= {"product_name": lines[0].name, "product_reference": lines[0].reference}
    return fields


def _payload(
    before: TicketDraft, form: TicketDraft, not_taken: dict[str, str], session: Session
) -> JSON:
    is_elsewhere = form.is_complete and session.owner != WEB_OWNER
    result: JSON = {"message": _ELSEWHERE if is_elsewhere else next_text(before, form)}
    if not_taken:
        result["not_taken"] = not_taken
    return result


TOOL = Tool(
    name="prepare_ticket",
    label="Préparation de votre demande…",
    description="Prépare une demande de service après-vente (panne, casse, défaut, blessure) avec "
    "ce que le client a écrit, et lui seul. Ne crée rien : quand tout y est, le logiciel affiche "
    "un récapitulatif dont les boutons décident. Redis au client le message renvoyé, tel quel et "
    "en premier ; ne pose que sa question. N'annonce jamais qu'une demande est enregistrée.",
    parameters={
        "type": "object",
        "properties": {
            "problem": {
                "type": ["string", "null"],
                "description": "Le problème, mot pour mot comme le client l'a écrit.",
            },
            "product": {
                "type": ["string", "null"],
                "description": "Le meuble, comme le client l'appelle, ou sa référence.",
            },
            "order_number": {"type": ["string", "null"], "description": "Comme CMD-2025-54321."},
            "delivery_date": {"type": ["string", "null"], "description": "Comme 2025-03-12."},
            "email": {"type": ["string", "null"], "description": "E-mail écrit par le client."},
            "name": {"type": ["string", "null"], "description": "Nom que le client a donné."},
            "no_order": {
                "type": ["boolean", "null"],
                "description": "Vrai si le client dit n'avoir ni numéro ni date.",
            },
        },
        "required": [
            *("problem", "product", "order_number", "delivery_date", "email", "name", "no_order")
        ],
        "additionalProperties": False,
    },
    run=_run,
)
