"""Base of the customers' and the advisers' sockets: token bucket, connection slots, event relay.

A subclass says who is connected and what its frames do.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from chat.conversations.realtime.events import EncodedEvent, Failed, ServerEvent, encode_event
from chat.conversations.realtime.pubsub import SpeakerFilter
from chat.core import metrics
from chat.core.client_address import network_prefix
from chat.core.errors import ChatError, Internal
from chat.core.runtime import Part


class ConnectionSlots:
    """The sockets that are open in one worker, counted by visitor and by network."""

    def __init__(self) -> None:
        self._by_visitor: Counter[str] = Counter()
        self._by_network: Counter[str] = Counter()

    def take(self, visitor: str, network: str) -> bool:
        """Count one more. Return whether there was a place."""
        env = settings.ENV
        if (
            self._by_visitor[visitor] >= env.sockets_per_visitor
            or self._by_network[network] >= env.sockets_per_address
        ):
            return False
        self._by_visitor[visitor] += 1
        self._by_network[network] += 1
        return True

    def give_back(self, visitor: str, network: str) -> None:
        """Count one less."""
        for counter, key in ((self._by_visitor, visitor), (self._by_network, network)):
            counter[key] -= 1
            if not counter[key]:
                del counter[key]


#: The open sockets of this worker.
CONNECTION_SLOTS: Part[ConnectionSlots] = Part("connection slots", ConnectionSlots)


class ConnectionSlot:
    """One connection, counted for its visitor and its network until ``leave``."""

    def __init__(self, visitor: str, address: str) -> None:
        self._visitor = visitor
        self._network = network_prefix(address)
        #: Where the place was taken: there it is given back.
        self._slots: ConnectionSlots | None = None

    def take(self) -> bool:
        """Return whether there was a place."""
        slots = CONNECTION_SLOTS.get()
        if not slots.take(self._visitor, self._network):
            return False
        self._slots = slots
        metrics.sockets_open.inc()
        return True

    def leave(self) -> None:
        """Give the place back; nothing when none was taken."""
        if self._slots is None:
            return
        self._slots.give_back(self._visitor, self._network)
        self._slots = None
        metrics.sockets_open.dec()


class TokenBucket:
    """Rate limit: ``burst`` tokens at once, then ``per_s`` a second.

    ``now``: seconds of any clock. ``slowed_s``: how long it has made its owner wait in a row.
    """

    def __init__(self, burst: float, per_s: float, now: float) -> None:
        self._burst = burst
        self._per_s = per_s
        self._tokens = burst
        self._at = now
        self.slowed_s = 0.0

    def wait_s(self, now: float, tokens: float = 1) -> float:
        """Take tokens, on credit if need be; return the seconds until the debt is paid."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_s) - tokens
        self._at = now
        wait_s = max(0.0, -self._tokens / self._per_s)
        self.slowed_s = self.slowed_s + wait_s if wait_s else 0.0
        return wait_s


if TYPE_CHECKING:
    from asgiref.typing import WebSocketDisconnectEvent

logger = logging.getLogger(__name__)

CLOSE_NOBODY = 4401
CLOSE_REFUSED = 4403
CLOSE_TOO_MANY = 4429

#: A state costs as much as several other frames.
STATE_FRAMES = 5


@dataclass(frozen=True, slots=True)
class SocketRules:
    """Rates and times of each socket.

    ``frames_at_once``, ``frames_per_s``: frames that are heard at once, and then in a second; who
    sends more is heard later, and who goes on like that for ``longest_slowed_s`` is cut.
    ``sync_again_s``: a conversation that cannot be read now is tried again this often.
    ``rights_every_s``: how often an adviser's rights are read again. A database that does not tell
    them is trusted to have changed nothing for ``rights_outage_s``.
    ``renew_assignment_every_s``: how often a holder whose page is open is noted as being there.
    """

    frames_at_once: int = 100
    frames_per_s: float = 10
    longest_slowed_s: float = 4.0
    sync_again_s: float = 1.0
    rights_every_s: float = 5.0
    rights_outage_s: float = 30.0
    renew_assignment_every_s: float = 20.0


#: What each socket that is opened from now on goes by.
SOCKET_RULES: Part[SocketRules] = Part("socket rules", SocketRules)


class ChatSocket(AsyncWebsocketConsumer):
    """Hears of one session and relays it; a subclass says to whom, and what frames do."""

    channel_layer_alias = "none"  # the process has one, in ``realtime/pubsub.py``

    def __init__(self) -> None:
        super().__init__()
        self._rules = SOCKET_RULES.get()
        self._session_id = ""
        self._slot = ConnectionSlot("", "")
        rules = self._rules
        self._bucket = TokenBucket(rules.frames_at_once, rules.frames_per_s, time.monotonic())
        self._listening = AsyncExitStack()
        self._speaker_filter = SpeakerFilter()
        self._held: list[EncodedEvent] | None = None
        self._showing = asyncio.Lock()
        self._last_end_id = ""
        self._timer: asyncio.TimerHandle | None = None
        self._later: asyncio.Task[None] | None = None

    async def _handle_frame(self, text_data: str | None) -> None:
        """Do what a frame asks for.

        Raises:
            ChatError: told to the client.
        """
        raise NotImplementedError

    async def _send_state(self) -> None:
        """Send the whole state as it is now."""
        raise NotImplementedError

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the method for this message, without the thread hop for Django's database
        connections that Channels makes each time: none is used here.
        """
        await getattr(self, get_handler_name(message))(message)

    async def websocket_disconnect(self, message: WebSocketDisconnectEvent) -> None:
        """End, again without Channels' look at database connections."""
        await self.disconnect(message["code"])
        raise StopConsumer

    async def disconnect(self, code: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._slot.leave()
        await self._listening.aclose()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if await self._slow_down():
            await self._report_errors(self._handle_frame(text_data))

    async def _slow_down(self, frames: int = 1) -> bool:
        """Count so many frames, and wait when they are too many. Return whether to go on."""
        if self._bucket.slowed_s > self._rules.longest_slowed_s:
            return False  # what was sent before the end was heard
        wait_s = self._bucket.wait_s(time.monotonic(), frames)
        if self._bucket.slowed_s > self._rules.longest_slowed_s:
            metrics.clients_dropped.labels(reason="flood").inc()
            await self.close(CLOSE_TOO_MANY)
            return False
        if wait_s:
            await asyncio.sleep(wait_s)
        return True

    async def _report_errors(self, doing: Awaitable[None]) -> None:
        """Do it; whatever goes wrong is told, and the socket stays open."""
        try:
            await doing
        except ChatError as error:
            await self._send_event(Failed.from_error(error))
        except Exception:
            error_id = secrets.token_hex(6)
            logger.exception("a frame failed, error_id=%s", error_id)
            await self._send_event(Failed.from_error(Internal(error_id)))

    async def _show_state(self) -> None:
        """Send the whole state, then what was heard while it was read."""
        async with self._showing:
            self._held = []
            try:
                await self._send_state()
            finally:
                held, self._held = self._held, None
                for event in held:
                    await self.hear(event)

    async def hear(self, event: EncodedEvent) -> None:
        """Relay one event of the session; an end that comes over two paths is told once."""
        if self._held is not None:
            self._held.append(event)
            return
        if not self._speaker_filter.allows(event):
            return
        if event.question_id:
            if event.event_id == self._last_end_id:
                return
            self._last_end_id = event.event_id
        await self.send(text_data=event.json)

    async def _send_event(self, event: ServerEvent) -> None:
        encoded = encode_event(event)
        self._speaker_filter.allows(encoded)
        await self.send(text_data=encoded.json)

    def _call_later(self, wait_s: float, what: Callable[[], Awaitable[None]]) -> None:
        """Do it then, in place of what was to be done later."""

        def begin() -> None:
            self._later = asyncio.ensure_future(self._report_errors(what()))

        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait_s, begin)
