"""An order of the customer: its articles, its dates, whether it was delivered."""

from __future__ import annotations

import math

from chat import shop
from chat.assistant.tools.customer_words import wrote, wrote_number
from chat.assistant.tools.types import BadArguments, Tool
from chat.orders.lookup import FoundOrder, TooManyTries, look_up_order
from chat.orders.numbers import read_number
from chat.sessions.types import JSON, Session

#: Also the longest e-mail there is.
MAX_PROOF_CHARS = 254

ASK_NUMBER = "Il faut le numéro de la commande, comme CMD-2025-54321, écrit par le client."
ASK_PROOF = (
    "Il faut aussi, écrits par le client, l'adresse e-mail ou le code postal donnés à l'achat."
)
#: The same for an unknown number and for a wrong proof.
NOT_FOUND = (
    "Aucune commande ne correspond à ce numéro avec cette adresse e-mail ou ce code postal. "
    "Il faut vérifier les deux, ou voir avec un conseiller."
)


async def _run(arguments: JSON, session: Session) -> JSON:
    number = number_written(arguments.get("order_number"), session)
    given = [arguments.get("email"), arguments.get("postcode")]
    proofs = [proof.strip() for proof in given if isinstance(proof, str) and proof.strip()]
    if not proofs or any(len(proof) > MAX_PROOF_CHARS for proof in proofs):
        raise BadArguments(ASK_PROOF)
    if not all(wrote(session, proof) for proof in proofs):
        raise BadArguments(ASK_PROOF)
    return _said(await order_proved(session, number, proofs))


def number_written(value: object, session: Session) -> str:
    """Return the canonical number, which the customer must have written.

    Raises:
        BadArguments: it is none, or the model's own.
    """
    number = read_number(value) if isinstance(value, str) else None
    if number is None or not wrote_number(session, number):
        raise BadArguments(ASK_NUMBER)
    return number


async def order_proved(session: Session, number: str, proofs: list[str]) -> FoundOrder:
    """Return the order that the proofs open.

    Raises:
        BadArguments: there is none, or too many wrong proofs were tried.
    """
    try:
        order = await look_up_order(session.id, number, proofs)
    except TooManyTries as error:
        minutes = math.ceil(error.retry_after_s / 60)
        raise BadArguments(
            f"Trop d'essais pour cette commande : il faut attendre {minutes} min, ou voir avec un "
            "conseiller."
        ) from error
    if order is None:
        raise BadArguments(NOT_FOUND)
    return order


def _said(order: FoundOrder) -> JSON:
    delivered_at = order.delivered_at
    result: JSON = {
        "order_number": order.number,
        "status": "livrée" if delivered_at else "pas encore livrée",
        "ordered_on": order.ordered_at.astimezone(shop.PARIS).date().isoformat(),
        "delivered_on": (
            delivered_at.astimezone(shop.PARIS).date().isoformat() if delivered_at else None
        ),
        "bought": "à distance" if order.is_distance_sale else "en magasin",
        "source": f"Commande {order.number}",
    }
    result["items"] = [
        {"name": line.name, "reference": line.reference, "quantity": line.quantity}
        for line in order.lines
    ]
    if order.more_lines:
        result["more_items"] = order.more_lines
    return result


TOOL = Tool(
    name="find_order",
    label="Recherche de votre commande…",
    description="Articles, dates et livraison d'une commande du client. Il faut le numéro et, "
    "comme preuve, l'e-mail ou le code postal de l'achat, tels que le client les a écrits.",
    parameters={
        "type": "object",
        "properties": {
            "order_number": {"type": "string", "description": "Comme CMD-2025-54321."},
            "email": {"type": ["string", "null"], "description": "E-mail de l'achat."},
            "postcode": {"type": ["string", "null"], "description": "Code postal de l'achat."},
        },
        "required": ["order_number", "email", "postcode"],
        "additionalProperties": False,
    },
    run=_run,
)
