"""Having an adviser of the shop called; the application itself tells the customer."""

from __future__ import annotations

from enum import StrEnum

from chat.assistant.tools.types import BadArguments, Tool, ToolContext
from chat.conversations.handover.advisers import ask_for_adviser
from chat.core.errors import SessionNotFound, StoreUnavailable
from chat.core.json import JSON


class HumanReason(StrEnum):
    WISH = "demande_du_client"
    COMPLAINT = "reclamation"
    BEYOND = "hors_competence"
    DANGER = "danger"
    OTHER = "autre"


#: The model says nothing of it being done: the application tells the customer.
_ASKED = (
    "L'information affichée dans la conversation dit quand une personne du magasin pourra vous "
    "répondre."
)
_KNOWN = (
    "L'information déjà affichée dans la conversation dit quand une personne du magasin pourra "
    "vous répondre."
)


async def _run(arguments: JSON, context: ToolContext) -> JSON:
    session = context.session
    try:
        reason = HumanReason(arguments.get("reason", ""))
    except ValueError as error:
        raise BadArguments(f"reason doit être l'un de : {', '.join(HumanReason)}.") from error
    try:
        await ask_for_adviser(session.id, session.owner, reason.value)
    except (SessionNotFound, StoreUnavailable):
        return {"error": "L'équipe n'a pas pu être prévenue ; réessayer dans un instant."}
    # As it was when the model was asked: a rule may have called an adviser beside this answer.
    return {"message": _ASKED if session.asked_at is None else _KNOWN}


TOOL = Tool(
    name="ask_for_human",
    label="Appel d'un conseiller…",
    description="Prévient un conseiller humain du magasin que ce client souhaite lui parler. "
    "À appeler dès que le client demande un humain, ou quand toi seul ne peux pas l'aider. "
    "Le logiciel dit lui-même au client quand quelqu'un répondra : ne promets aucun délai.",
    parameters={
        "type": "object",
        "properties": {
            "reason": {"type": "string", "enum": [reason.value for reason in HumanReason]}
        },
        "required": ["reason"],
        "additionalProperties": False,
    },
    run=_run,
)
