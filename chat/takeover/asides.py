"""What is written beside a conversation: kept, and told to the staff who watch, to nobody else."""

from __future__ import annotations

import asyncio
import logging

from chat import live
from chat.errors import ChatError
from chat.protocol import AsideAdded
from chat.sessions.desk import Aside, AsideKind
from chat.sessions.store import default_store
from chat.sessions.types import JSON, ref_of

logger = logging.getLogger(__name__)

_later: set[asyncio.Task[None]] = set()


def desk_key(session_id: str) -> str:
    """What the staff listen to and customers never hear: no session has a colon in its id."""
    return f"desk:{session_id}"


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


def add_turn_later(session_id: str, data: JSON) -> None:
    """Keep the numbers of a turn without holding up anybody."""
    task = asyncio.create_task(_add_turn(session_id, data), name="aside")
    _later.add(task)
    task.add_done_callback(_later.discard)


async def settle() -> None:
    """Return when the numbers of every turn so far are kept."""
    await asyncio.gather(*_later)


async def _add_turn(session_id: str, data: JSON) -> None:
    try:
        await add_aside(session_id, Aside(kind=AsideKind.TURN, data=data))
    except ChatError as error:
        logger.warning("the numbers of a turn were not kept: %s", error.code)
    except Exception:
        logger.exception("keeping the numbers of a turn failed")
