"""The customer's open tab. The words are in ``docs/protocol.md``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from django.conf import settings

from chat import addresses, limits, live
from chat.assistant.asking import ask_for_human
from chat.assistant.turn import read_state, start_sweeping, stop_turn, take_turn
from chat.consumers.socket import (
    CLOSE_NOBODY,
    CLOSE_REFUSED,
    CLOSE_TOO_MANY,
    STATE_FRAMES,
    ChatSocket,
)
from chat.consumers.sockets import Place
from chat.consumers.ticket_buttons import press
from chat.errors import ChatError, InvalidMessage, SessionGone, SessionNotFound, StoreUnavailable
from chat.frames import (
    AskForAdviser,
    ConfirmTicket,
    DropTicket,
    EditTicket,
    Ping,
    SendMessage,
    StopTurn,
    SyncSession,
    TicketFrame,
    parse_frame,
)
from chat.protocol import (
    Envelope,
    Failed,
    MessageAccepted,
    MessageDone,
    Pong,
    SessionEnded,
    SessionState,
)
from chat.sessions import cookie
from chat.sessions.store import WEB_OWNER, default_store
from chat.sessions.switch import SwitchStore
from chat.sessions.types import isoformat, now

#: A conversation that cannot be read now is tried again this often.
SYNC_AGAIN_S = 1.0


class CustomerConsumer(ChatSocket):
    """Parses frames, asks for turns, relays events. Decides nothing, waits for no answer."""

    _waiting = False

    def __init__(self) -> None:
        super().__init__()
        self._pressing: set[asyncio.Task[None]] = set()

    async def connect(self) -> None:
        await self.accept()  # a close before accept reaches a browser as a bare 1006
        if not addresses.websocket_origin_allowed(self.scope):
            await self.close(CLOSE_REFUSED)
            return
        session_id = cookie.session_id_from(self.scope["cookies"])
        if session_id is None:
            await self.close(CLOSE_NOBODY)
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
        if self._session_id and default_store().backend == "redis":
            self._note_life()  # nothing is heard of it from now on
        await super().disconnect(code)

    async def _obey(self, text_data: str | None) -> None:
        if text_data is None:
            raise InvalidMessage("Ce message n'est pas du texte.")
        match parse_frame(text_data, settings.ENV.chat_max_message_chars):
            case SendMessage() as message:
                await self._send_message(message)
            case StopTurn():
                await stop_turn(self._session_id, WEB_OWNER)
            case AskForAdviser():
                await self._ask_for_adviser()
            case SyncSession():
                if await self._slow_down(STATE_FRAMES - 1):
                    await self._show_state()
            case Ping():
                await self._say(Pong())
            case ConfirmTicket() | EditTicket() | DropTicket() as button:
                # Its database may take seconds, in which "stop" must be heard.
                pressing = asyncio.create_task(self._answered(self._press(button)), name="button")
                self._pressing.add(pressing)
                pressing.add_done_callback(self._pressing.discard)

    async def _press(self, button: TicketFrame) -> None:
        address = addresses.scope_address(self.scope)
        for event in await press(button, self._session_id, address):
            await self._say(event)

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

    async def _ask_for_adviser(self) -> None:
        try:
            await ask_for_human(self._session_id, addresses.scope_address(self.scope))
        except SessionGone as gone:
            await self._say(SessionEnded(gone.reason))

    async def _tell_state(self) -> None:
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

    async def _state(self) -> SessionState:
        try:
            return await read_state(self._session_id, WEB_OWNER)
        except SessionGone:
            raise
        except SessionNotFound:  # nothing was said yet
            expires_at = now() + timedelta(seconds=settings.ENV.session_ttl_s)
            return SessionState.empty(isoformat(expires_at), default_store().backend)

    async def hear(self, envelope: Envelope) -> None:
        """Relay one event of the session."""
        if envelope.type == MessageDone.type:
            self._note_life()
        await super().hear(envelope)

    def _note_life(self) -> None:
        """The conversation may be there by now, though this worker read that it was not."""
        store = default_store()
        if isinstance(store, SwitchStore):
            store.forget_absence(self._session_id)

    def _watch_expiry(self, expires_at: datetime) -> None:
        wait_s = max(0.0, (expires_at - datetime.now(UTC)).total_seconds()) + 0.2
        self._call_later(wait_s, self._tell_expiry)

    async def _tell_expiry(self) -> None:
        try:
            session = await default_store().load(self._session_id, WEB_OWNER)
        except SessionGone as gone:
            await self._say(SessionEnded(gone.reason))
        except SessionNotFound:
            return
        else:
            self._watch_expiry(session.expires_at)
