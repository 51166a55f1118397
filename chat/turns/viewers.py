"""What viewers of a conversation are shown of it as it stands, and when they are shown it again."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from chat.assistant.guard.filter import forget_readings
from chat.conversations.markup import forget_rendered
from chat.conversations.realtime.events import SessionEnded, SessionState
from chat.conversations.realtime.pubsub import PUBSUB, RemoteEvent
from chat.conversations.rendering import render_ahead, state_of
from chat.conversations.store.failover.store import FailoverStore
from chat.conversations.store.protocol import ANY_OWNER, STORE
from chat.conversations.transcript import last_page
from chat.conversations.types import Session
from chat.core.errors import ChatError, SessionGone
from chat.core.ids import is_id, ref_of
from chat.turns.outcome import TURN_TIMES
from chat.turns.queue import QUEUES

logger = logging.getLogger(__name__)


async def read_state(session_id: str, owner: str) -> SessionState:
    """Return the conversation as it stands, an answer being written here to its last character.

    Raises:
        SessionNotFound: never existed, or of another owner.
        SessionGone: expired or erased.
    """
    return state_of(await read_session(session_id, owner), STORE.get().backend)


async def read_session(session_id: str, owner: str) -> Session:
    """Return the same as a value, what is shown of it at once being rendered already.

    Raises:
        SessionNotFound: never existed, or of another owner.
        SessionGone: expired or erased.
    """
    session = await STORE.get().load(session_id, owner)
    if await render_ahead(last_page(session.messages).messages):
        session = await STORE.get().load(session_id, owner)
    queue = QUEUES.get().get(session_id)
    if queue is not None and queue.draft is not None and session.waiting:
        session = replace(session, draft=queue.draft)
    return session


async def show_backend_change(session_ids: Sequence[str] | None) -> None:
    """Show viewers their conversations again, after these went to another store.

    ``None``: all that somebody in this process listens to, and in this process only.
    """
    if session_ids is None:
        await show_again(PUBSUB.get().local_topics())
        return
    for session_id in session_ids:
        with _apart(session_id):
            if (state := await _current_state(session_id)) is not None:
                await PUBSUB.get().publish(session_id, state)


async def show_again(session_ids: Sequence[str]) -> None:
    """Show viewers of this process their conversations as they are stored.

    What else is listened to (see ``desk_key``) has no state of its own.
    """
    for session_id in filter(is_id, session_ids):
        with _apart(session_id):
            if (state := await _current_state(session_id)) is not None:
                await PUBSUB.get().publish_local(session_id, state)


@contextmanager
def _apart(session_id: str) -> Iterator[None]:
    """Log what goes wrong with one session, so that the others are shown."""
    try:
        yield
    except Exception:
        logger.exception("session %s could not be shown to its viewers", ref_of(session_id))


async def _current_state(session_id: str) -> SessionState | SessionEnded | None:
    """Return what viewers are to see now; None when nothing is known of it."""
    try:
        return await read_state(session_id, ANY_OWNER)
    except SessionGone as gone:
        return SessionEnded(gone.reason)
    except ChatError:
        return None


async def refresh_viewers() -> None:
    """Show viewers of this process what the channel layer may have lost. Every second."""
    if await PUBSUB.get().heartbeat():
        await show_again(PUBSUB.get().local_topics())
    queues = QUEUES.get()
    overdue = PUBSUB.get().overdue(TURN_TIMES.get().silence_s)
    await show_again([id_ for id_ in overdue if id_ not in queues])


def follow_store() -> None:
    """Have this process hear of erasures, of what other workers say in conversations, and of
    conversations that changed their store.
    """
    PUBSUB.get().on_erased(_forget)
    PUBSUB.get().on_remote_event(_note_event)
    store = STORE.get()
    if isinstance(store, FailoverStore):
        store.on_backend_change = show_backend_change


def _forget(session_id: str) -> None:
    """Drop what this process remembers of an erased session."""
    store = STORE.get()
    if isinstance(store, FailoverStore):
        store.forget(session_id)
    forget_rendered()
    forget_readings()


def _note_event(session_id: str, event: RemoteEvent) -> None:
    """Keep this worker's copy of a conversation as new as what its viewers are shown."""
    store = STORE.get()
    if not isinstance(store, FailoverStore):
        return
    if event.message is not None:
        store.note_heard(session_id, event.message)
    elif event.code and event.event.question_id:
        store.note_failure_heard(session_id, event.event.question_id, event.code)
