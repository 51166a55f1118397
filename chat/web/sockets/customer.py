"""The customer's open tab. The words are in ``docs/protocol.md``."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from django.conf import settings

from chat.conversations import cookie
from chat.conversations.realtime.events import (
    EncodedEvent,
    Failed,
    MessageAccepted,
    MessageDone,
    Pong,
    SessionEnded,
    SessionState,
)
from chat.conversations.realtime.frames import (
    AskForAdviser,
    ConfirmTicket,
    DropTicket,
    EditTicket,
    LoadMessages,
    Ping,
    SendMessage,
    StopTurn,
    SyncSession,
    TicketFrame,
    parse_frame,
)
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.failover.store import FailoverStore
from chat.conversations.store.protocol import STORE, WEB_OWNER
from chat.core import client_address, rate_limits
from chat.core.clock import now
from chat.core.errors import (
    ChatError,
    InvalidMessage,
    RateLimited,
    SessionGone,
    SessionNotFound,
    StoreUnavailable,
)
from chat.core.ids import isoformat
from chat.turns.earlier_messages import read_earlier
from chat.turns.request_adviser import request_adviser
from chat.turns.turn import stop_turn, take_turn
from chat.turns.viewers import read_state
from chat.web.sockets.base import (
    CLOSE_NOBODY,
    CLOSE_REFUSED,
    CLOSE_TOO_MANY,
    STATE_FRAMES,
    ChatSocket,
    ConnectionSlot,
)
from chat.web.sockets.ticket_buttons import press


class CustomerConsumer(ChatSocket):
    """Parses frames, asks for turns, relays events. Decides nothing, waits for no answer."""

    _waiting = False
    #: How often something said that the conversation exists.
    _lives = 0

    def __init__(self) -> None:
        super().__init__()
        self._pressing: set[asyncio.Task[None]] = set()

    async def connect(self) -> None:
        await self.accept()  # a close before accept reaches a browser as a bare 1006
        if not client_address.websocket_origin_allowed(self.scope):
            await self.close(CLOSE_REFUSED)
            return
        session_id = cookie.session_id_from(self.scope["cookies"])
        if session_id is None:
            await self.close(CLOSE_NOBODY)
            return
        self._session_id = session_id
        self._slot = ConnectionSlot(session_id, client_address.scope_address(self.scope))
        if not self._slot.take():
            await self.close(CLOSE_TOO_MANY)
            return
        await self._listening.enter_async_context(PUBSUB.get().subscribe(session_id, self.hear))
        await self._report_errors(self._show_state_soon())
        store = STORE.get()
        if isinstance(store, FailoverStore):
            await store.arrive(session_id)

    async def disconnect(self, code: int) -> None:
        if self._session_id:
            self._note_life()  # nothing is heard of it from now on
        await super().disconnect(code)

    async def _handle_frame(self, text_data: str | None) -> None:
        if text_data is None:
            raise InvalidMessage("Ce message n'est pas du texte.")
        match parse_frame(text_data, settings.ENV.chat_max_message_chars):
            case SendMessage() as message:
                await self._send_message(message)
            case StopTurn():
                await stop_turn(self._session_id, WEB_OWNER)
            case AskForAdviser():
                await self._ask_for_adviser()
            case SyncSession() | LoadMessages() as wanted:
                if await self._slow_down(STATE_FRAMES - 1):
                    await self._show(wanted)
            case Ping():
                await self._send_event(Pong())
            case ConfirmTicket() | EditTicket() | DropTicket() as button:
                # Its database may take seconds, in which "stop" must be heard.
                doing = self._report_errors(self._press(button))
                pressing = asyncio.create_task(doing, name="button")
                self._pressing.add(pressing)
                pressing.add_done_callback(self._pressing.discard)

    async def _show(self, wanted: SyncSession | LoadMessages) -> None:
        if isinstance(wanted, SyncSession):
            await self._show_state_soon()
            return
        rate_limits.check_page(self._session_id, client_address.scope_address(self.scope))
        await self._send_event(await read_earlier(self._session_id, WEB_OWNER, wanted.before))

    async def _show_state_soon(self) -> None:
        """Show the state as soon as the rate of pages allows: a page that waits for it goes on."""
        try:
            rate_limits.check_page(self._session_id, client_address.scope_address(self.scope))
        except RateLimited as limited:
            self._call_later(limited.retry_after_s or 1, self._show_state_soon)
        else:
            await self._show_state()

    async def _press(self, button: TicketFrame) -> None:
        address = client_address.scope_address(self.scope)
        for event in await press(button, self._session_id, address):
            await self._send_event(event)

    async def _send_message(self, message: SendMessage) -> None:
        try:
            await rate_limits.check_visitor(self._session_id)
            await rate_limits.check_address(client_address.scope_address(self.scope))
            turn = await take_turn(
                self._session_id,
                owner=WEB_OWNER,
                message_id=message.id,
                text=message.text,
                create="new",
                asker=self.hear,
                address=client_address.scope_address(self.scope),
            )
        except ChatError as error:
            if isinstance(error, SessionGone):
                await self._send_event(SessionEnded(error.reason))
            await self._send_event(Failed.from_error(error, message.id))
            return
        self._last_end_id = ""
        await self._send_event(MessageAccepted(message.id))
        if turn.end is not None and turn.end.answer is not None:
            await self._send_event(MessageDone(turn.end.answer))

    async def _ask_for_adviser(self) -> None:
        try:
            await request_adviser(self._session_id, client_address.scope_address(self.scope))
        except SessionGone as gone:
            await self._send_event(SessionEnded(gone.reason))

    async def _send_state(self) -> None:
        try:
            state = await self._state()
            await self._send_event(state)
            if state.waiting:
                PUBSUB.get().expect_end(self._session_id)
            self._watch_expiry(datetime.fromisoformat(state.expires_at))
            if state.ended:
                await self._send_event(SessionEnded("ended"))
        except SessionGone as gone:
            await self._send_event(SessionEnded(gone.reason))
        except StoreUnavailable:
            self._call_later(self._rules.sync_again_s, self._show_state)
            if not self._waiting:  # told once, then the page waits
                self._waiting = True
                raise
        else:
            self._waiting = False

    async def _state(self) -> SessionState:
        lives = self._lives
        try:
            return await read_state(self._session_id, WEB_OWNER)
        except SessionGone:
            raise
        except SessionNotFound:  # nothing was said yet
            self._note_absence(lives)
            expires_at = now() + timedelta(seconds=settings.ENV.session_ttl_s)
            return SessionState.empty(isoformat(expires_at), STORE.get().backend)

    async def hear(self, event: EncodedEvent) -> None:
        """Relay one event of the session."""
        if event.type == MessageDone.type:
            self._note_life()
        await super().hear(event)

    def _note_absence(self, lives: int) -> None:
        """The conversation is nowhere, unless it was heard of while that was read."""
        store = STORE.get()
        if isinstance(store, FailoverStore) and lives == self._lives:
            store.note_absence(self._session_id)

    def _note_life(self) -> None:
        """The conversation may be there by now, though this worker read that it was not."""
        self._lives += 1
        store = STORE.get()
        if isinstance(store, FailoverStore):
            store.forget_absence(self._session_id)

    def _watch_expiry(self, expires_at: datetime) -> None:
        wait_s = max(0.0, (expires_at - datetime.now(UTC)).total_seconds()) + 0.2
        self._call_later(wait_s, self._tell_expiry)

    async def _tell_expiry(self) -> None:
        try:
            session = await STORE.get().load(self._session_id, WEB_OWNER)
        except SessionGone as gone:
            await self._send_event(SessionEnded(gone.reason))
        except SessionNotFound:
            return
        else:
            self._watch_expiry(session.expires_at)
