"""A customer asks for a human, with a button of ours."""

from __future__ import annotations

from chat.conversations.handover.advisers import ask_for_adviser
from chat.conversations.store.protocol import WEB_OWNER
from chat.core import rate_limits
from chat.core.errors import InvalidMessage, SessionGone, SessionNotFound

NOTHING_SAID = "Écrivez d'abord votre demande : la personne qui vous répondra la lira."


async def request_adviser(session_id: str, address: str) -> None:
    """Have an adviser called; asked again it changes nothing. ``address``: where it comes from.

    Raises:
        RateLimited:
        InvalidMessage: nothing was said yet: nobody would know what it is about.
        SessionGone, StoreUnavailable:
    """
    await rate_limits.check_visitor(session_id)
    await rate_limits.check_address(address)
    try:
        await ask_for_adviser(session_id, WEB_OWNER)
    except SessionGone:
        raise
    except SessionNotFound as error:
        raise InvalidMessage(NOTHING_SAID) from error
