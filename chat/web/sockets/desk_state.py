"""What the staff are shown of a conversation, read from the store."""

from __future__ import annotations

from chat.conversations.realtime.events import DeskState
from chat.conversations.rendering import state_of
from chat.conversations.store.protocol import ANY_OWNER, STORE
from chat.conversations.types import Author, Session
from chat.core.ids import isoformat, ref_of
from chat.core.text import language_of
from chat.turns.viewers import read_session

#: Staff notes that are shown, the newest.
SHOWN_STAFF_NOTES = 100


async def read_desk_state(session_id: str, user_id: str) -> DeskState:
    """Return the conversation as the user with this id sees it.

    Raises:
        SessionNotFound, SessionGone, StoreUnavailable:
    """
    store = STORE.get()
    session = await read_session(session_id, ANY_OWNER)
    holder = {"name": session.adviser, "mine": session.adviser_id == user_id}
    return DeskState(
        session=state_of(session, store.backend),
        ref=ref_of(session_id),
        staff_notes=(await store.staff_notes(session_id))[-SHOWN_STAFF_NOTES:],
        holder=holder if session.has_adviser else None,
        asked_at=isoformat(session.asked_at) if session.asked_at else None,
        language=_language(session),
    )


def _language(session: Session) -> str:
    said = (m.text for m in reversed(session.messages) if m.author is Author.CUSTOMER)
    return language_of(next(said, ""))
