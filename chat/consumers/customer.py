"""The customer's open tab. The words are in ``docs/protocol.md``."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from chat import addresses, limits, live, metrics
from chat.assistant.turn import read_state, start_sweeping, stop_turn, take_turn
from chat.consumers.pace import Pace
from chat.consumers.sockets import Place
from chat.errors import (
    ChatError,
    Internal,
    InvalidMessage,
    SessionGone,
    SessionNotFound,
    StoreUnavailable,
)
from chat.frames import Ping, SendMessage, StopTurn, SyncSession, parse_frame
from chat.protocol import (
    Envelope,
    Failed,
    MessageAccepted,
    MessageDone,
    Pong,
    ServerEvent,
    SessionEnded,
    SessionState,
    sealed,
)
from chat.sessions import cookie
from chat.sessions.store import WEB_OWNER, default_store
from chat.sessions.switch import SwitchStore
from chat.sessions.types import isoformat, now

if TYPE_CHECKING:
    from asgiref.typing import WebSocketDisconnectEvent

logger = logging.getLogger(__name__)

CLOSE_NO_COOKIE = 4401
CLOSE_REFUSED = 4403
CLOSE_TOO_MANY = 4429

#: Frames that are heard at once, and then in a second; who sends more is heard later, and who goes
#: on like that for so long is cut. A state costs as much as several other frames.
FRAMES_AT_ONCE = 100
FRAMES_PER_S = 10
STATE_FRAMES = 5
LONGEST_SLOWED_S = 4.0

#: A conversation that cannot be read now is tried again this often.
SYNC_AGAIN_S = 1.0


class CustomerConsumer(AsyncWebsocketConsumer):
    """Parses frames, asks for turns, relays events. Decides nothing, waits for no answer."""

    channel_layer_alias = "none"  # ``live`` listens once for the whole process

    def __init__(self) -> None:
        super().__init__()
        self._session_id = ""
        self._place = Place("", "")
        self._pace = Pace(FRAMES_AT_ONCE, FRAMES_PER_S, time.monotonic())
        self._listening = AsyncExitStack()
        self._held: list[Envelope] | None = None
        self._last_end = ""
        self._waiting = False
        self._timer: asyncio.TimerHandle | None = None
        self._later: asyncio.Task[None] | None = None

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Call the method for this message, without the thread hop for Django's database
        connections that Channels makes each time: none is used here.
        """
        await getattr(self, get_handler_name(message))(message)

    async def websocket_disconnect(self, message: WebSocketDisconnectEvent) -> None:
        """End, again without Channels' look at database connections."""
        await self.disconnect(message["code"])
        raise StopConsumer

    async def connect(self) -> None:
        await self.accept()  # a close before accept reaches a browser as a bare 1006
        if not addresses.websocket_origin_allowed(self.scope):
            await self.close(CLOSE_REFUSED)
            return
        session_id = cookie.session_id_from(self.scope["cookies"])
        if session_id is None:
            await self.close(CLOSE_NO_COOKIE)
            return
        self._session_id = session_id
        self._place = Place(session_id, addresses.scope_address(self.scope))
        if not self._place.take():
            await self.close(CLOSE_TOO_MANY)
            return
        start_sweeping()
        await self._listening.enter_async_context(live.listening(session_id, self.hear))
        await self._answered(self._show_state())

    async def disconnect(self, code: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._place.leave()
        if self._session_id and default_store().backend == "redis":
            self._note_life()  # nothing is heard of it from now on
        await self._listening.aclose()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if await self._slow_down():
            await self._answered(self._obey(text_data))

    async def _slow_down(self, frames: int = 1) -> bool:
        """Count so many frames, and wait when they are too many. Return whether to go on."""
        if self._pace.slowed_s > LONGEST_SLOWED_S:
            return False  # what was sent before the end was heard
        wait_s = self._pace.wait_s(time.monotonic(), frames)
        if self._pace.slowed_s > LONGEST_SLOWED_S:
            metrics.clients_dropped.labels(reason="flood").inc()
            await self.close(CLOSE_TOO_MANY)
            return False
        if wait_s:
            await asyncio.sleep(wait_s)
        return True

    async def _answered(self, doing: Awaitable[None]) -> None:
        """Do it; whatever goes wrong is told, and the socket stays open."""
        try:
            await doing
        except ChatError as error:
            await self._say(Failed.from_error(error))
        except Exception:
            error_id = secrets.token_hex(6)
            logger.exception("a frame failed, error_id=%s", error_id)
            await self._say(Failed.from_error(Internal(error_id)))

    async def _obey(self, text_data: str | None) -> None:
        if text_data is None:
            raise InvalidMessage("Ce message n'est pas du texte.")
        match parse_frame(text_data, settings.ENV.chat_max_message_chars):
            case SendMessage() as message:
                await self._send_message(message)
            case StopTurn():
                await stop_turn(self._session_id, WEB_OWNER)
            case SyncSession():
                if await self._slow_down(STATE_FRAMES - 1):
                    await self._show_state()
            case Ping():
                await self._say(Pong())

    async def _send_message(self, message: SendMessage) -> None:
        try:
            await limits.check_visitor(self._session_id)
            await limits.check_address(addresses.scope_address(self.scope))
            turn = await take_turn(
                self._session_id,
                owner=WEB_OWNER,
                message_id=message.id,
                text=message.text,
                create="new",
                asker=self.hear,
            )
        except ChatError as error:
            if isinstance(error, SessionGone):
                await self._say(SessionEnded(error.reason))
            await self._say(Failed.from_error(error, message.id))
            return
        self._last_end = ""
        await self._say(MessageAccepted(message.id))
        if turn.end is not None and turn.end.answer is not None:
            await self._say(MessageDone(turn.end.answer))

    async def _show_state(self) -> None:
        """Send the whole state, then what was heard while it was read."""
        self._held = []
        try:
            state = await self._state()
            await self._say(state)
            if state.waiting:
                live.await_end(self._session_id)
            self._watch_expiry(datetime.fromisoformat(state.expires_at))
            if state.ended:
                await self._say(SessionEnded("ended"))
        except SessionGone as gone:
            await self._say(SessionEnded(gone.reason))
        except StoreUnavailable:
            self._call_later(SYNC_AGAIN_S, self._show_state)
            if not self._waiting:  # told once, then the page waits
                self._waiting = True
                raise
        else:
            self._waiting = False
        finally:
            held, self._held = self._held, None
            for envelope in held:
                await self.hear(envelope)

    async def _state(self) -> SessionState:
        try:
            return await read_state(self._session_id, WEB_OWNER)
        except SessionGone:
            raise
        except SessionNotFound:  # nothing was said yet
            expires_at = now() + timedelta(seconds=settings.ENV.session_ttl_s)
            return SessionState.empty(isoformat(expires_at), default_store().backend)

    async def hear(self, envelope: Envelope) -> None:
        """Relay one event of the session; an end that comes over two paths is told once."""
        if envelope.type == MessageDone.type:
            self._note_life()
        if self._held is not None:
            self._held.append(envelope)
            return
        if envelope.about:
            if envelope.text == self._last_end:
                return
            self._last_end = envelope.text
        await self.send(text_data=envelope.text)

    async def _say(self, event: ServerEvent) -> None:
        await self.send(text_data=sealed(event).text)

    def _note_life(self) -> None:
        """The conversation may be there by now, though this worker read that it was not."""
        store = default_store()
        if isinstance(store, SwitchStore):
            store.forget_absence(self._session_id)

    def _watch_expiry(self, expires_at: datetime) -> None:
        wait_s = max(0.0, (expires_at - datetime.now(UTC)).total_seconds()) + 0.2
        self._call_later(wait_s, self._tell_expiry)

    def _call_later(self, wait_s: float, what: Callable[[], Awaitable[None]]) -> None:
        """Do it then, in place of what was to be done later."""

        def begin() -> None:
            self._later = asyncio.ensure_future(self._answered(what()))

        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait_s, begin)

    async def _tell_expiry(self) -> None:
        try:
            session = await default_store().load(self._session_id, WEB_OWNER)
        except SessionGone as gone:
            await self._say(SessionEnded(gone.reason))
        except SessionNotFound:
            return
        else:
            self._watch_expiry(session.expires_at)
