"""An adviser's view of one conversation. The words are in ``docs/protocol.md``."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from chat.conversations.realtime.events import (
    AdviserAsked,
    EncodedEvent,
    Pong,
    SessionEnded,
    SpeakerChanged,
)
from chat.conversations.realtime.frames import LoadMessages, Ping, SyncSession, parse_frame
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.adviser_store import desk_key
from chat.conversations.store.protocol import ANY_OWNER, STORE
from chat.core import client_address
from chat.core.errors import InvalidMessage, SessionGone, SessionNotFound, StoreUnavailable
from chat.turns.earlier_messages import read_earlier
from chat.web.sockets.base import (
    CLOSE_NOBODY,
    CLOSE_REFUSED,
    CLOSE_TOO_MANY,
    STATE_FRAMES,
    ChatSocket,
    ConnectionSlot,
)
from chat.web.sockets.desk_state import read_desk_state
from chat.web.sockets.staff import Viewer, aviewer_of

logger = logging.getLogger(__name__)

CLOSE_NOT_FOUND = 4404
CLOSE_COME_BACK = 1012

_RESHOWN = (SpeakerChanged.type, AdviserAsked.type)


class AdviserConsumer(ChatSocket):
    """Shows; what an adviser does comes by HTTP."""

    def __init__(self) -> None:
        super().__init__()
        self._viewer: Viewer | None = None
        self._confirmed_at = 0.0
        self._is_mine = False
        self._watching: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.accept()  # a close before accept reaches a browser as a bare 1006
        code = await self._refusal()
        if code:
            await self.close(code)
            return
        for key in (self._session_id, desk_key(self._session_id)):
            await self._listening.enter_async_context(PUBSUB.get().subscribe(key, self.hear))
        await self._report_errors(self._show_state())
        self._watching = asyncio.create_task(self._watch(), name="desk")

    async def disconnect(self, code: int) -> None:
        if self._watching is not None:
            self._watching.cancel()
        await super().disconnect(code)

    async def _refusal(self) -> int:
        """Return the code with which to close, 0 when everything is right."""
        if not client_address.websocket_origin_allowed(self.scope):
            return CLOSE_REFUSED
        try:
            viewer = self._viewer = await aviewer_of(self.scope["session"].session_key)
            if viewer is None or not viewer.may_watch:
                return CLOSE_NOBODY if viewer is None else CLOSE_REFUSED
            self._session_id = await STORE.get().find(self.scope["url_route"]["kwargs"]["ref"])
        except SessionNotFound:
            return CLOSE_NOT_FOUND
        except (StoreUnavailable, DatabaseError, InterfaceError):
            return CLOSE_COME_BACK
        self._confirmed_at = asyncio.get_running_loop().time()
        self._slot = ConnectionSlot(f"staff {viewer.id}", client_address.scope_address(self.scope))
        return 0 if self._slot.take() else CLOSE_TOO_MANY

    async def _handle_frame(self, text_data: str | None) -> None:
        if text_data is None:
            raise InvalidMessage("Ce message n'est pas du texte.")
        match parse_frame(text_data, settings.ENV.chat_max_message_chars):
            case SyncSession():
                if await self._slow_down(STATE_FRAMES - 1) and await self._is_allowed():
                    await self._show_state()
            case LoadMessages(before):
                if await self._slow_down(STATE_FRAMES - 1) and await self._is_allowed():
                    await self._send_event(await read_earlier(self._session_id, ANY_OWNER, before))
            case Ping():
                await self._send_event(Pong())
            case _:
                raise InvalidMessage("Ce message n'est pas reconnu.")

    async def hear(self, event: EncodedEvent) -> None:
        """Relay one event; who answers is shown with all that it means for the staff."""
        await super().hear(event)
        if self._held is None and event.type in _RESHOWN:
            self._call_later(0, self._show_state)

    async def _send_state(self) -> None:
        user_id = self._viewer.id if self._viewer else ""
        try:
            state = await read_desk_state(self._session_id, user_id)
        except SessionGone as gone:
            await self._send_event(SessionEnded(gone.reason))
        else:
            self._is_mine = state.holder is not None and state.holder["mine"]
            await self._send_event(state)

    async def _watch(self) -> None:
        """Until they leave or lose their rights: note that the holder is there."""
        loop, rules = asyncio.get_running_loop(), self._rules
        renewed_at = loop.time()
        while True:
            await asyncio.sleep(rules.rights_every_s)
            if not await self._is_allowed():
                return
            is_due = loop.time() - renewed_at >= rules.renew_assignment_every_s
            if self._is_mine and self._viewer and is_due:
                renewed_at = loop.time()
                with suppress(StoreUnavailable):
                    await STORE.get().renew_assignment(self._session_id, self._viewer.id)

    async def _is_allowed(self) -> bool:
        """Read the rights again; without them, close."""
        loop = asyncio.get_running_loop()
        try:
            viewer = await aviewer_of(self.scope["session"].session_key)
        except (DatabaseError, InterfaceError):
            if loop.time() - self._confirmed_at <= self._rules.rights_outage_s:
                return True
            await self.close(CLOSE_COME_BACK)
            return False
        if viewer is None or not viewer.may_watch or viewer != self._viewer:
            await self._listening.aclose()
            await self.close(CLOSE_REFUSED)
            return False
        self._confirmed_at = loop.time()
        return True
