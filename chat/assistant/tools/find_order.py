"""An order of the customer: its articles, its dates, whether it was delivered."""

from __future__ import annotations

import math

from chat.assistant.tools.customer_words import wrote, wrote_name, wrote_number
from chat.assistant.tools.types import BadArguments, Tool, ToolContext
from chat.conversations.types import Session
from chat.core.json import JSON
from chat.shop import hours
from chat.shop.orders.lookup import FoundOrder, TooManyTries, look_up_order
from chat.shop.orders.proof import is_email, read_number

#: Also the longest e-mail there is.
MAX_PROOF_CHARS = 254

ASK_NUMBER = "Il faut le numéro de la commande, comme CMD-2025-54321, écrit par le client."
ASK_PROOF = (
    "Il faut aussi, écrits par le client, l'adresse e-mail donnée à l'achat, ou le code postal "
    "avec le nom de famille."
)
#: Whatever the number and the postcode are: nothing was looked up.
ASK_NAME = (
    "Avec un code postal, il faut aussi le nom de famille donné à l'achat, écrit par le client "
    "(par exemple « au nom de Morel »), ou bien l'adresse e-mail."
)
#: The same for an unknown number and for a wrong proof.
NOT_FOUND = (
    "Aucune commande ne correspond à ce numéro avec cette adresse e-mail, ou avec ce code postal "
    "et ce nom. Il faut vérifier le numéro et le reste, ou voir avec un conseiller."
)


async def _run(arguments: JSON, context: ToolContext) -> JSON:
    session = context.session
    number = number_written(arguments.get("order_number"), session)
    given = [arguments.get("email"), arguments.get("postcode")]
    proofs = [proof.strip() for proof in given if isinstance(proof, str) and proof.strip()]
    if not proofs or any(len(proof) > MAX_PROOF_CHARS for proof in proofs):
        raise BadArguments(ASK_PROOF)
    if not all(wrote(session, proof) for proof in proofs):
        raise BadArguments(ASK_PROOF)
    return _payload(await order_proved(context, number, proofs, arguments.get("name")))


def number_written(value: object, session: Session) -> str:
    """Return the canonical number, which the customer must have written.

    Raises:
        BadArguments: it is none, or the model's own.
    """
    number = read_number(value) if isinstance(value, str) else None
    if number is None or not wrote_number(session, number):
        raise BadArguments(ASK_NUMBER)
    return number


async def order_proved(
    context: ToolContext, number: str, proofs: list[str], name: object
) -> FoundOrder:
    """Return the order that the proofs open. ``name``: the model's argument.

    Raises:
        BadArguments: there is none, a postcode lacks its name, or too many wrong proofs were
            tried.
    """
    session = context.session
    said = name if isinstance(name, str) and wrote_name(session, name) else ""
    if not said and not any(map(is_email, proofs)):
        raise BadArguments(ASK_NAME)
    try:
        order = await look_up_order(session.id, number, proofs, said, address=context.address)
    except TooManyTries as error:
        minutes = math.ceil(error.retry_after_s / 60)
        raise BadArguments(
            f"Trop d'essais : il faut attendre {minutes} min, ou voir avec un conseiller."
        ) from error
    if order is None:
        raise BadArguments(NOT_FOUND)
    return order


def _payload(order: FoundOrder) -> JSON:
    delivered_at = order.delivered_at
    result: JSON = {
        "order_number": order.number,
        "status": "livrée" if delivered_at else "pas encore livrée",
        "ordered_on": order.ordered_at.astimezone(hours.PARIS).date().isoformat(),
        "delivered_on": (
            delivered_at.astimezone(hours.PARIS).date().isoformat() if delivered_at else None
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
    "comme preuve, l'e-mail de l'achat, ou son code postal avec le nom de famille, tels que le "
    "client les a écrits.",
    parameters={
        "type": "object",
        "properties": {
            "order_number": {"type": "string", "description": "Comme CMD-2025-54321."},
            "email": {"type": ["string", "null"], "description": "E-mail de l'achat."},
            "postcode": {"type": ["string", "null"], "description": "Code postal de l'achat."},
            "name": {"type": ["string", "null"], "description": "Nom de famille de l'achat."},
        },
        "required": ["order_number", "email", "postcode", "name"],
        "additionalProperties": False,
    },
    run=_run,
)
