"""What the model may look up or do: one file a tool, all listed here."""

from __future__ import annotations

import asyncio
import json
import logging

from django.db import DatabaseError

from chat.assistant.tools import (
    ask_for_human,
    check_guarantee,
    find_order,
    prepare_ticket,
    product_details,
    search_products,
    shop_information,
    ticket_status,
)
from chat.assistant.tools.types import BadArguments, Tool, ToolContext
from chat.core.json import JSON
from chat.core.runtime import Part

logger = logging.getLogger(__name__)

TOOLS: tuple[Tool, ...] = (
    shop_information.TOOL,
    search_products.TOOL,
    product_details.TOOL,
    ask_for_human.TOOL,
    find_order.TOOL,
    check_guarantee.TOOL,
    prepare_ticket.TOOL,
    ticket_status.TOOL,
)
#: What the model is offered in this worker.
TOOL_SET: Part[tuple[Tool, ...]] = Part("tools", lambda: TOOLS)

#: What a tool may tell the model, in characters of JSON.
MAX_RESULT_CHARS = 6_000
MAX_ARGUMENT_CHARS = 4_000
#: A tool that takes longer is not waited for: the answer goes on without it.
LONGEST_S = 3.0
_AWAY = "Cette recherche n'est pas possible pour le moment."


async def use(
    tool: Tool | None, arguments: str, context: ToolContext, *, longest_s: float = LONGEST_S
) -> JSON:
    """Run one tool call and return what the model is told of it; an error is told too.

    ``tool``: None when the model asked for one that does not exist.
    """
    if tool is None:
        return {"error": "Cet outil n'existe pas."}
    try:
        async with asyncio.timeout(longest_s):
            result = await tool.run(_parsed(arguments), context)
    except BadArguments as error:
        return {"error": str(error)}
    except TimeoutError:
        logger.error("tool %s failed: it took too long", tool.name)
        return {"error": _AWAY}
    except DatabaseError as error:  # its text repeats what was looked for
        logger.error("tool %s failed: %s of the database", tool.name, type(error).__name__)
        return {"error": _AWAY}
    except Exception:
        logger.exception("tool %s failed", tool.name)
        return {"error": _AWAY}
    told = {name: value for name, value in result.items() if name != "sources"}
    if len(json.dumps(told, ensure_ascii=False)) > MAX_RESULT_CHARS:
        logger.error("tool %s said too much", tool.name)
        return {"error": "Le résultat est trop long ; préciser la demande."}
    return result


def _parsed(arguments: str) -> JSON:
    try:
        data = json.loads(arguments[:MAX_ARGUMENT_CHARS] or "{}")
    except (ValueError, RecursionError) as error:
        raise BadArguments("Les arguments ne sont pas du JSON.") from error
    if not isinstance(data, dict):
        raise BadArguments("Les arguments doivent être un objet.")
    return data
