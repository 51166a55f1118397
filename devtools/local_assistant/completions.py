"""Handler of ``POST /v1/chat/completions``, with simulated faults."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, cycle, islice, repeat
from secrets import token_hex
from typing import NoReturn

from aiohttp import HttpVersion11, web

from devtools.local_assistant import wire
from devtools.local_assistant.answering import Script, answer_to, frames, whole_frames
from devtools.local_assistant.faults import Behaviour, Fault, FaultPlan, Kind, Pace, behaviour_for
from devtools.local_assistant.request import JSON, BadRequest, ChatRequest, parse_request

MAX_RECORDED = 100
#: Unsent bytes at which sending pauses until the client reads.
MAX_BUFFERED_BYTES = 256 * 1024
_WAIT_S = 0.02
#: Frames per write of a stream without a pace.
_BATCH = 64
_NO_KEY = "You need to provide your API key in an Authorization header using Bearer auth."
_PAGE = "<!DOCTYPE html><title>Maintenance</title><h1>Service en maintenance</h1>"


class RequestLog:
    """Number of requests, and the last request bodies.

    Bodies contain messages of customers, so none is stored outside tests.
    """

    def __init__(self, keep: int) -> None:
        self.count = 0
        self.bodies: deque[JSON] = deque(maxlen=min(keep, MAX_RECORDED))

    def note(self, body: JSON) -> None:
        self.count += 1
        self.bodies.append(body)

    def clear(self) -> None:
        self.count = 0
        self.bodies.clear()


@dataclass
class Assistant:
    """State of a running local assistant, independent of the current request."""

    pace: Pace
    script: Script
    requests: RequestLog
    faults: FaultPlan = field(default_factory=FaultPlan)
    #: Connections with a running answer.
    busy: set[asyncio.Transport] = field(default_factory=set)


ASSISTANT = web.AppKey("assistant", Assistant)


async def complete(http: web.Request) -> web.StreamResponse:
    """Answer a chat completion like OpenAI, or with a planned fault."""
    if not has_key(http):
        return problem(_NO_KEY, 401)
    assistant = http.app[ASSISTANT]
    try:
        body = json.loads(await http.read())
        if isinstance(body, dict):
            assistant.requests.note(body)
        request = parse_request(body)
    except BadRequest as error:
        return problem(str(error), 400, param=error.param)
    except (ValueError, RecursionError):
        return problem("We could not parse the JSON body of your request.", 400)
    behaviour = behaviour_for(request.last_asked.text, assistant.pace, assistant.faults)
    transport = _transport(http)
    assistant.busy.add(transport)
    try:
        return await _perform(http, request, behaviour, assistant.script)
    finally:
        assistant.busy.discard(transport)


def has_key(http: web.Request) -> bool:
    scheme, _, key = http.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and key.strip() != ""


def problem(
    message: str, status: int, type_: str = "invalid_request_error", param: str | None = None
) -> web.Response:
    return wire.json_response(wire.error(message, type_, param), status)


async def _perform(
    http: web.Request, request: ChatRequest, behaviour: Behaviour, script: Script
) -> web.StreamResponse:
    kind = behaviour.fault.kind if behaviour.fault else None
    if kind is Kind.REFUSE:
        _transport(http).abort()
        return web.Response(status=503)
    await asyncio.sleep(behaviour.pace.delay_ms / 1000)
    if kind is Kind.HANG:
        await _hang()
    refused = _refusal(behaviour.fault) if behaviour.fault else None
    return refused or await _send(http, request, behaviour, script)


def _refusal(fault: Fault) -> web.Response | None:
    """Return the error response of a fault that replaces the answer, or None."""
    match fault.kind:
        case Kind.RATE_LIMIT:
            refused = problem("Rate limit reached. Please try again.", 429, "requests")
            refused.headers["Retry-After"] = str(fault.retry_after_s)
            return refused
        case Kind.ERROR:
            return problem("The server had an error.", fault.status, "server_error")
        case Kind.AUTH:
            return problem("Incorrect API key provided.", 401)
        case Kind.HTML:
            return web.Response(text=_PAGE, content_type="text/html")
    return None


async def _send(
    http: web.Request, request: ChatRequest, behaviour: Behaviour, script: Script
) -> web.StreamResponse:
    """Send the answer as a stream or as one JSON body, and apply faults of the connection."""
    fault, pace = behaviour.fault, behaviour.pace
    answer = answer_to(request, behaviour, script)
    head = (f"chatcmpl-{token_hex(14)}", int(time.time()), request.model)
    interval_s = 1 / pace.tokens_per_s if pace.tokens_per_s else 0
    is_stream = request.stream and not (fault and fault.kind is Kind.WRONG_JSON)
    if is_stream:
        response = await _open(http, "text/event-stream; charset=utf-8")
        await asyncio.sleep(pace.first_token_ms / 1000)
        chunks = wire.Chunks(*head, include_usage=request.include_usage)
        sent = frames(answer, chunks, fault)
    else:
        await asyncio.sleep(pace.first_token_ms / 1000 + interval_s * len(answer.tokens))
        response = await _open(http, "application/json")
        sent = whole_frames(answer, head, fault)
    await Emitter(http, sent, interval_s if is_stream else 0).run()
    if fault is not None:
        await _end_badly(http, fault, b": rien\n\n" if is_stream else b" ")
    return response


async def _end_badly(http: web.Request, fault: Fault, drop: bytes) -> None:
    """Apply a fault of the connection after its tokens were sent.

    ``drop``: meaningless data for the fault "drip", sent whole or byte by byte.
    """
    match fault.kind:
        case Kind.CUT:
            _transport(http).close()
        case Kind.HANG_MIDSTREAM:
            await _hang()
        case Kind.DRIP:
            endless = chain((bytes((byte,)) for byte in b'data: {"id":"'), cycle((b"x",)))
            drops = endless if fault.bytes else repeat(drop)
            await Emitter(http, drops, fault.every_ms / 1000).run()


async def _open(http: web.Request, content_type: str) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": content_type, "Cache-Control": "no-cache"}
    )
    if http.version >= HttpVersion11:
        response.enable_chunked_encoding()
    else:
        response.force_close()
    await response.prepare(http)
    return response


async def _hang() -> NoReturn:
    """Wait until the client disconnects, which cancels this coroutine."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError


def _transport(http: web.Request) -> asyncio.Transport:
    """Return the connection of the request.

    Raises:
        ConnectionResetError: the client has disconnected.
    """
    if not isinstance(http.transport, asyncio.Transport):
        raise ConnectionResetError
    return http.transport


class Emitter:
    """Sends frames after the headers, with one timer and one write per token.

    ``StreamResponse.write`` in a task costs more than twice as much per token; at 500 streams of 50
    tokens per second the difference is most of a core. ``interval_s``: between two frames; 0: as
    fast as the client reads.
    """

    def __init__(self, http: web.Request, frames: Iterator[bytes], interval_s: float) -> None:
        self._transport = _transport(http)
        self._is_chunked = http.version >= HttpVersion11
        self._frames = frames
        self._interval_s = interval_s
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._timer: asyncio.Handle | None = None
        self._done: asyncio.Future[None] = self._loop.create_future()

    async def run(self) -> None:
        """Write all frames; return early if the client disconnects. May be cancelled."""
        self._tick()
        try:
            await self._done
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def _tick(self) -> None:
        if self._done.done():
            return
        if self._transport.is_closing():
            self._done.set_result(None)
        elif self._transport.get_write_buffer_size() > MAX_BUFFERED_BYTES:
            self._due = self._loop.time() + _WAIT_S
            self._timer = self._loop.call_at(self._due, self._tick)
        else:
            self._write()

    def _write(self) -> None:
        """Write the next frame, or a batch without a pace, and schedule the next write."""
        batch = list(islice(self._frames, 1 if self._interval_s else _BATCH))
        if not batch:
            self._done.set_result(None)
            return
        data = b"".join(batch)
        if data:
            self._transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._is_chunked else data)
        self._due += self._interval_s
        if self._interval_s:
            self._timer = self._loop.call_at(self._due, self._tick)
        else:
            self._timer = self._loop.call_soon(self._tick)
