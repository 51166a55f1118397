"""The local assistant as a server: OpenAI's API on loopback, and what to make go wrong.

``await start(port=0)`` in tests and benchmarks; ``manage.py local_assistant`` alone.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from secrets import token_hex

from aiohttp import web
from aiohttp.typedefs import Handler

from chat.simulator import wire
from chat.simulator.completions import ASSISTANT, Assistant, complete, has_key
from chat.simulator.control import FaultPlan, Pace, RequestLog
from chat.simulator.failures import json_response, unauthorized
from chat.simulator.faults import BadFault

MAX_BODY_BYTES = 1024 * 1024
MODEL = "assistant-local"
#: Like a quick model.
LIVELY = Pace()
#: For tests: everything at once.
INSTANT = Pace(first_token_ms=0, tokens_per_s=0)


@dataclass(frozen=True)
class RunningServer:
    """``url``: base URL for an OpenAI client, "http://127.0.0.1:8081/v1"."""

    url: str
    assistant: Assistant
    _runner: web.AppRunner = field(repr=False)

    @property
    def faults(self) -> FaultPlan:
        return self.assistant.faults

    @property
    def requests(self) -> RequestLog:
        return self.assistant.requests

    async def close(self) -> None:
        """Stop at once: answers under way are cut."""
        for transport in list(self.assistant.busy):
            transport.abort()  # type: ignore[attr-defined]
        await self._runner.cleanup()


async def start(
    host: str = "127.0.0.1", port: int = 0, *, pace: Pace = LIVELY, keep_requests: int = 0
) -> RunningServer:
    """Start answering in the running event loop.

    Args:
        port: 0 is one that the system chooses.
        keep_requests: how many request bodies ``requests.bodies`` and ``GET /requests`` hold, at
            most 100. They say what customers wrote: none unless asked.

    Raises:
        ValueError: the host is not this machine's loopback.
        OSError: the port is taken.
    """
    address = _loopback(host)
    assistant = Assistant(pace, requests=RequestLog(keep_requests))
    runner = web.AppRunner(
        _app(assistant), access_log=None, handler_cancellation=True, shutdown_timeout=1
    )
    await runner.setup()
    site = web.TCPSite(runner, str(address), port, backlog=4096)
    try:
        await site.start()
    except OSError:
        await runner.cleanup()
        raise
    shown = f"[{address}]" if address.version == 6 else str(address)
    return RunningServer(f"http://{shown}:{site.port}/v1", assistant, runner)


def _loopback(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    if not address.is_loopback:
        raise ValueError(f"{host} is not a loopback address")
    return address


def _app(assistant: Assistant) -> web.Application:
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_speak_openai])
    app[ASSISTANT] = assistant
    app.add_routes(
        [
            web.post("/v1/chat/completions", complete),
            web.get("/v1/models", _list_models),
            web.get("/v1/models/{id:.+}", _show_model),
            web.get("/faults", _list_faults),
            web.post("/faults", _add_fault),
            web.delete("/faults", _clear_faults),
            web.post("/hostile", _turn_hostile),
            web.delete("/hostile", _turn_kind),
            web.get("/requests", _list_requests),
            web.delete("/requests", _clear_requests),
        ]
    )
    return app


@web.middleware
async def _speak_openai(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Word aiohttp's own errors as OpenAI's, and refuse pages that reach us by a foreign name."""
    if not _is_local(request):
        return _problem("Unknown host.", 403)
    try:
        response = await handler(request)
    except web.HTTPException as error:
        where = f" ({request.method} {request.path})" if error.status == 404 else ""
        return _problem(f"{error.reason}{where}", error.status)
    if not response.prepared:
        response.headers["x-request-id"] = f"req_{token_hex(16)}"
    return response


def _is_local(http: web.Request) -> bool:
    """Whether the client calls us by a name of loopback: a page rebinding its own does not."""
    name = http.url.host or ""
    try:
        _loopback(name)
    except ValueError:
        return False
    return True


async def _list_models(http: web.Request) -> web.Response:
    if not has_key(http):
        return unauthorized("You didn't provide an API key.")
    return json_response(wire.models(MODEL))


async def _show_model(http: web.Request) -> web.Response:
    """Any model is known: the configured one may be OpenAI's."""
    if not has_key(http):
        return unauthorized("You didn't provide an API key.")
    return json_response(wire.model(http.match_info["id"]))


async def _list_faults(http: web.Request) -> web.Response:
    return json_response({"faults": [p.to_json() for p in http.app[ASSISTANT].faults.planned]})


async def _add_fault(http: web.Request) -> web.Response:
    if http.content_type != "application/json":  # what a foreign page may not send
        return _problem("Expected application/json.", 415)
    try:
        planned = http.app[ASSISTANT].faults.add_json(json.loads(await http.read()))
    except BadFault as error:
        return _problem(str(error), 400)
    except (ValueError, RecursionError):
        return _problem("Not JSON.", 400)
    return json_response(planned.to_json(), 201)


async def _clear_faults(http: web.Request) -> web.Response:
    http.app[ASSISTANT].faults.clear()
    return web.Response(status=204)


async def _turn_hostile(http: web.Request) -> web.Response:
    """Obey from now on whatever customers ask for."""
    if http.content_type != "application/json":  # what a foreign page may not send
        return _problem("Expected application/json.", 415)
    http.app[ASSISTANT].hostile = True
    return web.Response(status=204)


async def _turn_kind(http: web.Request) -> web.Response:
    http.app[ASSISTANT].hostile = False
    return web.Response(status=204)


async def _list_requests(http: web.Request) -> web.Response:
    log = http.app[ASSISTANT].requests
    return json_response({"count": log.count, "kept": log.keep, "requests": list(log.bodies)})


async def _clear_requests(http: web.Request) -> web.Response:
    http.app[ASSISTANT].requests.clear()
    return web.Response(status=204)


def _problem(message: str, status: int) -> web.Response:
    return json_response(wire.error(message, "invalid_request_error"), status)
