"""Server of the local assistant: OpenAI's API on loopback, and an API for simulated faults.

``await start(port=0)`` in tests and benchmarks; ``manage.py local_assistant`` alone.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import asdict, dataclass, field
from secrets import token_hex

from aiohttp import web
from aiohttp.typedefs import Handler

from devtools.local_assistant import wire
from devtools.local_assistant.answering import Script
from devtools.local_assistant.completions import (
    ASSISTANT,
    Assistant,
    RequestLog,
    complete,
    has_key,
    problem,
)
from devtools.local_assistant.faults import BadFault, FaultPlan, Pace
from devtools.local_assistant.script import reply_to

MAX_BODY_BYTES = 1024 * 1024
MODEL = "assistant-local"
#: Pace of a fast model.
LIVELY = Pace()
#: No delays, for tests.
INSTANT = Pace(first_token_ms=0, tokens_per_s=0)


@dataclass(frozen=True)
class RunningServer:
    """Running server. ``url``: base URL for an OpenAI client, "http://127.0.0.1:8081/v1"."""

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
        """Stop immediately; running answers are interrupted."""
        for transport in list(self.assistant.busy):
            transport.abort()
        await self._runner.cleanup()


async def start(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    pace: Pace = LIVELY,
    keep_requests: int = 0,
    reply: Script = reply_to,
) -> RunningServer:
    """Start the server in the running event loop.

    Args:
        port: 0 for a port chosen by the system.
        keep_requests: number of request bodies in ``requests.bodies`` and ``GET /requests``, at
            most 100. They contain messages of customers, so none is stored by default.
        reply: computes the reply, unless a fault prescribes it.

    Raises:
        ValueError: the host is not a loopback address.
        OSError: the port is in use.
    """
    address = _loopback(host)
    assistant = Assistant(pace, reply, RequestLog(keep_requests))
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_speak_openai])
    app[ASSISTANT] = assistant
    for method, path, handler in _ROUTES:
        app.router.add_route(method, path, handler)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1)
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


@web.middleware
async def _speak_openai(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Convert aiohttp's errors to OpenAI's format, and refuse requests from other sites' pages.

    Refused are foreign host names (DNS rebinding), and a POST that is not JSON.
    """
    try:
        _loopback(request.url.host or "")
    except ValueError:
        return problem("Unknown host.", 403)
    is_control = request.method == "POST" and not request.path.startswith("/v1/")
    if is_control and request.content_type != "application/json":
        return problem("Expected application/json.", 415)
    try:
        response = await handler(request)
    except web.HTTPException as error:
        where = f" ({request.method} {request.path})" if error.status == 404 else ""
        return problem(f"{error.reason}{where}", error.status)
    if not response.prepared:
        response.headers["x-request-id"] = f"req_{token_hex(16)}"
    return response


async def _models(http: web.Request) -> web.Response:
    """List the model, or describe any requested one, since the configured one may be OpenAI's."""
    if not has_key(http):
        return problem("You didn't provide an API key.", 401)
    if "id" in http.match_info:
        return wire.json_response(wire.model(http.match_info["id"]))
    return wire.json_response({"object": "list", "data": [wire.model(MODEL)]})


async def _faults(http: web.Request) -> web.Response:
    """List the planned faults, add one, or clear the plan."""
    plan = http.app[ASSISTANT].faults
    match http.method:
        case "DELETE":
            plan.clear()
            return web.Response(status=204)
        case "GET":
            return wire.json_response({"faults": [asdict(fault) for fault in plan.planned]})
    try:
        return wire.json_response(asdict(plan.add_json(json.loads(await http.read()))), 201)
    except BadFault as error:
        return problem(str(error), 400)
    except (ValueError, RecursionError):
        return problem("Not JSON.", 400)


async def _requests(http: web.Request) -> web.Response:
    """List the stored requests, or clear them."""
    log = http.app[ASSISTANT].requests
    if http.method == "DELETE":
        log.clear()
        return web.Response(status=204)
    return wire.json_response(
        {"count": log.count, "kept": log.bodies.maxlen, "requests": list(log.bodies)}
    )


_ROUTES = (
    ("POST", "/v1/chat/completions", complete),
    ("GET", "/v1/models", _models),
    ("GET", "/v1/models/{id:.+}", _models),
    *((method, "/faults", _faults) for method in ("GET", "POST", "DELETE")),
    *((method, "/requests", _requests) for method in ("GET", "DELETE")),
)
