"""The process: listening, serving, stopping politely."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from daphne.server import Server
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    STDLibLogObserver,
    globalLogBeginner,
)

from chat.core.client_address import ADMITTED
from chat.core.errors import AssistantUnavailable
from chat.core.supervisor import Drain
from meuble_project.redaction import public_path
from server.http import Admit, Factory, Request, SenderOf, admit_nobody_in_particular, peer_of
from server.limits import BOUNDS, KIB, Bounds
from server.loop import event_loop, reactor
from server.websocket import CLOSE_RESTART, Event, Socket, SocketFactory

logger = logging.getLogger(__name__)

Application = Callable[..., Awaitable[None]]
Protocol = Request | Socket

#: Connections that wait to be accepted: 50 lost 134 of 5,000 that came together.
BACKLOG = 4096
#: What the kernel may hold for a client that reads slowly (it doubles the number).
SEND_BUFFER_BYTES = 128 * KIB
#: How long clients have to answer our closing, and applications to hear of it.
CLOSING_S = 3
#: Full collections walk through every open socket. A rare one costs less than they all did.
GC_THRESHOLDS = (10_000, 20, 100)


class Worker(Server):
    """Serves an ASGI application on one address until a signal ends it.

    ``drain``: begun by the signal; the worker ends once its work is done.
    ``too_long``: the text frame that answers a WebSocket message that is too long.
    ``admit``: judges requests with long bodies before these are read.
    ``sender_of``: whom short bodies count for.
    ``background``: a coroutine function that runs as long as the worker does.
    ``hand_over``: called when stopping, after the time of grace and before clients are parted
    with, to leave to other workers what still runs.
    ``keep``: called last, with the seconds that are left of the time of grace, to keep what only
    this process has; ``has_lost`` is True afterwards when it failed.
    """

    def __init__(
        self,
        application: Application,
        *,
        host: str,
        port: int,
        grace_s: float,
        drain: Drain,
        too_long: str,
        bounds: Bounds = BOUNDS,
        admit: Admit = admit_nobody_in_particular,
        sender_of: SenderOf = peer_of,
        background: Callable[[], Awaitable[None]] | None = None,
        hand_over: Callable[[], Awaitable[None]] | None = None,
        keep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        super().__init__(
            application,
            endpoints=[f"{host}:{port}"],
            ping_interval=bounds.ping_s,
            ping_timeout=bounds.pong_s,
            application_close_timeout=bounds.application_close_s,
            server_name="",
        )
        self._address = host, port
        self._grace_s = grace_s
        self.bounds = bounds
        self.drain = drain
        self._background = background
        self._hand_over = hand_over
        self._keep = keep
        self.has_lost = False
        self._leaving: dict[Protocol, float] = {}
        self._stopping: asyncio.Task[None] | None = None
        self._nobody = asyncio.Event()
        self.connections: dict[Protocol, dict[str, Any]] = {}
        self.http_factory = Factory(self, admit, sender_of, bounds)
        self.ws_factory = SocketFactory(self, too_long=too_long)
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=bounds.pong_s,
            allowNullOrigin=True,  # the application judges origins
            openHandshakeTimeout=self.websocket_handshake_timeout,
            closeHandshakeTimeout=2 + CLOSING_S,  # autobahn rounds up to two seconds off
            failByDrop=False,  # say 1002 or 1007
        )

    def listen(self) -> str:
        """Open the port; return the URL, which has the real number where 0 was asked for.

        Raises:
            CannotListenError: the port is taken, or the address is not ours.
        """
        host, port = self._address
        listener = reactor.listenTCP(port, self.http_factory, backlog=BACKLOG, interface=host)
        # Accepted connections inherit it.
        listener.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.listeners.append(listener)
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{listener.getHost().port}"

    def run(self) -> None:
        """Serve what ``listen`` opened; return when stopped."""
        failures = FilteringLogObserver(
            STDLibLogObserver("twisted"), [LogLevelFilterPredicate(LogLevel.error)]
        )
        globalLogBeginner.beginLoggingTo([failures], redirectStandardIO=False, discardBuffer=True)
        asyncio.set_event_loop(event_loop)
        for number in (signal.SIGTERM, signal.SIGINT):
            event_loop.add_signal_handler(number, self._hear_signal, number)
        event_loop.call_soon(self._start)
        gc.collect()
        gc.freeze()  # the program itself is not garbage
        gc.set_threshold(*GC_THRESHOLDS)
        reactor.run(installSignalHandlers=False)

    def _start(self) -> None:
        self.application_checker()
        self.timeout_checker()
        if self._background is not None:
            self._running = event_loop.create_task(_forever(self._background))

    # Stopping

    def _hear_signal(self, number: int) -> None:
        if self._stopping is not None:
            logger.warning("stopped at once")
            logging.shutdown()
            os._exit(128 + number)
        logger.info("stopping: no new connections, finishing what runs")
        self._stopping = event_loop.create_task(self._stop())

    async def _stop(self) -> None:
        self.drain.begin()
        for listener in self.listeners:
            listener.stopListening()
        deadline = event_loop.time() + self._grace_s
        try:
            await self._finish_work(deadline)
            if self._hand_over is not None:
                await _wait_at_most(self._hand_over(), CLOSING_S)
            await self._part()
        except Exception:
            logger.exception("stopping failed")
        try:
            if self._keep is not None:
                await self._keep(max(0.0, deadline - event_loop.time()))
        except Exception:
            self.has_lost = True
            logger.exception("what only this worker had is lost")
        finally:
            reactor.stop()

    async def _finish_work(self, deadline: float) -> None:
        """Wait for requests and turns, those included that they bring with them."""
        while (left_s := deadline - event_loop.time()) > 0:
            tasks = list(self._tasks_of(Request))
            if tasks:
                await asyncio.wait(tasks, timeout=left_s)
            elif await self.drain.wait_idle(left_s) and not any(self._tasks_of(Request)):
                return
        logger.warning("the time of grace is over: ending what still runs")

    async def _part(self) -> None:
        """Take leave of every client, then end what is left."""
        for protocol in list(self.connections):
            if isinstance(protocol, Socket):
                protocol.serverClose(CLOSE_RESTART)
            else:
                protocol.answer(AssistantUnavailable(retry_after_s=2))
        for task in self._tasks_of(Request):
            task.cancel()
        for channel in list(self.http_factory.channels):
            channel.loseConnection()
        self.look_whether_empty()
        await _wait_at_most(self._nobody.wait(), CLOSING_S)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=CLOSING_S)

    def look_whether_empty(self) -> None:
        """Called when a connection ended: the last one lets the worker stop."""
        if self._stopping and not self.connections and not self.http_factory.channels:
            self._nobody.set()

    def _tasks_of(self, kind: type[Protocol]) -> Iterable[asyncio.Task[None]]:
        for protocol, details in list(self.connections.items()):
            task = details.get("application_instance")
            if isinstance(protocol, kind) and task is not None and not task.done():
                yield task

    # Connections

    def create_application(self, protocol: Protocol, scope: Event) -> asyncio.Queue[Event]:
        receive_queue = protocol.make_receive_queue()
        scope.setdefault("asgi", {"version": "3.0"})
        scope[ADMITTED] = isinstance(protocol, Request) and protocol.is_admitted
        send = partial(self.handle_reply, protocol)
        task = event_loop.create_task(self.application(scope, receive_queue.get, send))
        self.connections[protocol]["application_instance"] = task
        task.add_done_callback(partial(self._application_ended, protocol))
        return receive_queue

    async def handle_reply(self, protocol: Protocol, message: Event) -> None:
        await protocol.room()
        await super().handle_reply(protocol, message)

    def _application_ended(self, protocol: Protocol, task: asyncio.Task[None]) -> None:
        details = self.connections.get(protocol)
        if details is None:
            return
        details.pop("application_instance", None)
        exception = None if task.cancelled() else task.exception()
        if "disconnected" in details:
            self._forget(protocol)
            if exception is not None:
                logger.error("an application failed after its client left", exc_info=exception)
        else:
            protocol.application_ended(exception)

    def protocol_disconnected(self, protocol: Protocol) -> None:
        details = self.connections.get(protocol)
        if details is None or "disconnected" in details:
            return
        details["disconnected"] = self._leaving[protocol] = time.time()
        if "application_instance" not in details:
            self._forget(protocol)

    def _forget(self, protocol: Protocol) -> None:
        self._leaving.pop(protocol, None)
        self.connections.pop(protocol, None)
        if isinstance(protocol, Request):
            protocol.end_body()
        self.look_whether_empty()

    def application_checker(self) -> None:
        """Now and then: cancel applications that outlive their client for too long."""
        oldest = time.time() - self.application_close_timeout
        for protocol, since in list(self._leaving.items()):
            if since > oldest:
                break  # the others left later
            logger.warning("an application did not end with its connection: cancelled")
            self._leaving.pop(protocol)
            self.connections[protocol]["application_instance"].cancel()
        event_loop.call_later(self.bounds.check_s, self.application_checker)

    def timeout_checker(self) -> None:
        """Now and then: pings, silent clients, floods, requests that drip in."""
        for protocol in list(self.connections):
            protocol.check_timeouts()
        now = event_loop.time()
        for channel in list(self.http_factory.channels):
            channel.check(now)
        event_loop.call_later(self.bounds.check_s, self.timeout_checker)

    def log_action(self, protocol: str, action: str, details: Event) -> None:
        """One line a request at DEBUG, without what may name a visitor or a session."""
        if protocol == "http":
            path = public_path(details["path"])
            logger.debug(
                "%s %s %s %.3f s", details["method"], path, details["status"], details["time_taken"]
            )


async def _forever(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except Exception:
        logger.exception("background work ended")


async def _wait_at_most(waiting: Awaitable[object], seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await waiting
    except TimeoutError:
        return
