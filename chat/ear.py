"""One process's end of the channel layer, for one event loop. Used by ``live`` alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from chat.protocol import Envelope, SessionEnded, sealed
from chat.sessions.redis_document import watch_group

logger = logging.getLogger(__name__)

#: Called with each event of a session. Must not block; an error in it is logged and forgotten.
Hear = Callable[[Envelope], Awaitable[None]]
#: Called with what is asked of whoever answers in a session, e.g. "stop".
Obey = Callable[[str], None]

#: A layer that takes longer is away: the doorbell is not worth more of a turn's time.
LAYER_TIMEOUT_S = 0.5
#: A layer that was away is left alone for so long.
AWAY_S = 2.0
#: An erasure is told again and again for so long from when the layer takes it: a process whose
#: own connection broke hears nothing for up to a second after Redis is back.
ERASED_AGAIN_S = 3.0
ERASED_EVERY_S = 0.25
#: Erasures that wait for the layer at most; the oldest is dropped first.
MAX_ERASED = 1000
#: Processes whose beats are counted; those that ended are among them.
MAX_PROCESSES = 1000
ERASED = sealed(SessionEnded("erased"))


class Ear:
    """``layer``: None when there is no other process."""

    EVERYBODY = "workers"

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.listeners: dict[str, set[Hear]] = {}
        self.obeying: dict[str, Obey] = {}
        self.forgetting: list[Callable[[str], None]] = []
        #: Groups of the layer that this process is in, with their sessions.
        self.joined: dict[str, str] = {}
        #: When something was last heard in sessions whose viewers wait for an end.
        self.awaited: dict[str, float] = {}
        #: Number of the last beat heard of each process, by its channel.
        self.beats: dict[str, int] = {}
        self._beat = 0
        self._missed = False
        self._channel = ""
        self._hearing: asyncio.Task[None] | None = None
        self._joining = asyncio.Lock()
        self._away_until = 0.0
        #: Sessions erased here, with the time until which other processes are told.
        self._erased: dict[str, float] = {}
        #: Sessions of whose erasure those who listen here were told.
        self.ended: set[str] = set()
        self._repeating: asyncio.Task[None] | None = None

    async def join(self, session_id: str) -> None:
        """Have other processes' events of this session brought here."""
        group = watch_group(session_id)
        if self._is_away() or group in self.joined:
            return
        try:
            async with asyncio.timeout(LAYER_TIMEOUT_S):
                await self._open()
                await self.layer.group_add(group, self._channel)
            self.joined[group] = session_id
        except Exception:  # noqa: BLE001 - a layer that is away costs liveness, nothing else
            self._note_away("not listening to other workers")

    async def leave(self, session_id: str) -> None:
        group = watch_group(session_id)
        if self.joined.pop(group, None) is None or self._is_away():
            return
        try:
            async with asyncio.timeout(LAYER_TIMEOUT_S):
                await self.layer.group_discard(group, self._channel)
        except Exception:  # noqa: BLE001 - as above
            self._note_away("still subscribed to a session")

    async def tend(self) -> bool:
        """Join the groups that could not be joined before, and send a beat to every process.

        A process without viewers listens too: it may have copies of what others erase.

        Return whether events of another process may have been lost since the last time: beats
        are numbered from 1, whether they could be sent or not, and one of them never came.
        """
        if not self._channel and not self._is_away():
            try:
                async with asyncio.timeout(LAYER_TIMEOUT_S):
                    await self._open()
            except Exception:  # noqa: BLE001 - as above
                self._note_away("not listening to other workers")
        for session_id in [id_ for id_ in self.listeners if watch_group(id_) not in self.joined]:
            if self._is_away():
                break
            await self.join(session_id)
        self._beat += 1
        if self._channel:
            await self.send(self.EVERYBODY, {"type": "beat", "number": self._beat})
        missed, self._missed = self._missed, False
        return missed

    async def send(self, group: str, message: dict[str, Any]) -> None:
        """Send to the other processes of a group; lost when the layer is away."""
        if not self._is_away():
            await self._try_to_send(group, message)

    async def tell_erased(self, session_id: str) -> None:
        """Have every other process forget a session, as soon as the layer can tell it."""
        if self.layer is None:
            return
        self._erased[session_id] = asyncio.get_running_loop().time() + ERASED_AGAIN_S
        if len(self._erased) > MAX_ERASED:
            del self._erased[next(iter(self._erased))]
        await self._tell_erased()
        if self._repeating is None:
            self._repeating = asyncio.create_task(self._repeat_erased(), name="erasures")

    async def told_of_erasures(self) -> None:
        """Return once all other processes were told of them for as long as they are to be.

        No later than that takes with a layer that is there.
        """
        if self._repeating is not None:
            await asyncio.wait({self._repeating}, timeout=2 * ERASED_AGAIN_S)

    async def _repeat_erased(self) -> None:
        try:
            while self._erased:
                await asyncio.sleep(ERASED_EVERY_S)
                await self._tell_erased()
        finally:
            self._repeating = None

    async def _tell_erased(self) -> None:
        """Tell of all, also where the layer is held for away: the store was there just now."""
        now = asyncio.get_running_loop().time()
        for session_id, until in list(self._erased.items()):
            order = {"type": "forget", "session": session_id}
            if not await self._try_to_send(self.EVERYBODY, order):
                self._erased = dict.fromkeys(self._erased, now + ERASED_AGAIN_S)
                return
            if until < now:
                self._erased.pop(session_id, None)

    async def _try_to_send(self, group: str, message: dict[str, Any]) -> bool:
        """Send whatever is known of the layer. Return whether it took it."""
        signed = {**message, "from": self._channel}
        try:
            async with asyncio.timeout(LAYER_TIMEOUT_S):
                try:
                    await self.layer.group_send(group, signed)
                except ConnectionError:  # Redis restarted: the layer connects anew
                    await self.layer.group_send(group, signed)
        except Exception:  # noqa: BLE001 - as above
            self._note_away("other workers not told")
            return False
        return True

    async def tell_elsewhere(self, session_id: str, envelope: Envelope) -> None:
        if self.layer is None:
            return
        group = watch_group(session_id)
        event = {"event": envelope.type, "about": envelope.about, "text": envelope.text}
        await self.send(group, {"type": "event", "group": group, **event})

    async def tell(self, session_id: str, envelope: Envelope, besides: Hear | None) -> None:
        """Tell the listeners of this process; of an erasure once, however often it is heard of."""
        listeners = tuple(self.listeners.get(session_id, ()))
        if envelope.text == ERASED.text:
            if session_id in self.ended:
                return
            if listeners:
                self.ended.add(session_id)
        if besides is not None and len(listeners) > 1:
            self.note(session_id, waiting=True)
        for hear in listeners:
            if hear == besides:
                continue
            try:
                await hear(envelope)
            except Exception:
                logger.exception("a listener failed")

    def note(self, session_id: str, *, waiting: bool) -> None:
        """Remember whether viewers here are to see the conversation again, once it is quiet.

        They are when they wait for an end that may be lost on its way, and when messages came
        from several sides: who sent one of them may have seen it before the other.
        """
        if waiting and session_id in self.listeners:
            self.awaited[session_id] = asyncio.get_running_loop().time()
        else:
            self.awaited.pop(session_id, None)

    async def _open(self) -> None:
        async with self._joining:
            if not self._channel:
                channel = await self.layer.new_channel("ear.")
                await self.layer.group_add(self.EVERYBODY, channel)
                self._channel = channel
                self._hearing = asyncio.create_task(self._hear(), name="ear")

    async def _hear(self) -> None:
        while True:
            message = await self.layer.receive(self._channel)
            if message["type"] == "beat":
                self._note_beat(message["from"], message["number"])
                continue
            if message["from"] == self._channel:
                continue
            if message["type"] == "forget":
                await self.forget(message["session"])
                continue
            session_id = self.joined.get(message["group"])
            if session_id is None:
                continue
            if message["type"] == "order":
                with suppress(KeyError):
                    self.obeying[session_id](message["order"])
            else:
                envelope = Envelope(message["event"], message["about"], message["text"])
                self.note(session_id, waiting=True)
                await self.tell(session_id, envelope, None)

    async def forget(self, session_id: str) -> None:
        """Drop what this process remembers of an erased session, and tell its viewers."""
        for forget in self.forgetting:
            forget(session_id)
        await self.tell(session_id, ERASED, None)

    def _note_beat(self, process: str, number: int) -> None:
        if len(self.beats) >= MAX_PROCESSES:
            self.beats.clear()
        if number != self.beats.get(process, 0) + 1:
            self._missed = True
        self.beats[process] = number

    def _is_away(self) -> bool:
        if self.layer is None:
            return True
        return self._away_until > asyncio.get_running_loop().time()

    def _note_away(self, what: str) -> None:
        if not self._is_away():
            debug = logger.isEnabledFor(logging.DEBUG)
            logger.warning("channel layer away: %s", what, exc_info=debug)
        self._away_until = asyncio.get_running_loop().time() + AWAY_S
