"""A turn: a customer's question is stored, then answered, by one road for every door.

A turn belongs to this process, not to the socket that asked. Per session one lane answers
the questions that this process cares for, one at a time; the store says whose turn it is
among all processes. See ``docs/architecture.md``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings

from chat import draining, live
from chat.assistant.attempt import STEPS_TO_ASK, TurnEnd
from chat.assistant.lane import Lane, News, Turn, find_answer
from chat.assistant.patience import steps
from chat.errors import AssistantUnavailable, ChatError, SessionGone
from chat.live import Hear
from chat.markup import forget_rendered
from chat.photos.erasure import forget_left_photos
from chat.protocol import MessageDone, SessionEnded, SessionState
from chat.sessions.store import ANY_OWNER, Create, default_store
from chat.sessions.switch import SwitchStore
from chat.sessions.types import Author, Message, Session, is_id, new_id
from chat.takeover.contacts import forget_left_contacts
from chat.takeover.desk import return_lapsed

__all__ = ["Turn", "TurnEnd", "let_begin", "read_state", "stop_turn", "sweep", "take_turn"]

logger = logging.getLogger(__name__)

#: How often a process looks for questions that nobody answers.
SWEEP_S = 1.0
#: Viewers who wait for another process's answer are shown the whole state after this silence.
SILENCE_S = 2.0

_lanes: dict[tuple[asyncio.AbstractEventLoop, str], Lane] = {}


async def take_turn(
    session_id: str,
    *,
    owner: str,
    message_id: str,
    text: str,
    create: Create = "always",
    asker: Hear | None = None,
) -> Turn:
    """Store what a customer said and have it answered; returns once it is stored.

    The answer comes through ``live`` to whoever listens, and through ``Turn.ended``. It goes
    on whatever becomes of the caller. An id that is already stored is not stored again: the
    turn returned is the first one's. ``asker``, a listener, is not told of its own question.

    Raises:
        IdConflict: the id is known with another text.
        SessionNotFound: of another owner, ended, erased, or (``create="new"``) expired.
        AssistantUnavailable: nothing was stored: this process is stopping.
        StoreUnavailable: it may have been stored; send it again with the same id.
    """
    if draining.is_draining():
        raise AssistantUnavailable(retry_after_s=2)
    message = Message(author=Author.CUSTOMER, id=message_id, text=text)
    store = default_store()
    accepted = await store.accept(session_id, owner, message, create=create, answer_id=new_id())
    loop = asyncio.get_running_loop()
    turn = Turn(message_id, loop.time() + settings.ENV.chat_timeout_s)
    if accepted.outcome is not None:
        answer = await find_answer(store, session_id, accepted.outcome)
        turn.settle(TurnEnd(accepted.outcome, answer))
        if accepted.fresh:
            await live.publish(session_id, MessageDone(message), besides=asker)
        return turn
    lane = _lane_of(session_id)
    news = News(message, asker, accepted.listening) if accepted.fresh else None
    turn = lane.add(turn, news, accepted.lease)
    turn.ahead = accepted.ahead
    return turn


async def let_begin() -> None:
    """Let a turn that was just taken come to where its model is asked."""
    await steps(1 + STEPS_TO_ASK)  # the lane's first, then the attempt's


async def stop_turn(session_id: str, owner: str) -> bool:
    """Stop the answer being written in this session, wherever. Return whether there was one."""
    lane = _lanes.get((asyncio.get_running_loop(), session_id))
    if lane is not None and lane.stop():
        return True
    asked = await default_store().stop(session_id, owner)
    if asked:
        await live.order(session_id, "stop")
    return asked


async def read_state(session_id: str, owner: str) -> SessionState:
    """Return the conversation as it stands, an answer being written here to its last character.

    Raises:
        SessionNotFound: never existed, or of another owner.
        SessionGone: expired or erased.
    """
    return SessionState.of(await read_session(session_id, owner), default_store().backend)


async def read_session(session_id: str, owner: str) -> Session:
    """Return the same as a value.

    Raises:
        SessionNotFound: never existed, or of another owner.
        SessionGone: expired or erased.
    """
    session = await default_store().load(session_id, owner)
    lane = _lanes.get((asyncio.get_running_loop(), session_id))
    if lane is not None and lane.draft is not None and session.waiting:
        session = replace(session, draft=lane.draft)
    return session


def _forget(session_id: str) -> None:
    """Drop what this process remembers of an erased session."""
    store = default_store()
    if isinstance(store, SwitchStore):
        store.forget(session_id)
    forget_rendered()


async def hand_over_turns() -> None:
    """Leave every answer that is being written here to other processes."""
    loop = asyncio.get_running_loop()
    lanes = [lane for (its_loop, _), lane in _lanes.items() if its_loop is loop]
    await asyncio.gather(*(lane.hand_over() for lane in lanes))


_sweepers: dict[asyncio.AbstractEventLoop, asyncio.Task[None] | None] = {}


def start_sweeping() -> None:
    """Have this process's event loop ``sweep``, from now on, unless it does."""
    loop = asyncio.get_running_loop()
    if loop not in _sweepers:
        for closed in [old for old in _sweepers if old.is_closed()]:
            del _sweepers[closed]
        _sweepers[loop] = loop.create_task(sweep(), name="sweep")


def _lane_of(session_id: str) -> Lane:
    key = (asyncio.get_running_loop(), session_id)
    lane = _lanes.get(key)
    if lane is None:
        lane = _lanes[key] = Lane(
            session_id,
            default_store(),
            leave=lambda: _lanes.pop(key, None),
            show=lambda: show_again([session_id]),
        )
    return lane


async def tell_moved(session_ids: Sequence[str] | None) -> None:
    """Show viewers their conversations again, after these went to another store.

    ``None``: all that somebody in this process listens to, and in this process only.
    """
    if session_ids is None:
        await show_again(live.listened_here())
        return
    for session_id in session_ids:
        if (state := await _shown(session_id)) is not None:
            await live.publish(session_id, state)


async def show_again(session_ids: Sequence[str]) -> None:
    """Show viewers of this process their conversations as they are stored.

    What else is listened to (see ``desk_key``) has no state of its own.
    """
    for session_id in filter(is_id, session_ids):
        if (state := await _shown(session_id)) is not None:
            await live.tell_here(session_id, state)


async def _shown(session_id: str) -> SessionState | SessionEnded | None:
    """Return what viewers are to see now; None when nothing is known of it."""
    try:
        return await read_state(session_id, ANY_OWNER)
    except SessionGone as gone:
        return SessionEnded(gone.reason)
    except ChatError:
        return None


async def sweep() -> None:
    """Take up, for ever, the questions whose process died or never began them, give back what
    advisers left, and show viewers here what the channel layer may have lost.
    """
    _sweepers.setdefault(asyncio.get_running_loop(), asyncio.current_task())
    store = default_store()
    live.on_forget(_forget)
    if isinstance(store, SwitchStore):
        store.moved = tell_moved
    while True:
        await asyncio.sleep(SWEEP_S)
        try:
            if await live.tend():
                await show_again(live.listened_here())
            loop = asyncio.get_running_loop()
            unheard = [id_ for id_ in live.overdue(SILENCE_S) if (loop, id_) not in _lanes]
            await show_again(unheard)
            if not draining.is_draining():
                for session_id in await default_store().orphans():
                    _lane_of(session_id).wake()
                await return_lapsed()
                await forget_left_contacts()
                await forget_left_photos()
        except ChatError:
            logger.warning("the session store did not answer: looking for orphans later")
        except Exception:
            logger.exception("looking for orphans failed")
