"""How an after-sales request stands: one of this conversation, or one whose e-mail is given."""

from __future__ import annotations

import math

from chat.assistant.tools.customer_words import customer_texts, wrote_email
from chat.assistant.tools.types import BadArguments, Tool, ToolContext
from chat.conversations.types import Session
from chat.core.ids import ref_of
from chat.core.json import JSON
from chat.shop.orders.attempts import note_wrong, one_at_a_time, wait_before_trying
from chat.shop.orders.proof import plain_proof
from chat.shop.tickets.status import aof_conversation, aproved, numbers_in

MAX_EMAIL_CHARS = 254

ASK_NUMBER = "Il faut le numéro de la demande, comme SAV-2026-00042, écrit par le client."
ASK_EMAIL = "Il faut aussi l'adresse e-mail donnée pour cette demande, écrite par le client."
#: The same for an unknown number and for a wrong e-mail.
NOT_FOUND = (
    "Aucune demande ne correspond à ce numéro avec cette adresse e-mail. Il faut vérifier les "
    "deux, ou voir avec un conseiller."
)


async def _run(arguments: JSON, context: ToolContext) -> JSON:
    session = context.session
    own = await aof_conversation(ref_of(session.id))
    number = _number(arguments.get("ticket_number"), session)
    if number is None:
        if own:
            return {"tickets": own}
        raise BadArguments(ASK_NUMBER)
    found = next((ticket for ticket in own if ticket["number"] == number), None)
    return {"tickets": [found or await _proved(number, arguments.get("email"), context)]}


def _number(value: object, session: Session) -> str | None:
    """Return the canonical number, which the customer must have written; None for none."""
    if value is None:
        return None
    found = numbers_in(value) if isinstance(value, str) else ()
    if len(found) != 1 or all(found[0] not in numbers_in(t) for t in customer_texts(session)):
        raise BadArguments(ASK_NUMBER)
    return found[0]


async def _proved(number: str, email: object, context: ToolContext) -> JSON:
    """Return the ticket that the e-mail opens; wrong ones are counted with those for orders.

    Raises:
        BadArguments: there is none, or too many were tried.
    """
    session, address = context.session, context.address
    if (
        not isinstance(email, str)
        or len(email) > MAX_EMAIL_CHARS
        or not wrote_email(session, email)
    ):
        raise BadArguments(ASK_EMAIL)
    guesses = [plain_proof(email)]
    async with one_at_a_time(session.id, address):
        wait_s = await wait_before_trying(session.id, number, guesses, address)
        if wait_s:
            raise BadArguments(
                f"Trop d'essais : il faut attendre {math.ceil(wait_s / 60)} min, ou voir avec un "
                "conseiller."
            )
        ticket = await aproved(number, [email])
        if ticket is None:
            await note_wrong(session.id, number, guesses, address)
            raise BadArguments(NOT_FOUND)
    return dict(ticket)


TOOL = Tool(
    name="ticket_status",
    label="Recherche de votre demande…",
    description="Où en est une demande de service après-vente. Sans numéro : celles de cette "
    "conversation. Sinon le numéro et, comme preuve, l'e-mail de la demande, tels que le client "
    "les a écrits.",
    parameters={
        "type": "object",
        "properties": {
            "ticket_number": {"type": ["string", "null"], "description": "Comme SAV-2026-00042."},
            "email": {"type": ["string", "null"], "description": "E-mail de la demande."},
        },
        "required": ["ticket_number", "email"],
        "additionalProperties": False,
    },
    run=_run,
)
