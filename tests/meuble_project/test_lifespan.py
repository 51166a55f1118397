"""Background work runs under ASGI servers other than our own."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from meuble_project.lifespan import WithBackground

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 40


class Background:
    def __init__(self, error: Exception | None = None) -> None:
        self.acts: list[str] = []
        self._error = error

    def ensure_started(self) -> bool:
        is_first = "start" not in self.acts
        if is_first:
            self.acts.append("start")
        return is_first

    def is_started(self) -> bool:
        return "start" in self.acts

    async def stop(self) -> None:
        self.acts.append("stop")
        if self._error is not None:
            raise self._error


async def answer(scope, receive, send):
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})


def wrapped(background: Background, *, refuses: bool = False) -> WithBackground:
    return WithBackground(
        answer,
        ensure_started=background.ensure_started,
        is_started=background.is_started,
        refuses=refuses,
        stop=background.stop,
    )


@pytest.mark.parametrize("error", [None, OSError("no disk")])
async def test_a_server_with_lifespan_starts_and_stops_the_tasks(error, caplog):
    background = Background(error)
    server = ApplicationCommunicator(wrapped(background), {"type": "lifespan"})

    await server.send_input({"type": "lifespan.startup"})
    assert await server.receive_output() == {"type": "lifespan.startup.complete"}
    assert background.acts == ["start"]
    await server.send_input({"type": "lifespan.shutdown"})
    assert await server.receive_output() == {"type": "lifespan.shutdown.complete"}

    assert background.acts == ["start", "stop"]
    assert ("stopping failed" in caplog.text) is (error is not None)


async def test_a_server_without_lifespan_starts_them_with_its_first_connection(caplog):
    background = Background()
    application = wrapped(background)

    for _ in range(2):
        request = ApplicationCommunicator(application, {"type": "http"})
        assert (await request.receive_output())["status"] == 204
        await request.wait()

    assert background.acts == ["start"]
    assert caplog.text.count("no lifespan messages") == 1


async def test_in_production_a_server_without_lifespan_serves_nobody_and_the_log_says_why(caplog):
    background = Background()
    application = wrapped(background, refuses=True)

    for _ in range(2):
        request = ApplicationCommunicator(application, {"type": "http"})
        assert (await request.receive_output())["status"] == 503
        socket = ApplicationCommunicator(application, {"type": "websocket"})
        assert await socket.receive_output() == {"type": "websocket.close", "code": 1013}

    assert background.acts == []
    assert caplog.text.count("start `manage.py serve`") == 1


async def test_in_production_a_server_whose_tasks_run_serves(caplog):
    background = Background()
    application = wrapped(background, refuses=True)
    background.ensure_started()

    request = ApplicationCommunicator(application, {"type": "http"})

    assert (await request.receive_output())["status"] == 204
    assert caplog.text == ""


@asynccontextmanager
async def uvicorn(
    folder: Path, *options: str
) -> AsyncIterator[tuple[int, asyncio.subprocess.Process]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "uvicorn", "meuble_project.asgi:application", "--port", str(port)),
        *("--no-access-log", *options),
        cwd=ROOT,
        env={
            "DEBUG": "1",
            "REDIS_URL": "memory://",
            "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
            "OPENAI_API_KEY": "none",
        },
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield port, process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ready(port: int) -> Any:
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
            continue
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        body = (await reader.read()).partition(b"\r\n\r\n")[2]
        writer.close()
        return json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])


@pytest.mark.parametrize("options", [(), ("--lifespan", "off")])
async def test_uvicorn_runs_the_background_tasks(tmp_path, options):
    """No table exists: the e-mails' task, a background task, says so in the log."""
    async with uvicorn(tmp_path, *options) as (port, process):
        assert (await ready(port))["background"] == "ok"
        while b"e-mails wait for the database" not in await process.stderr.readline():
            pass

        process.send_signal(signal.SIGTERM)
        await process.stderr.read()

        assert await process.wait() in (0, -signal.SIGTERM)
