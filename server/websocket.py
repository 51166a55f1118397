"""WebSockets of daphne, with a bound on every queue, every message and every wait."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable
from typing import IO, Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from chat.core import metrics
from server.limits import KIB, MAX_BODY_BYTES, MIB
from server.loop import event_loop

Event = dict[str, Any]

#: A queue that holds as much is full. A text may take four times its bytes in memory.
MAX_FRAMES = 64
MAX_FRAME_BYTES = 128 * KIB

#: One piece of a body, as the application gets it.
CHUNK_BYTES = 64 * KIB


class ReceiveQueue(asyncio.Queue[Event]):
    """Frames for a socket's application. Never blocks who puts: look at ``is_full``.

    ``on_room`` is called each time half of it is free after a frame was taken.
    """

    def __init__(self, on_room: Callable[[], object]) -> None:
        super().__init__()
        self._on_room = on_room
        self._held_bytes = 0

    @property
    def is_full(self) -> bool:
        return self.qsize() >= MAX_FRAMES or self._held_bytes >= MAX_FRAME_BYTES

    def _put(self, item: Event) -> None:
        super()._put(item)
        self._held_bytes += _weight(item)

    def _get(self) -> Event:
        event = super()._get()
        self._held_bytes -= _weight(event)
        if self.qsize() <= MAX_FRAMES // 2 and self._held_bytes <= MAX_FRAME_BYTES // 2:
            self._on_room()
        return event


class BodyOnDisk(asyncio.Queue[Event]):
    """A request for the application, its long body read from a file piece by piece.

    daphne puts the whole body in at once; the pieces are dropped here and read again when the
    application asks for them.
    """

    _queue: deque[Event]

    def __init__(self, body: IO[bytes]) -> None:
        super().__init__()
        self._body = body
        self._left = 0

    def put_nowait(self, item: Event) -> None:
        if item["type"] == "http.request":
            self._left += len(item["body"])
            if item["more_body"]:
                return
            self._body.seek(0)
            item = {"type": "http.request"}
        super().put_nowait(item)

    def _get(self) -> Event:
        event = super()._get()
        if event["type"] != "http.request":
            return event
        if self._body.closed:  # the client is gone
            return {"type": "http.disconnect"}
        chunk = self._body.read(CHUNK_BYTES)
        self._left -= len(chunk)
        if self._left > 0:
            self._queue.appendleft(event)
        return {"type": "http.request", "body": chunk, "more_body": self._left > 0}


def _weight(event: Event) -> int:
    return len(event.get("text") or event.get("bytes") or b"")


logger = logging.getLogger(__name__)

CLOSE_TOO_BIG = 1009
CLOSE_INTERNAL = 1011
CLOSE_RESTART = 1012
CLOSE_FLOOD = 4429

#: A message may be this long; a longer one is discarded as it arrives, and refused.
MAX_MESSAGE_BYTES = MAX_BODY_BYTES
#: A message this long ends the connection.
MAX_DISCARDED_BYTES = MIB
#: So many refused messages are a mistake of the client; one more ends the connection.
MAX_REFUSED = 10
#: What each further fragment of a message counts for besides its bytes: empty ones are not free.
FRAGMENT_BYTES = 64

#: Heads and bodies of frames of one client handled before others have their turn.
STEPS_AT_ONCE = 200

#: A client is behind when as much is unsent. Short frames take 30 times their bytes in memory.
BUFFER_BYTES = 16 * KIB
#: A client that is behind, and to which so much more was sent, is dropped.
MAX_UNSENT_BYTES = 512 * KIB
#: What each frame that waits counts for besides its bytes.
FRAME_BYTES = 64


class Socket(WebSocketProtocol):
    """One WebSocket. As a producer for its transport it learns whether the client reads."""

    _asked = False
    _choked = False
    _unsent_bytes = 0
    _dropped = False
    _held = False
    _flooded_since: float | None = None
    _refused_count = 0

    def connectionMade(self) -> None:
        self.transport.unregisterProducer()  # the HTTP channel of before
        self.transport.bufferSize = BUFFER_BYTES
        self.transport.registerProducer(self, True)
        super().connectionMade()

    def make_receive_queue(self) -> ReceiveQueue:
        """Return what the application will receive from."""
        self._receive_queue = ReceiveQueue(self._on_room)
        return self._receive_queue

    async def room(self) -> None:
        """Nobody waits for a slow client: see ``sendData``."""

    @property
    def talks(self) -> bool:
        return bool(self.state == self.STATE_OPEN)

    # Opening and closing

    def onConnect(self, request: Any) -> Any:
        self._asked = True
        return super().onConnect(request)

    def onOpen(self) -> None:
        super().onOpen()
        # Spread the pings of sockets that came back together.
        spread_s = random.uniform(0, self.server.ping_interval)  # noqa: S311 # nosec B311
        self.last_ping = time.time() - spread_s

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        if self._asked:  # else the handshake failed before anybody was told of it
            super().onClose(wasClean, code, reason)

    def serverClose(self, code: int | None = None) -> None:
        """Close with any code; autobahn's ``sendClose`` refuses 1011 and 1012."""
        if self.talks:
            self.sendCloseFrame(code=code or 1000)
            self._on_room()  # what still comes is thrown away, up to the client's close frame
        elif hasattr(self, "handshake_deferred"):
            self.serverReject()

    def application_ended(self, exception: BaseException | None) -> None:
        """A socket without an application would be a dead end."""
        if exception is not None:
            logger.error("a WebSocket's application failed", exc_info=exception)
        if self.talks:
            self.serverClose(CLOSE_INTERNAL if exception else None)
        elif hasattr(self, "handshake_deferred"):
            self.handle_exception(exception)

    def check_timeouts(self) -> None:
        """Called now and then."""
        now = time.time()
        if self.state == self.STATE_CONNECTING:
            if now - self.socket_opened > self.server.websocket_connect_timeout:
                self.serverClose()
        elif self._is_flooding():
            metrics.clients_dropped.labels(reason="flood").inc()
            self.serverClose(CLOSE_FLOOD)
        elif (
            self.talks
            and self.autoPingTimeoutCall is None
            and now - self.last_ping > self.server.ping_interval
        ):
            self._sendAutoPing()
            self.last_ping = now

    # Receiving

    def dataReceived(self, data: bytes) -> None:
        if self._asked and self.state == self.STATE_CONNECTING:
            self._drop("flood")  # a client must wait for our answer: RFC 6455, section 4.1
        else:
            super().dataReceived(data)

    def consumeData(self) -> None:
        """Handle some of the frames received; the rest when others had their turn."""
        if self.state not in (self.STATE_OPEN, self.STATE_CLOSING):
            super().consumeData()
            return
        for _ in range(STEPS_AT_ONCE):
            if self._is_full or not self.processData() or self.state == self.STATE_CLOSED:
                break
        else:
            event_loop.call_soon(self._go_on)
            self._hold()
            return
        if self._is_full:
            self._flooded_since = event_loop.time()
            self._hold()

    def onMessageBegin(self, isBinary: bool) -> None:
        self.message_is_binary = isBinary
        self._message = bytearray()
        self._message_cost = -FRAGMENT_BYTES

    def onMessageFrameBegin(self, length: int) -> None:
        self._message_cost += FRAGMENT_BYTES + length
        if self._message_cost > MAX_DISCARDED_BYTES:
            self.serverClose(CLOSE_TOO_BIG)
        elif self._is_too_long:
            self._message.clear()

    def onMessageFrameData(self, payload: bytes) -> None:
        if self.talks and not self._is_too_long:
            self._message += payload

    def onMessageFrameEnd(self) -> None:
        pass

    def onMessageEnd(self) -> None:
        message, self._message = bytes(self._message), bytearray()
        if self.talks and self._is_too_long:
            self._refuse_message()
        elif self.talks:
            self.onMessage(message, self.message_is_binary)

    @property
    def _is_too_long(self) -> bool:
        return self._message_cost > MAX_MESSAGE_BYTES

    @property
    def _is_full(self) -> bool:
        return self.talks and self._receive_queue.is_full

    def _refuse_message(self) -> None:
        self._refused_count += 1
        if self._refused_count > MAX_REFUSED:
            self.serverClose(CLOSE_TOO_BIG)
        else:
            self.serverSend(self.factory.too_long)

    def _hold(self) -> None:
        if not self._held:
            self._held = True
            self.transport.pauseProducing()

    def _go_on(self) -> None:
        """Handle what was received and not looked at, then listen again."""
        if not self._held or self.state == self.STATE_CLOSED:
            return
        self._held = False
        self._flooded_since = None
        self.consumeData()
        if not self._held and self.state != self.STATE_CLOSED:
            self.transport.resumeProducing()

    def _on_room(self) -> None:
        if self._flooded_since is not None:
            self._flooded_since = None
            event_loop.call_soon(self._go_on)

    def _is_flooding(self) -> bool:
        since = self._flooded_since
        return since is not None and event_loop.time() - since > self.server.bounds.flood_s

    # Sending

    def handle_reply(self, message: Event) -> None:
        """Do what the application says; after the end of the socket, nothing."""
        if self.state in (self.STATE_CONNECTING, self.STATE_OPEN):
            super().handle_reply(message)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Write, unless too much is already waiting for a client that does not read."""
        if self._choked:
            self._unsent_bytes += len(data) + FRAME_BYTES
            if self._unsent_bytes > MAX_UNSENT_BYTES:
                self._drop("slow")
                return
        super().sendData(data, sync, chopsize)

    def pauseProducing(self) -> None:
        """The transport's buffer is full. What was written so far, a long state, is not counted."""
        if not self._choked:
            self._choked = True
            self._unsent_bytes = 0

    def resumeProducing(self) -> None:
        """Everything was sent."""
        self._choked = False

    def stopProducing(self) -> None:
        """The connection is lost."""
        self._choked = False

    def _drop(self, reason: str) -> None:
        if not self._dropped:
            self._dropped = True
            metrics.clients_dropped.labels(reason=reason).inc()
            self.transport.abortConnection()


class SocketFactory(WebSocketFactory):
    """``too_long``: the text frame that answers a message over ``MAX_MESSAGE_BYTES``."""

    protocol = Socket

    def __init__(self, worker: Any, *, too_long: str) -> None:
        super().__init__(worker, server="")
        self.too_long = too_long
