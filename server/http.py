"""HTTP connections and requests: daphne's, with every quantity and every wait bounded."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.web import http

from chat.core import metrics
from chat.core.errors import ChatError, Internal, PayloadTooLarge
from server.bodies import SLOW_PACE, Bodies, Body, BodyPool, ServerBusy
from server.limits import KIB, MAX_BODY_BYTES, PHOTOS, Bounds, body_limit, problem, refusal
from server.loop import event_loop
from server.websocket import BodyOnDisk, Event

logger = logging.getLogger(__name__)

#: Judge a request with a long body by its head, an ASGI scope, before any of its body is read.
#: Returns whom the body counts for, like "203.0.113.7". Raises ``ChatError`` to refuse it.
Admit = Callable[[Event], Awaitable[str]]
#: Return the same for a short body, which everybody may send.
SenderOf = Callable[[Event], str]


def peer_of(scope: Event) -> str:
    """Count bodies by the address of the connection."""
    return str(scope["client"][0])


async def admit_nobody_in_particular(scope: Event) -> str:
    """Admit every long body, counted by the address of the connection."""
    return peer_of(scope)


class Channel(http.HTTPChannel):
    """One HTTP connection. ``check`` is called now and then, in place of timers.

    A long body is one that may pass ``MAX_BODY_BYTES``: where ``body_limit`` allows it, and the
    head says so or says no length. It is read once ``Factory.admit`` has admitted it; until then
    what came with its head is held in memory, and the socket is not read.
    """

    transport: Any
    _networkProducer: Any
    maxHeaders = 100
    totalHeadersSize = 16 * KIB

    def __init__(self) -> None:
        super().__init__()
        self._deadline: float | None = None
        self._receiving = False
        self._refused = False
        self._ending = False
        self._room: asyncio.Event | None = None
        self._body_began_at = 0.0
        #: Set while a long body waits to be admitted; keeps the task alive.
        self._admitting: asyncio.Task[None] | None = None
        self._held: list[bytes] = []

    def connectionMade(self) -> None:
        self._bounds: Bounds = self.factory.bounds
        self._allow(self._bounds.head_s)
        self.factory.channels.add(self)
        super().connectionMade()

    def connectionLost(self, reason: Any) -> None:
        self.factory.channels.discard(self)
        self._make_room()
        if self._admitting is not None:
            self._admitting.cancel()
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
            self._allow(self._bounds.head_s)
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        if not self._refused:
            super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        if self._refused:
            return
        if self._admitting is not None:
            self._held.append(data)
            self._networkProducer.pauseProducing()
            return
        super().rawDataReceived(data)

    def allHeadersReceived(self) -> None:
        request = self.requests[-1]
        limit = self._body_limit()
        if self.length is not None and self.length > limit:
            self.refuse(PayloadTooLarge())
            return
        is_short = self.length is not None and self.length <= MAX_BODY_BYTES
        request.body_limit = MAX_BODY_BYTES if is_short else limit
        if self.length == 0:
            super().allHeadersReceived()
        elif request.body_limit == MAX_BODY_BYTES:
            self._allow(self._bounds.body_s)
            sender = self.factory.sender_of(request.head(self._command, self._path))
            request.body = self.factory.bodies.short.begin(sender, self._evict)
            super().allHeadersReceived()
        else:
            self._allow(self._bounds.long_body_start_s)
            self._networkProducer.pauseProducing()
            self._admitting = event_loop.create_task(self._admit(request))

    def _body_limit(self) -> int:
        is_post = self._command == b"POST"
        return body_limit(self._path.decode("latin-1")) if is_post else MAX_BODY_BYTES

    def _pool(self) -> BodyPool:
        """Return where a long body waits. Only staff is admitted with one that is no photo."""
        bodies: Bodies = self.factory.bodies
        is_photo = self._path.partition(b"?")[0] == PHOTOS.encode()
        return bodies.photos if is_photo else bodies.imports

    async def _admit(self, request: Request) -> None:
        """Begin to read a long body, or refuse it unread."""
        try:
            sender = await self.factory.admit(request.head(self._command, self._path))
            request.body = self._pool().begin(sender, self._evict)
        except ChatError as error:
            refusal: ChatError | None = error
        except Exception:
            error_id = secrets.token_hex(6)
            logger.exception("a long body was not admitted, error_id=%s", error_id)
            refusal = Internal(error_id)
        else:
            refusal = None
        held, self._held, self._admitting = b"".join(self._held), [], None
        if self._refused or self._ending:  # it took too long meanwhile
            return
        self._networkProducer.resumeProducing()
        if refusal is not None:
            self.refuse(refusal)
            return
        request.is_admitted = True
        self._body_began_at = event_loop.time()
        self._allow(self._bounds.long_body_start_s)
        super().allHeadersReceived()
        if held:
            self.rawDataReceived(held)

    def _evict(self) -> None:
        self.refuse(ServerBusy())

    def allow_more_body(self, received_bytes: int) -> None:
        """Give a long body more time for what came of it."""
        earned_s = self._bounds.long_body_start_s + received_bytes / SLOW_PACE
        self._deadline = self._body_began_at + min(earned_s, self._bounds.long_body_s)

    def allContentReceived(self) -> None:
        if self._refused:
            return
        self._receiving = False
        self._deadline = None
        if (body := self.requests[-1].body) is not None:
            body.is_whole = True
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        self._allow(self._bounds.idle_s)
        super().requestDone(request)

    def refuse(self, error: ChatError) -> None:
        """Answer the request that is being received, and read no more of it."""
        request = self.requests[-1]
        request.drop_body()
        accepted = request.requestHeaders.getRawHeaders(b"accept", [b""])[0]
        headers, body = refusal(error, accepted)
        head = [b"HTTP/1.1 %d %s" % (error.status, HTTPStatus(error.status).phrase.encode())]
        head += [b"%s: %s" % header for header in [*headers, (b"connection", b"close")]]
        self._answer_and_linger(b"\r\n".join([*head, b"", body]))

    def _respondToBadRequestAndDisconnect(self) -> None:
        self._answer_and_linger(
            b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        )

    def _answer_and_linger(self, answer: bytes) -> None:
        self._refused = self._ending = True
        self._allow(self._bounds.linger_s)
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
            async with asyncio.timeout(self._bounds.stalled_s):
                await self._room.wait()
        except TimeoutError:
            metrics.clients_dropped.labels(reason="slow").inc()
            self.transport.abortConnection()

    def loseConnection(self) -> None:
        """Close once everything is written; who does not read is not waited for much longer."""
        self._ending = True
        self._allow(self._bounds.linger_s)
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
        self.body_limit = MAX_BODY_BYTES
        self.body: Body | None = None
        #: Whether the application need not judge the head again.
        self.is_admitted = False

    # Receiving

    def head(self, method: bytes, raw_path: bytes) -> Event:
        """Return what is known of the request before its body, as an ASGI scope."""
        path, _, query = raw_path.partition(b"?")
        peer = self.client
        return {
            "type": "http",
            "method": method.decode("latin-1"),
            "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "query_string": query,
            "scheme": "https" if self.isSecure() else "http",
            "headers": [
                (name.lower(), value)
                for name, values in self.requestHeaders.getAllRawHeaders()
                for value in values
                if b"_" not in name  # as daphne leaves them out
            ],
            "client": [str(peer.host), peer.port] if hasattr(peer, "host") else ["", 0],
        }

    def gotLength(self, length: int | None) -> None:
        if self.body_limit == MAX_BODY_BYTES:
            self.content = BytesIO()
        else:
            super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:
        channel = self.channel
        self._body_bytes += len(data)
        if channel._refused:
            return
        if self._body_bytes > self.body_limit:
            channel.refuse(PayloadTooLarge())
            return
        if self.body is not None:
            try:
                self.body.add(len(data))
            except ServerBusy as error:
                channel.refuse(error)
                return
        if self.is_admitted:
            channel.allow_more_body(self._body_bytes)
        super().handleContentChunk(data)

    def drop_body(self) -> None:
        """Give back what was received; the request is refused."""
        if self.content is not None:
            self.content.close()
        self.end_body()

    def end_body(self) -> None:
        """Nothing of the body is held any more: neither here nor by the application."""
        if self.body is not None:
            self.body.end()

    def process(self) -> None:
        channel = self.channel
        # daphne believes whoever sends it: under "/x", "/x/metrics" passed a proxy that keeps
        # "/metrics" to the inside.
        self.requestHeaders.removeHeader(b"daphne-root-path")
        if self.requestHeaders.hasHeader(b"transfer-encoding"):
            # The chunks are joined (RFC 9112, section 7.1.3); Django reads a form by its length.
            self.requestHeaders.removeHeader(b"transfer-encoding")
            self.requestHeaders.setRawHeaders(b"content-length", [b"%d" % self._body_bytes])
        super().process()
        if self.transport is None:  # daphne gave it to a WebSocket
            channel.forget()
            self.channel = None

    def make_receive_queue(self) -> asyncio.Queue[Event]:
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
            if self.server.drain.is_begun:
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

    def __init__(self, server: Any, admit: Admit, sender_of: SenderOf, bounds: Bounds) -> None:
        super().__init__(server)
        self.bounds = bounds
        self.admit = admit
        self.sender_of = sender_of
        self.bodies = Bodies(bounds)
        self.channels: set[Channel] = set()

    def buildProtocol(self, addr: object) -> Channel:
        channel = Channel()
        channel.factory = self
        channel.requestFactory = Request
        return channel

    def log(self, request: object) -> None:
        """Twisted would format a line for each request, read or not; ``Worker`` logs."""
