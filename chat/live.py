"""Who listens to a session, in this process and in others.

Listeners of this process are told directly. Other processes are told through the channel
layer: each holds one channel for all its listeners, in one group per session it listens to
and one of all workers. The layer may drop: what was said is in the store, offsets show a
reader what it missed, and ``overdue`` names the sessions in which something is awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from channels.layers import InMemoryChannelLayer, get_channel_layer

from chat.ear import Ear, Hear, Obey
from chat.protocol import ServerEvent, SessionEnded, SessionState, sealed
from chat.sessions.redis_document import watch_group

__all__ = ["Hear", "Obey"]

_ears: dict[asyncio.AbstractEventLoop, Ear] = {}


def _ear() -> Ear:
    loop = asyncio.get_running_loop()
    ear = _ears.get(loop)
    if ear is None:
        for closed in [old for old in _ears if old.is_closed()]:
            del _ears[closed]
        layer = get_channel_layer()
        one_process = layer is None or isinstance(layer, InMemoryChannelLayer)
        ear = _ears[loop] = Ear(None if one_process else layer)
    return ear


@asynccontextmanager
async def listening(session_id: str, hear: Hear, *, at_once: bool = False) -> AsyncIterator[None]:
    """Have ``hear`` called with every event of the session, from any process, while inside.

    ``at_once``: without waiting until those of other processes come; they do soon.
    """
    ear = _ear()
    listeners = ear.listeners.setdefault(session_id, set())
    listeners.add(hear)
    ear.ended.discard(session_id)
    joining = asyncio.create_task(ear.join(session_id), name="join")
    try:
        if not at_once:
            await joining
        yield
    finally:
        listeners.discard(hear)
        await asyncio.wait({joining})
        if not listeners and ear.listeners.get(session_id) is listeners:
            del ear.listeners[session_id]
            ear.awaited.pop(session_id, None)
            ear.ended.discard(session_id)
            await ear.leave(session_id)


@contextmanager
def answering(session_id: str, obey: Obey) -> Iterator[None]:
    """Hear the orders given to whoever answers, while inside: from here, and from elsewhere
    as long as somebody listens here. The store's stop flag carries them in any case.
    """
    obeying = _ear().obeying
    obeying[session_id] = obey
    try:
        yield
    finally:
        obeying.pop(session_id, None)


def heard_elsewhere(session_id: str, workers_listening: int | None) -> bool:
    """Whether another process may listen, when so many do according to the store.

    None: the store does not know.
    """
    if _ear().layer is None:
        return False
    if workers_listening is None:
        return True
    return workers_listening > (watch_group(session_id) in _ear().joined)


def is_heard(session_id: str, workers_listening: int | None) -> bool:
    """Whether anybody may listen, here or in another process: else nothing need be told."""
    return is_heard_here(session_id) or heard_elsewhere(session_id, workers_listening)


def is_heard_here(session_id: str) -> bool:
    return session_id in _ear().listeners


def listened_here() -> list[str]:
    """Return the ids of the sessions that somebody in this process listens to."""
    return list(_ear().listeners)


def await_end(session_id: str) -> None:
    """Note that viewers here wait for an answer that another process may be writing."""
    _ear().note(session_id, waiting=True)


def overdue(silence_s: float) -> list[str]:
    """Return the sessions in which viewers here wait and heard nothing for so long."""
    since = asyncio.get_running_loop().time() - silence_s
    return [id_ for id_, heard_at in _ear().awaited.items() if heard_at < since]


async def publish(
    session_id: str,
    event: ServerEvent,
    *,
    besides: Hear | None = None,
    listening: int | None = None,
) -> None:
    """Tell everybody who listens, here and in other processes, but ``besides``.

    ``listening``: how many workers have viewers, if the store has just told.
    """
    if not is_heard(session_id, listening):
        return
    envelope = sealed(event)
    ear = _ear()
    await ear.tell(session_id, envelope, besides)
    if heard_elsewhere(session_id, listening):
        await ear.tell_elsewhere(session_id, envelope)


async def tell_here(session_id: str, event: ServerEvent) -> None:
    """Tell the listeners of this process only: cheap, for what is said many times a second."""
    ear = _ear()
    if session_id in ear.listeners:
        await ear.tell(session_id, sealed(event), None)
        if isinstance(event, SessionState | SessionEnded):
            waiting = isinstance(event, SessionState) and bool(event.waiting)
            ear.note(session_id, waiting=waiting)


async def tell_elsewhere(session_id: str, event: ServerEvent) -> None:
    """Tell the listeners of other processes only."""
    await _ear().tell_elsewhere(session_id, sealed(event))


async def order(session_id: str, word: str) -> None:
    """Ask whoever answers in this session, here or in another process, to do something."""
    ear = _ear()
    if session_id in ear.obeying:
        ear.obeying[session_id](word)
    await ear.send(
        watch_group(session_id),
        {"type": "order", "group": watch_group(session_id), "order": word},
    )


async def forget_everywhere(session_id: str) -> None:
    """Have every process forget what it remembers of an erased session, and tell its viewers.

    See ``on_forget``. It is told again for a while: nobody may go on showing what is no more.
    """
    ear = _ear()
    await ear.forget(session_id)
    await ear.tell_erased(session_id)


async def told_of_erasures() -> None:
    """Return once every erasure was told everywhere: for a process that ends after it."""
    await _ear().told_of_erasures()


def on_forget(forget: Callable[[str], None]) -> None:
    """Have ``forget`` called with the id of each session that is erased, in any process."""
    _ear().forgetting.append(forget)


async def tend() -> bool:
    """Listen again where the layer was away when somebody began to; to be called now and then.

    Return whether events may have been lost since the last time, in any session listened to.
    """
    return await _ear().tend()
