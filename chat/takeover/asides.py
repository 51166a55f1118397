"""What is written beside a conversation: kept, and told to the staff who watch, to nobody else."""

from __future__ import annotations

import asyncio
import logging

from chat import live
from chat.errors import ChatError
from chat.protocol import AsideAdded
from chat.sessions.desk import Aside, AsideKind, desk_key
from chat.sessions.store import default_store
from chat.sessions.types import JSON, ref_of

logger = logging.getLogger(__name__)

_later: set[asyncio.Task[None]] = set()


async def add_aside(session_id: str, aside: Aside) -> None:
    """Keep it and show it.

    Raises:
        StoreUnavailable:
    """
    await default_store().add_aside(session_id, aside)
    await live.publish(desk_key(session_id), AsideAdded(aside))


async def add_event(session_id: str, text: str, author: str = "", data: JSON | None = None) -> None:
    """Keep what was just done to the conversation; a store that is away does not undo it."""
    aside = Aside(kind=AsideKind.EVENT, text=text, author=author, data=data or {})
    try:
        await add_aside(session_id, aside)
    except ChatError as error:
        logger.warning("an aside of session %s was not kept: %s", ref_of(session_id), error.code)


def show_later(session_id: str, aside: Aside, watching: int | None) -> None:
    """Show the staff what is kept already, without holding up anybody.

    ``watching``: how many workers have staff who watch, see ``live.publish``.
    """
    key = desk_key(session_id)
    if live.is_heard(key, watching):
        task = asyncio.create_task(_show(key, aside, watching), name="aside")
        _later.add(task)
        task.add_done_callback(_later.discard)


async def _show(key: str, aside: Aside, watching: int | None) -> None:
    try:
        await live.publish(key, AsideAdded(aside), listening=watching)
    except Exception:
        logger.exception("showing the numbers of a turn failed")


async def settle() -> None:
    """Return when all that was kept so far is shown."""
    await asyncio.gather(*_later)
