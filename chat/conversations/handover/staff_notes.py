"""What is written beside a conversation: kept, and told to the staff who watch, to nobody else."""

from __future__ import annotations

import logging

from chat.conversations.realtime.events import AsideAdded
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.adviser_store import Aside, AsideKind, desk_key
from chat.conversations.store.protocol import STORE
from chat.core.errors import ChatError
from chat.core.ids import ref_of
from chat.core.json import JSON

logger = logging.getLogger(__name__)


async def add_aside(session_id: str, aside: Aside) -> None:
    """Keep it and show it.

    Raises:
        StoreUnavailable:
    """
    await STORE.get().add_aside(session_id, aside)
    await PUBSUB.get().publish(desk_key(session_id), AsideAdded(aside))


async def add_event(session_id: str, text: str, author: str = "", data: JSON | None = None) -> None:
    """Keep what was just done to the conversation; a store that is away does not undo it."""
    aside = Aside(kind=AsideKind.EVENT, text=text, author=author, data=data or {})
    try:
        await add_aside(session_id, aside)
    except ChatError as error:
        logger.warning("an aside of session %s was not kept: %s", ref_of(session_id), error.code)
