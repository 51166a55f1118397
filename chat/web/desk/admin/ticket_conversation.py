"""The conversation out of which a ticket came, as long as it lives."""

from __future__ import annotations

from chat.conversations.store.protocol import STORE
from chat.core.errors import SessionNotFound, StoreUnavailable


async def conversation_lives(session_ref: str) -> bool | None:
    """Whether the conversation of this reference can still be read; None: nobody can say now."""
    if not session_ref:
        return False
    try:
        await STORE.get().find(session_ref)
    except SessionNotFound:
        return False
    except StoreUnavailable:
        return None
    return True
