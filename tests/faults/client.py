"""An honest page: it sends until it is accepted, comes back after every cut, remembers all."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidHandshake, WebSocketException

from tests.faults.records import Ending, TabRecord
from tests.faults.view import View

#: The page's 20 s and 45 s, shortened: a suite cannot wait for a browser's patience.
PING_S = 0.8
SILENCE_S = 2.4
OPEN_S = 2.0
FIRST_WAIT_S = 0.1
LONGEST_WAIT_S = 1.0
#: Refused in the same way however often it is sent.
FINAL = {"invalid_json", "invalid_message", "payload_too_large", "id_conflict", "forbidden"}
MAX_RETRIES = 3


class Tab:
    """``where`` says which worker to connect to now, e.g. "127.0.0.1:8000"."""

    def __init__(
        self, name: str, cookie: str, where: Callable[[], str], rng: random.Random
    ) -> None:
        self.record = TabRecord(name=name)
        self.address = ""
        self.outbox: dict[str, str] = {}
        self.view = View()
        self.is_connected = False
        self._cookie = cookie
        self._where = where
        self._rng = rng
        self._socket: ClientConnection | None = None
        self._retries: dict[str, int] = {}
        self._syncing = False
        self._changed = asyncio.Event()
        self._resending: set[asyncio.Task[None]] = set()
        self._task = asyncio.create_task(self._live(), name=f"tab {name}")
        self.heard = 0
        self.on_delta: Callable[[], None] = lambda: None

    @property
    def cookies(self) -> dict[str, str]:
        return {"chat_session": self._cookie.removeprefix("chat_session=")}

    # What its customer does

    async def ask(self, id_: str, text: str) -> None:
        """Write a message; it is sent now and after every cut until it is accepted."""
        self.record.asked[id_] = text
        self.outbox[id_] = text
        await self._send_message(id_)

    async def stop(self) -> None:
        await self._send({"type": "turn.stop"})

    async def retry(self, id_: str) -> None:
        """Ask again what failed."""
        self._retries[id_] = self._retries.get(id_, 0) + 1
        self.record.retried.add(id_)
        self.view.ask_again(id_)
        self.outbox[id_] = self.record.asked[id_]
        await self._send_message(id_)

    def may_retry(self, id_: str) -> bool:
        return self._retries.get(id_, 0) < MAX_RETRIES

    def cut(self) -> None:
        """Lose the connection, as under a bridge."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def leave(self) -> None:
        self._task.cancel()
        for task in self._resending:
            task.cancel()
        await asyncio.wait({self._task, *self._resending})
        self.record.view = self.view

    # What it waits for

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def accepted(self, id_: str) -> None:
        await self.until(lambda: id_ not in self.outbox or bool(self.view.ended))

    async def answered(self, id_: str) -> None:
        """Wait for the end of a question; one that failed is asked again, a few times."""
        while True:
            await self.until(lambda: self.has_end(id_))
            if id_ not in self.view.failed or self.view.ended or not self.may_retry(id_):
                return
            await asyncio.sleep(0.3 + self._rng.random() / 2)
            if id_ in self.view.failed:
                await self.retry(id_)

    def has_end(self, id_: str) -> bool:
        if self.view.ended or id_ in self.record.refused:
            return True
        return id_ not in self.outbox and id_ not in self.view.waiting

    @property
    def is_settled(self) -> bool:
        if self.view.ended:
            return True
        view = self.view
        return (
            self.is_connected
            and not (self.outbox or view.waiting or view.draft_id)
            and view.backend == "redis"
        )

    # The connection

    async def _live(self) -> None:
        attempt = 0
        while not self.view.ended:
            self.address = self._where()
            heard = self.heard
            with suppress(OSError, TimeoutError, WebSocketException, InvalidHandshake):
                await self._connect()
            self._socket, self.is_connected = None, False
            attempt = 0 if self.heard > heard else attempt + 1
            wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt)
            await asyncio.sleep(wait_s * (0.5 + self._rng.random() / 2))

    async def _connect(self) -> None:
        async with websockets.connect(
            f"ws://{self.address}/ws/chat/",
            additional_headers={"Cookie": self._cookie},
            origin=f"http://{self.address}",  # type: ignore[arg-type]
            open_timeout=OPEN_S,
            close_timeout=0.2,
            ping_interval=None,
            max_size=None,
            proxy=None,
        ) as socket:
            self._socket = socket
            self._syncing = False
            self.record.connections += 1
            for id_ in list(self.outbox):
                await self._send_message(id_)
            try:
                await self._listen(socket)
            finally:
                socket.transport.abort()

    async def _listen(self, socket: ClientConnection) -> None:
        loop = asyncio.get_running_loop()
        heard_at = loop.time()
        while not self.view.ended:
            try:
                async with asyncio.timeout(PING_S):
                    event = json.loads(await socket.recv())
            except TimeoutError:
                if loop.time() - heard_at > SILENCE_S:
                    return
                await self._send({"type": "ping"})
                continue
            heard_at = loop.time()
            self.heard += 1
            await self._hear(event, heard_at)
            self._changed.set()

    async def _send(self, frame: dict[str, Any]) -> None:
        if self._socket is not None:
            with suppress(WebSocketException, OSError):
                await self._socket.send(json.dumps(frame))

    async def _send_message(self, id_: str) -> None:
        await self._send({"type": "message.send", "id": id_, "text": self.outbox[id_]})

    # What it hears

    async def _hear(self, event: dict[str, Any], at: float) -> None:
        kind = event["type"]
        before = len(self.view.wrong)
        if kind == "session.state":
            self._note_state(event)
            shown = len(self.view.lines), len(self.view.waiting)
        gap = self.view.hear(event)
        if kind == "session.state" and shown != (len(self.view.lines), len(self.view.waiting)):
            self.record.progressed_at.append(at)
        if len(self.view.wrong) > before:
            self.view.wrong[-1] += f" (at {self.record.name}, after {kind})"
        if kind in {"message.delta", "message.done"}:
            self.record.progressed_at.append(at)
            self.on_delta()
        if kind == "message.delta":
            self.record.spoke_at.append(at)
        if kind == "message.accepted":
            self._note_accepted(event["id"])
        elif kind == "message.done" and event["message"]["reply_to"]:
            message = event["message"]
            self._note_end(message["reply_to"], "done", message["id"], message["text"])
        elif kind == "error":
            self._note_error(event)
        if gap and not self._syncing:
            self._syncing = True
            await self._send({"type": "session.sync"})

    def _note_state(self, event: dict[str, Any]) -> None:
        self.is_connected = True
        self._syncing = False
        told = {message["id"] for message in event["messages"]}
        self.record.blanked += bool(self.view.lines) and not told
        if event["storage_backend"] == "redis" == self.view.backend:
            self.record.vanished += [line.id for line in self.view.lines if line.id not in told]

    def _note_accepted(self, id_: str) -> None:
        text = self.outbox.pop(id_, None)
        if text is not None:
            self.record.progressed_at.append(asyncio.get_running_loop().time())
            self.record.accepted.append(id_)
            self.view.accept(id_, text)

    def _note_error(self, event: dict[str, Any]) -> None:
        id_, code = event.get("id", ""), event["code"]
        if code == "internal":
            self.record.internal.append(event["message"])
        if id_ in self.outbox:
            if code in FINAL:
                self.record.refused[id_] = code
                del self.outbox[id_]
                return
            wait_s = min(1.0, event.get("retry_after_s", 1)) * (0.3 + self._rng.random() / 2)
            task = asyncio.create_task(self._resend(id_, wait_s))
            self._resending.add(task)
            task.add_done_callback(self._resending.discard)
        elif id_:
            self._note_end(id_, code)

    async def _resend(self, id_: str, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        if id_ in self.outbox:
            await self._send_message(id_)

    def _note_end(self, question: str, how: str, answer_id: str = "", text: str = "") -> None:
        ending = Ending(question, how, answer_id, text, self.view.backend)
        self.record.endings.append(ending)
