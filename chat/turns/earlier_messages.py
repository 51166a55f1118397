"""Reads the older messages of a conversation, on demand, for whoever looks at it."""

from __future__ import annotations

from chat.conversations.realtime.events import MessagesLoaded, failures_in
from chat.conversations.rendering import render_ahead
from chat.conversations.transcript import page_before
from chat.core.errors import InvalidMessage
from chat.turns.viewers import read_session


async def read_earlier(session_id: str, owner: str, before: str) -> MessagesLoaded:
    """Return the messages that come right before this one.

    Raises:
        InvalidMessage: no such message.
        SessionNotFound, SessionGone, StoreUnavailable:
    """
    session = await read_session(session_id, owner)
    page = page_before(session.messages, before)
    if page is None:
        raise InvalidMessage("Ce message n'est plus dans la conversation.")
    await render_ahead(page.messages)
    failed = failures_in(page.messages, session.failed)
    return MessagesLoaded(before, page.messages, failed, page.has_earlier)
