"""Traces one customer message through a real worker.

All parts are real: ``manage.py serve`` in the traced process, a Redis and a database of its own,
the local assistant over HTTP, a WebSocket with the cookie of the page. Only stable names of the
product are used (``/``, ``/ws/chat/``, the events of ``docs/protocol.md``), so that measurements
before and after a move of code are comparable.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import redis
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.sync.connection import Connection
from websockets.typing import Origin

from chat.management.exit_with_parent import Child, ChildFailed
from devtools.redis_server import RedisServer
from devtools.tracing.tracer import Trace
from devtools.tracing.worker import ANSWER, PREPARED
from meuble_project.env import Env, environment_with

#: Timeout for one event. A traced worker is several times slower.
PATIENCE_S = 60
#: What a worker does behind the last event of a turn (numbers, the end of its lane) is part of it,
#: and what it does behind the answer to a page or the end of a socket is no part of what follows.
AFTERWARDS_S = 0.5


@dataclass(frozen=True, slots=True)
class Scenario:
    """Message to trace. ``expected``: events that must follow, to validate the trace."""

    name: str
    text: str
    expected: frozenset[str]


GREETING = Scenario("greeting", "Bonjour", frozenset({"message.delta"}))
TICKET = Scenario(
    "ticket",
    "Le tiroir de ma commode ISEULT est bloqué, livrée le 2026-09-10, "
    "mon e-mail est luc@example.fr",
    frozenset({"tool.started", "form.changed"}),
)
SCENARIOS = (GREETING, TICKET)
#: First message, in a separate conversation, which absorbs the work of a worker's first turn.
WARMING = Scenario("warming up", "Bonjour, vous allez bien ?", frozenset())


@dataclass(frozen=True, slots=True)
class Traced:
    """Traces of a scenario. ``opening``: from opening the socket to the conversation's state.
    ``message``: from the message to the work after its answer.
    """

    opening: Trace
    message: Trace

    def to_json(self) -> dict[str, Any]:
        return {"opening": self.opening.to_json(), "message": self.message.to_json()}


def trace_turns(tell: Callable[[int, str], None]) -> dict[str, Traced]:
    """Trace each scenario in a new worker; return the traces by the scenario's name.

    ``tell``: progress callback with the number of finished scenarios and the current one.

    Raises:
        ChildFailed: a process did not start, or an expected event is missing.
    """
    found: dict[str, Traced] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="tracing-")))
        tell(0, "preparing")
        server = _start_redis(stack, folder)
        environ = _environment(folder, server.url)
        _prepare(environ, folder)
        for scenario in SCENARIOS:
            tell(len(found), scenario.name)
            server.flush()
            found[scenario.name] = _trace_turn(scenario, environ, folder)
        tell(len(found), "")
    return found


def over_limits(found: dict[str, Traced], limits: Sequence[int]) -> list[str]:
    """Return a line for each scenario whose message passes through more files than its limit."""
    return [
        f"{name}: {traced.message.files} files, more than {most}"
        for (name, traced), most in zip(found.items(), limits, strict=True)
        if traced.message.files > most
    ]


def as_text(found: dict[str, Traced], *, with_functions: bool) -> str:
    """Return a line per scenario; ``with_functions``: followed by a line per file."""
    lines = []
    for name, traced in found.items():
        message, whole = traced.message, traced.opening.followed_by(traced.message)
        lines.append(
            f"{name}: {message.files} files, {message.function_count} functions, "
            f"{message.moves} moves between files "
            f"({whole.files} files with the opening of its socket)"
        )
        if with_functions:
            lines += [
                f"  {number:3} {file}: {', '.join(functions)}"
                for number, (file, functions) in enumerate(message.functions.items(), 1)
            ]
    return "\n".join(lines)


# The processes


def _start_redis(stack: ExitStack, folder: Path) -> RedisServer:
    server = RedisServer(folder, durable=False)
    stack.callback(server.kill)  # its data need not be saved
    try:
        server.start()
    except FileNotFoundError as error:
        raise ChildFailed("redis-server is not installed (apt install redis-server).") from error
    except redis.RedisError as error:
        raise ChildFailed(f"redis-server did not start: {error}") from error
    return server


def _environment(folder: Path, redis_url: str) -> dict[str, str]:
    """Return the environment: all data in ``folder``, else defaults ("" overrides ``.env``)."""
    return environment_with(
        {field.name.upper(): "" for field in fields(Env)}
        | {
            "DEBUG": "1",
            "REDIS_URL": redis_url,
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "MEDIA_DIR": str(folder / "media"),
            "DJANGO_SETTINGS_MODULE": "meuble_project.settings",
            "PYTHONUTF8": "1",
        }
    )


def _start(command: str, environ: dict[str, str], folder: Path) -> Child:
    module = [sys.executable, "-m", "devtools.tracing.worker", command]
    return Child(command, module, log=folder / f"{command}.log", environ=environ)


def _prepare(environ: dict[str, str], folder: Path) -> None:
    with ExitStack() as stack:
        preparing = _start("prepare", environ, folder)
        stack.callback(preparing.end)
        while preparing.line() != PREPARED:
            pass


def _trace_turn(scenario: Scenario, environ: dict[str, str], folder: Path) -> Traced:
    with ExitStack() as stack:
        worker = _start("serve", environ, folder)
        stack.callback(worker.end)
        url = worker.url()
        try:
            _converse(worker, url, WARMING)
            return _converse(worker, url, scenario)
        except (WebSocketException, OSError) as error:  # includes TimeoutError
            raise ChildFailed(f"{scenario.name}: {type(error).__name__} {error}") from error


def _ask(worker: Child) -> tuple[Trace, list[str]]:
    """Return the worker's calls since the last request (none the first time), and the periodic
    work that it has not called so far.

    Raises:
        ChildFailed: the worker has ended.
    """
    worker.input.write("\n")
    worker.input.flush()
    while not (line := worker.line()).startswith(ANSWER):
        pass
    answer = json.loads(line.removeprefix(ANSWER))
    return Trace(**answer["trace"]), answer["never_called"]


# The customer


def _converse(worker: Child, url: str, scenario: Scenario) -> Traced:
    """Open a socket with a new cookie, send the message, wait for the end of its answer.

    Raises:
        ChildFailed: the answer is an error or lacks an expected event; or a function of
            ``BACKGROUND`` was never called, so its work may be in the trace.
    """
    headers = {"Cookie": _new_cookie(url)}
    time.sleep(AFTERWARDS_S)
    _ask(worker)
    where = f"ws://{urlsplit(url).netloc}/ws/chat/"
    with connect(where, origin=Origin(url), additional_headers=headers, proxy=None) as tab:
        _events_until(tab, "session.state")
        opening, _ = _ask(worker)
        tab.send(json.dumps({"type": "message.send", "id": "q1", "text": scenario.text}))
        events = _events_until(tab, "message.done")
        time.sleep(AFTERWARDS_S)
        message, never_called = _ask(worker)
    if missing := scenario.expected - events:
        raise ChildFailed(f"{scenario.name}: no {', '.join(sorted(missing))} in {sorted(events)}")
    if never_called and scenario is not WARMING:
        names = ", ".join(never_called)
        raise ChildFailed(f"never called: {names}. See BACKGROUND in devtools/tracing/worker.py")
    return Traced(opening, message)


def _events_until(tab: Connection, last: str) -> set[str]:
    """Return the types of all events up to the first one of type ``last``.

    The only viewer of a conversation gets ``message.done`` for answers only.

    Raises:
        ChildFailed: one of the events is an error.
    """
    seen: set[str] = set()
    while last not in seen:
        event = json.loads(tab.recv(PATIENCE_S))
        seen.add(event["type"])
        if event["type"] == "error":
            raise ChildFailed(f"the worker refused: {event}")
    return seen


def _new_cookie(url: str) -> str:
    """Return the cookie that the page sets."""
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as page:  # noqa: S310 - our own, on loopback # nosec B310
        cookies = page.headers.get_all("Set-Cookie") or []
    return "; ".join(cookie.partition(";")[0] for cookie in cookies)
