"""What is written beside a conversation: kept, and told to the staff who watch, to nobody else."""

from __future__ import annotations

import logging

from chat.conversations.realtime.events import StaffNoteAdded
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.adviser_store import StaffNote, StaffNoteKind, desk_key
from chat.conversations.store.protocol import STORE
from chat.core.errors import ChatError
from chat.core.ids import ref_of
from chat.core.json import JSON

logger = logging.getLogger(__name__)


async def add_staff_note(session_id: str, staff_note: StaffNote) -> None:
    """Keep it and show it.

    Raises:
        StoreUnavailable:
    """
    await STORE.get().add_staff_note(session_id, staff_note)
    await PUBSUB.get().publish(desk_key(session_id), StaffNoteAdded(staff_note))


async def add_event(session_id: str, text: str, author: str = "", data: JSON | None = None) -> None:
    """Keep what was just done to the conversation; a store that is away does not undo it."""
    staff_note = StaffNote(kind=StaffNoteKind.EVENT, text=text, author=author, data=data or {})
    try:
        await add_staff_note(session_id, staff_note)
    except ChatError as error:
        logger.warning(
            "a staff note of session %s was not kept: %s", ref_of(session_id), error.code
        )
