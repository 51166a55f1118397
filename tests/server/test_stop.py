"""Stopping a worker politely."""

from __future__ import annotations

import asyncio
import json
import re
import signal

import pytest
from websockets.exceptions import ConnectionClosed

from tests.server.probe import TOKENS
from tests.server.worker_process import WorkerProcess, get

ALL_TOKENS = [f"{number} " for number in range(TOKENS)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_idle_worker_says_goodbye_and_ends_well(start_worker, number):
    worker: WorkerProcess = start_worker()
    async with worker.socket("/echo") as socket, worker.raw(get("/count")) as kept_alive:
        await kept_alive.reader.readuntil(b"0\r\n\r\n")
        worker.signal(number)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert await kept_alive.rest() == b""
    assert socket.close_code == 1012
    assert await worker.exit_code() == 0


async def test_running_turn_is_finished_before_any_socket_is_closed(start_worker):
    worker: WorkerProcess = start_worker(grace_s=20)
    async with worker.socket("/turn") as talking, worker.socket("/echo") as idle:
        await talking.send("a question")
        first = await talking.recv()
        worker.signal(signal.SIGTERM)
        rest = [await talking.recv() for _ in range(TOKENS - 1)]
        for socket in (talking, idle):
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 1012
    assert [first, *rest] == ALL_TOKENS
    assert await worker.exit_code() == 0


async def test_running_stream_is_finished(start_worker):
    worker: WorkerProcess = start_worker(grace_s=20)
    async with worker.raw(get("/turn")) as streaming:
        await streaming.reader.readuntil(b"\r\n0 \r\n")
        worker.signal(signal.SIGTERM)
        rest = await streaming.rest()
    assert re.findall(rb"\d+ ", rest) == [token.encode() for token in ALL_TOKENS[1:]]
    assert rest.endswith(b"0\r\n\r\n")
    assert await worker.exit_code() == 0


async def test_stopping_worker_takes_no_new_connection_and_closes_kept_ones(start_worker):
    worker: WorkerProcess = start_worker(grace_s=20, application_close_s=0.2, check_s=0.05)
    async with worker.raw(get("/stall")) as busy, worker.raw(get("/count")) as kept_alive:
        await busy.reader.readuntil(b"begun")
        await kept_alive.reader.readuntil(b"0\r\n\r\n")
        worker.signal(signal.SIGTERM)
        await _refused(worker)
        await kept_alive.send(get("/count"))
        assert b"Connection: close\r\n" in await kept_alive.head()
        busy.writer.transport.abort()  # the client gives up, and with it the last request ends
        assert await worker.exit_code() == 0


async def test_request_that_outlasts_the_grace_is_answered(start_worker):
    worker: WorkerProcess = start_worker(grace_s=0.2)
    async with worker.raw(get("/never")) as client, worker.raw(get("/turn")) as streaming:
        await streaming.reader.readuntil(b"\r\n0 \r\n")
        worker.signal(signal.SIGTERM)
        head, body = await client.answer()
        await streaming.rest()
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 2\r\n" in head
    assert json.loads(body)["code"] == "assistant_unavailable"
    assert await worker.exit_code() == 0


async def test_second_signal_ends_at_once(start_worker):
    worker: WorkerProcess = start_worker(grace_s=1000)
    async with worker.raw(get("/stall")) as busy:
        await busy.reader.readuntil(b"begun")
        worker.signal(signal.SIGTERM)
        await _refused(worker)
        worker.signal(signal.SIGTERM)
        assert await worker.exit_code() == 128 + signal.SIGTERM


async def _refused(worker: WorkerProcess) -> None:
    """Return when the worker no longer listens."""
    while True:
        try:
            _, writer = await asyncio.open_connection(worker.host, worker.port)
        except ConnectionRefusedError:
            return
        except ConnectionResetError:  # it stopped listening in this very moment
            continue
        writer.transport.abort()
