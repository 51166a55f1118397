"""The end of a conversation: closed, or erased."""

from __future__ import annotations

from chat import live
from chat.assistant.turn import stop_turn
from chat.errors import SessionGone, SessionNotFound
from chat.photos.erasure import aforget_photos
from chat.protocol import SessionEnded
from chat.sessions.store import WEB_OWNER, default_store
from chat.sessions.types import ref_of
from chat.takeover.contacts import aforget_contacts


async def end_session(session_id: str, owner: str) -> None:
    """Close the conversation: it can be read until it expires, nothing more is said in it.

    Raises:
        SessionNotFound:
    """
    await stop_turn(session_id, owner)
    if not await default_store().end(session_id, owner):
        raise SessionNotFound
    await live.publish(session_id, SessionEnded("ended"))


async def erase_session(session_id: str, owner: str) -> None:
    """Remove the conversation from everywhere; an answer being written is stopped first.

    Raises:
        SessionNotFound:
    """
    store = default_store()
    if await store.erase(session_id, owner):
        await stop_turn(session_id, owner)
        await _tell_of_erasure(session_id)
        return
    try:
        await store.load(session_id, owner)
    except SessionGone as gone:
        if gone.reason == "erased":  # perhaps by a worker that died before it told anybody
            await _tell_of_erasure(session_id)
    except SessionNotFound:
        if owner == WEB_OWNER:  # photos may come before the first word
            await aforget_photos(ref_of(session_id))
    raise SessionNotFound


async def _tell_of_erasure(session_id: str) -> None:
    await live.publish(session_id, SessionEnded("erased"))
    await live.forget_everywhere(session_id)
    await aforget_contacts(session_id)
    await aforget_photos(ref_of(session_id))
