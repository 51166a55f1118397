"""HTTP connections and requests: daphne's, with every quantity and every wait bounded."""

from __future__ import annotations

import asyncio
import logging
import secrets
from io import BytesIO
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.web import http

from chat import draining, metrics
from chat.errors import ChatError, Internal, PayloadTooLarge
from meuble_project.server.inbox import BodyOnDisk, Event
from meuble_project.server.limits import KIB, MAX_BODY_BYTES, body_limit, problem
from meuble_project.server.loop import event_loop

logger = logging.getLogger(__name__)

#: Between two requests. Longer than proxies keep theirs (nginx: 60 s): where the proxy closes
#: first, it never meets a connection that we close under its request.
IDLE_S = 75
HEAD_S = 20
BODY_S = 60
LONG_BODY_S = 300
#: A client that takes nothing of its answer for so long is dropped.
STALLED_S = 30
#: How long a client may go on sending after it was refused: closing at once would destroy the
#: answer on its way (RFC 9112, section 9.6). Also how long the last bytes may take.
LINGER_S = 5


class Channel(http.HTTPChannel):
    """One HTTP connection. ``check`` is called now and then, in place of timers."""

    transport: Any
    maxHeaders = 100
    totalHeadersSize = 16 * KIB

    def __init__(self) -> None:
        super().__init__()
        self._deadline: float | None = event_loop.time() + HEAD_S
        self._receiving = False
        self._refused = False
        self._ending = False
        self._room: asyncio.Event | None = None

    def connectionMade(self) -> None:
        self.factory.channels.add(self)
        super().connectionMade()

    def connectionLost(self, reason: Any) -> None:
        self.factory.channels.discard(self)
        self._make_room()
        super().connectionLost(reason)
        self.factory.server.look_whether_empty()

    def forget(self) -> None:
        """The connection has become a WebSocket: drop what would keep this object alive."""
        self.factory.channels.discard(self)
        self.requests.clear()
        self.transport = self._networkProducer = None

    def check(self, now: float) -> None:
        """Close what took too long."""
        if self._deadline is None or now < self._deadline:
            return
        if self._ending:
            self.transport.abortConnection()
        else:
            self.loseConnection()

    # Receiving

    def dataReceived(self, data: bytes) -> None:
        if self._refused:
            return
        if not self._receiving and not self._handlingRequest:
            self._receiving = True
            self._allow(HEAD_S)
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        if not self._refused:
            super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        if not self._refused:
            super().rawDataReceived(data)

    def allHeadersReceived(self) -> None:
        limit = body_limit(self._path.decode("latin-1"))
        if self.length is not None and self.length > limit:
            self.refuse(PayloadTooLarge())
            return
        if self.length != 0:
            self._allow(BODY_S if limit == MAX_BODY_BYTES else LONG_BODY_S)
        super().allHeadersReceived()

    def allContentReceived(self) -> None:
        if self._refused:
            return
        self._receiving = False
        self._deadline = None
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        self._allow(IDLE_S)
        super().requestDone(request)

    def refuse(self, error: ChatError) -> None:
        """Answer the request that is being received, and read no more of it."""
        headers, body = problem(error)
        head = [b"HTTP/1.1 %d %s" % (error.status, http.RESPONSES[error.status])]
        head += [b"%s: %s" % header for header in [*headers, (b"connection", b"close")]]
        self._answer_and_linger(b"\r\n".join([*head, b"", body]))

    def _respondToBadRequestAndDisconnect(self) -> None:
        self._answer_and_linger(
            b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        )

    def _answer_and_linger(self, answer: bytes) -> None:
        self._refused = self._ending = True
        self._allow(LINGER_S)
        self.transport.write(answer)
        self.transport.loseWriteConnection()

    # Sending

    def pauseProducing(self) -> None:
        if self._room is None:
            self._room = asyncio.Event()
        super().pauseProducing()

    def resumeProducing(self) -> None:
        self._make_room()
        super().resumeProducing()

    async def room(self) -> None:
        """Wait until the client has taken what was written, or is dropped for not doing so."""
        if self._room is None:
            return
        try:
            async with asyncio.timeout(STALLED_S):
                await self._room.wait()
        except TimeoutError:
            metrics.clients_dropped.labels(reason="slow").inc()
            self.transport.abortConnection()

    def loseConnection(self) -> None:
        """Close once everything is written; who does not read is not waited for much longer."""
        self._ending = True
        self._allow(LINGER_S)
        super().loseConnection()

    def _allow(self, seconds: float) -> None:
        self._deadline = event_loop.time() + seconds

    def _make_room(self) -> None:
        if self._room is not None:
            self._room.set()
            self._room = None


class Request(WebRequest):
    """One request, handed to the application or turned into a WebSocket."""

    channel: Any  # a Channel, None after its end

    def __init__(self, channel: Channel, queued: object) -> None:
        # Django reads forms; Twisted would read them before, in memory.
        super().__init__(channel, queued, parsePOSTFormSubmission=False)
        self._body_bytes = 0
        self._body_limit = MAX_BODY_BYTES

    # Receiving

    def gotLength(self, length: int | None) -> None:
        self._body_limit = body_limit(self.channel._path.decode("latin-1"))
        if self._body_limit == MAX_BODY_BYTES:
            self.content = BytesIO()
        else:
            super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:
        self._body_bytes += len(data)
        if self._body_bytes <= self._body_limit:
            super().handleContentChunk(data)
        elif not self.channel._refused:
            self.channel.refuse(PayloadTooLarge())

    def process(self) -> None:
        channel = self.channel
        # daphne believes whoever sends it: under "/x", "/x/metrics" passed a proxy that keeps
        # "/metrics" to the inside.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        super().process()
        if self.transport is None:  # daphne gave it to a WebSocket
            channel.forget()
            self.channel = None

    def make_inbox(self) -> asyncio.Queue[Event]:
        """Return what the application will receive from."""
        if self._body_bytes > MAX_BODY_BYTES:
            return BodyOnDisk(self.content)
        return asyncio.Queue()

    # Sending

    async def room(self) -> None:
        """Wait until more may be written."""
        if self.is_open:
            await self.channel.room()

    def handle_reply(self, message: Event) -> None:
        if message["type"] == "http.response.start" and self.is_open:
            self.setHeader(b"date", http.datetimeToString())
            if draining.is_draining():
                self.channel.persistent = False
                self.setHeader(b"connection", b"close")
        super().handle_reply(message)

    def answer(self, error: ChatError) -> None:
        """Answer with this error, unless an answer has begun."""
        if self._response_started or not self.is_open:
            return
        headers, body = problem(error)
        start = {"type": "http.response.start", "status": error.status, "headers": headers}
        self.handle_reply(start)
        self.handle_reply({"type": "http.response.body", "body": body})

    def application_ended(self, exception: BaseException | None) -> None:
        """Whoever still waits for an answer of the application gets its end."""
        if not self.is_open:
            return
        if self._response_started:
            self.channel.loseConnection()  # without the last chunk: it is seen to be cut
            return
        error_id = secrets.token_hex(6)
        logger.error("a request got no answer, error_id=%s", error_id, exc_info=exception)
        self.answer(Internal(error_id))

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """daphne found the request unfit; its own page would tell its name."""
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": status_text})

    @property
    def is_open(self) -> bool:
        """Whether an answer can still be written."""
        return not self.finished and getattr(self, "channel", None) is not None


class Factory(HTTPFactory):
    """Makes channels and knows those that are open."""

    def __init__(self, server: Any) -> None:
        super().__init__(server)
        self.channels: set[Channel] = set()

    def buildProtocol(self, addr: object) -> Channel:
        channel = Channel()
        channel.factory = self
        channel.requestFactory = Request
        return channel

    def log(self, request: object) -> None:
        """Twisted would format a line for each request, read or not; ``Worker`` logs."""
