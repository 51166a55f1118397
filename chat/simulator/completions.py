"""``POST /v1/chat/completions``: one request, answered well or badly."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, cycle, repeat
from secrets import token_hex
from typing import NoReturn

from aiohttp import HttpVersion11, web

from chat.simulator import wire
from chat.simulator.control import Behaviour, FaultPlan, Pace, RequestLog, behaviour_for
from chat.simulator.emitter import Emitter
from chat.simulator.failures import broken_body, json_response, refusal, unauthorized
from chat.simulator.faults import Fault, Kind
from chat.simulator.reply import Answer, answer_to, frames, without_directives
from chat.simulator.request import BadRequest, ChatRequest, parse_request

_NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header "
    "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
)
_STREAM_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}


@dataclass
class Assistant:
    """What one running local assistant knows, beside the request in hand."""

    pace: Pace
    faults: FaultPlan = field(default_factory=FaultPlan)
    requests: RequestLog = field(default_factory=RequestLog)
    #: Whether it obeys whatever is asked, like a model that was talked round.
    hostile: bool = False
    #: Connections being answered now.
    busy: set[asyncio.BaseTransport] = field(default_factory=set)


ASSISTANT = web.AppKey("assistant", Assistant)


async def complete(http: web.Request) -> web.StreamResponse:
    """Answer a chat completion, as OpenAI would or as it was told to go wrong."""
    if not has_key(http):
        return unauthorized(_NO_KEY)
    assistant = http.app[ASSISTANT]
    try:
        body = json.loads(await http.read())
        if isinstance(body, dict):
            assistant.requests.note(body)
        request = parse_request(body)
    except BadRequest as error:
        return _bad_request(error)
    except (ValueError, RecursionError):
        return _bad_request(BadRequest("We could not parse the JSON body of your request."))
    behaviour = behaviour_for(
        request.asked, assistant.pace, assistant.faults, hostile=assistant.hostile
    )
    transport = _transport(http)
    assistant.busy.add(transport)
    try:
        return await _perform(http, request, behaviour)
    finally:
        assistant.busy.discard(transport)


def has_key(http: web.Request) -> bool:
    scheme, _, key = http.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and key.strip() != ""


async def _perform(
    http: web.Request, request: ChatRequest, behaviour: Behaviour
) -> web.StreamResponse:
    fault, pace = behaviour.fault, behaviour.pace
    if fault is not None and fault.kind is Kind.REFUSE:
        _transport(http).abort()
        return web.Response(status=503)
    if pace.delay_ms:
        await asyncio.sleep(pace.delay_ms / 1000)
    if fault is not None and fault.kind is Kind.HANG:
        await _hang()
    refused = refusal(fault) if fault is not None else None
    if refused is not None:
        return refused
    answer = answer_to(without_directives(request), behaviour)
    if request.stream and not (fault is not None and fault.kind is Kind.WRONG_JSON):
        return await _stream(http, request, behaviour, answer)
    return await _send_whole(http, request, behaviour, answer)


async def _stream(
    http: web.Request, request: ChatRequest, behaviour: Behaviour, answer: Answer
) -> web.StreamResponse:
    response = await _open(http, _STREAM_HEADERS)
    fault, pace = behaviour.fault, behaviour.pace
    if pace.first_token_ms:
        await asyncio.sleep(pace.first_token_ms / 1000)
    chunks = wire.Chunks(
        _completion_id(), int(time.time()), request.model, include_usage=request.include_usage
    )
    sent = frames(answer, chunks, fault, include_usage=request.include_usage)
    await _emit(http, sent, 1 / pace.tokens_per_s if pace.tokens_per_s else 0)
    if fault is not None:
        await _end_badly(http, fault, b": rien\n\n")
    return response


async def _send_whole(
    http: web.Request, request: ChatRequest, behaviour: Behaviour, answer: Answer
) -> web.StreamResponse:
    fault, pace = behaviour.fault, behaviour.pace
    written_s = len(answer.tokens) / pace.tokens_per_s if pace.tokens_per_s else 0
    await asyncio.sleep(pace.first_token_ms / 1000 + written_s)
    body = wire.dumps(
        wire.completion(
            *(_completion_id(), int(time.time()), request.model),
            *(answer.message, answer.reason, answer.usage),
        )
    )
    if fault is None:
        return web.Response(body=body, content_type="application/json")
    if fault.kind in {Kind.CUT, Kind.HANG_MIDSTREAM, Kind.DRIP, Kind.ENDLESS}:
        return await _send_half(http, fault, body)
    if not request.stream:
        body = broken_body(fault.kind, body)
    return web.Response(body=body, content_type="application/json")


async def _send_half(http: web.Request, fault: Fault, body: bytes) -> web.StreamResponse:
    """Begin to send a body and never end."""
    response = await _open(http, {"Content-Type": "application/json"})
    half = iter([body[: len(body) // 2]])
    if fault.kind is Kind.ENDLESS:
        await _emit(http, chain(half, repeat(b" encore" * 8)), 0.01)
    await _emit(http, half if fault.kind is not Kind.DRIP else iter(()), 0)
    await _end_badly(http, fault, b" ")
    return response


async def _end_badly(http: web.Request, fault: Fault, drop: bytes) -> None:
    """Do to the connection what the fault wants, once its tokens were sent.

    ``drop``: what drips and is no answer, whole or byte by byte.
    """
    match fault.kind:
        case Kind.CUT:
            _transport(http).close()
        case Kind.HANG_MIDSTREAM:
            await _hang()
        case Kind.DRIP:
            await _emit(http, _drops(fault, drop), fault.every_ms / 1000)


def _drops(fault: Fault, drop: bytes) -> Iterator[bytes]:
    if not fault.bytes:
        return repeat(drop)
    return chain((bytes((byte,)) for byte in b'data: {"id":"'), cycle((b"x",)))


async def _open(http: web.Request, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(headers=headers)
    if http.version >= HttpVersion11:
        response.enable_chunked_encoding()
    else:
        response.force_close()
    await response.prepare(http)
    return response


async def _emit(http: web.Request, sent: Iterator[bytes], interval_s: float) -> None:
    chunked = http.version >= HttpVersion11
    await Emitter(_transport(http), sent, interval_s, chunked=chunked).run()


async def _hang() -> NoReturn:
    """Wait until the client gives up, which cancels this."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError


def _transport(http: web.Request) -> asyncio.Transport:
    """Return the connection of the request.

    Raises:
        ConnectionResetError: the client is gone already.
    """
    if not isinstance(http.transport, asyncio.Transport):
        raise ConnectionResetError
    return http.transport


def _completion_id() -> str:
    return f"chatcmpl-{token_hex(14)}"


def _bad_request(error: BadRequest) -> web.Response:
    return json_response(
        wire.error(error.message, "invalid_request_error", error.code, error.param), 400
    )
