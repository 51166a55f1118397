"""The end of a conversation: closed, or erased."""

from __future__ import annotations

from chat.conversations.realtime.events import SessionEnded
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.protocol import STORE, WEB_OWNER
from chat.core.errors import SessionGone, SessionNotFound
from chat.core.ids import ref_of
from chat.ops.erasure import finish_erasure
from chat.turns.turn import stop_turn


async def end_session(session_id: str, owner: str) -> None:
    """Close the conversation: it can be read until it expires, nothing more is said in it.

    Raises:
        SessionNotFound:
    """
    await stop_turn(session_id, owner)
    if not await STORE.get().end(session_id, owner):
        raise SessionNotFound
    await PUBSUB.get().publish(session_id, SessionEnded("ended"))


async def erase_session(session_id: str, owner: str) -> None:
    """Remove the conversation from everywhere; an answer being written is stopped first.

    What it left in SQL and on disk goes as well, at once or as soon as that is possible: the
    intent is stored with the removal. So it does for a conversation that has expired already.

    Raises:
        SessionNotFound:
    """
    store = STORE.get()
    if await store.erase(session_id, owner):
        await stop_turn(session_id, owner)
        await _tell_of_erasure(session_id)
        return
    try:
        await store.load(session_id, owner)
    except SessionGone as gone:
        if gone.reason == "erased":  # perhaps by a worker that died before it told anybody
            await _tell_of_erasure(session_id)
        else:
            await finish_erasure(ref_of(session_id))
    except SessionNotFound:
        if owner == WEB_OWNER:  # photos may come before the first word
            await PUBSUB.get().publish_erased(session_id)  # if Redis lost it, nobody puts it back
            await finish_erasure(ref_of(session_id))
    raise SessionNotFound


async def _tell_of_erasure(session_id: str) -> None:
    await PUBSUB.get().publish(session_id, SessionEnded("erased"))
    await PUBSUB.get().publish_erased(session_id)
    await finish_erasure(ref_of(session_id))
