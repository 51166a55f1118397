"""What an erased conversation left, deleted at once or, while the database is away, later."""

from __future__ import annotations

import asyncio
import logging

from channels.db import database_sync_to_async

from chat.photos.services import forget

logger = logging.getLogger(__name__)

#: An erasure waits no longer for the database.
LONGEST_DELETION_S = 2.0
MAX_LEFT = 1000

_aforget = database_sync_to_async(forget, thread_sensitive=False)

#: References of erased conversations whose photos could not be deleted yet.
_left: dict[str, None] = {}


async def aforget_photos(session_ref: str) -> None:
    """Delete what this conversation left to no ticket. Never raises: no trouble of the database or
    of the disk may undo an erasure; what stays is tried again later.
    """
    try:
        async with asyncio.timeout(LONGEST_DELETION_S):
            await _aforget(session_ref)
    except Exception as error:  # noqa: BLE001 - see above
        if session_ref not in _left:
            logger.warning("photos of an erased session stay for now: %s", type(error).__name__)
        _left.pop(session_ref, None)
        _left[session_ref] = None  # last: the others get their turn
        while len(_left) > MAX_LEFT:
            del _left[next(iter(_left))]
    else:
        _left.pop(session_ref, None)


async def forget_left_photos() -> None:
    """Try again, with one of them, what could not be deleted."""
    if _left:
        await aforget_photos(next(iter(_left)))
