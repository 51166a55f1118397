"""Clients that mean no good, or run on a phone in a tunnel."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import websockets
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from tests.faults.answers import question
from tests.faults.cluster import Cluster, WorkerProcess, get_cookies

SYNC = json.dumps({"type": "session.sync"})
BOMBS: tuple[str | bytes, ...] = (
    "{",
    "[" * 60_000,
    '{"type":"message.send","id":"x","text":' + "1" * 5_000 + "}",
    '{"type":"message.send","id":"x","text":"\\ud800"}',
    '{"type":"message.send","id":"../x","text":"Bonjour"}',
    '{"type":"message.send","id":"x","text":"' + "a" * 60_000 + '"}',
    '{"type":"message.send","id":"x","text":null}',
    '{"type":"message.erase"}',
    '{"type":NaN}',
    "null",
    "x" * 70_000,
)


async def never_read(
    cluster: Cluster, worker: WorkerProcess, *, clients: int, syncs: int, messages: int
) -> None:
    """Fill a conversation, then ask for all of it again and again and read nothing."""
    cookies = await get_cookies(cluster.web, worker.address)
    async with _socket(worker, cookies) as attentive:
        for n in range(messages):
            await attentive.send(_long_message(f"long{n}"))
        answered: set[str] = set()
        while len(answered) < messages:
            event = json.loads(await attentive.recv())
            if event["type"] == "message.done" and event["message"]["reply_to"]:
                answered.add(event["message"]["reply_to"])
            elif event["type"] == "error" and event.get("id"):
                await asyncio.sleep(min(1.0, event.get("retry_after_s", 1)))
                await attentive.send(_long_message(event["id"]))
    await asyncio.gather(*(_ask_and_not_read(worker, cookies, syncs) for _ in range(clients)))


def _long_message(id_: str) -> str:
    text = f"{question(id_, 1)} {'très ' * 700}"
    return json.dumps({"type": "message.send", "id": id_, "text": text})


async def _ask_and_not_read(worker: WorkerProcess, cookies: dict[str, str], syncs: int) -> None:
    with suppress(WebSocketException, OSError, TimeoutError):
        async with _socket(worker, cookies, deaf=True) as deaf:
            async with asyncio.timeout(6):
                for _ in range(syncs):
                    await deaf.send(SYNC)
                    await asyncio.sleep(0)
                await deaf.wait_closed()


async def flood(cluster: Cluster, worker: WorkerProcess, *, clients: int, lasts_s: float) -> None:
    """Send as fast as the machine can, and read nothing."""
    cookies = [await get_cookies(cluster.web, worker.address) for _ in range(clients)]
    await asyncio.gather(*(_pour(worker, own, lasts_s) for own in cookies))


async def _pour(worker: WorkerProcess, cookies: dict[str, str], lasts_s: float) -> None:
    frame = json.dumps({"type": "ping", "padding": "x" * 2_000})
    with suppress(WebSocketException, OSError, TimeoutError):
        async with _socket(worker, cookies, deaf=True) as socket_, asyncio.timeout(lasts_s):
            while True:
                await socket_.send(frame)


async def throw_bombs(cluster: Cluster, worker: WorkerProcess) -> None:
    """Each gets an error, or closes its own socket; none changes a conversation."""
    cookies = await get_cookies(cluster.web, worker.address)
    for bomb in BOMBS:
        async with _socket(worker, cookies) as attacker:
            state = json.loads(await attacker.recv())
            assert state["messages"] == [], f"{bomb[:60]!r} changed a conversation"
            await attacker.send(bomb)
            reply = json.loads(await attacker.recv())
            assert reply["type"] == "error", f"{bomb[:60]!r}: {reply}"


@asynccontextmanager
async def _socket(
    worker: WorkerProcess, cookies: dict[str, str], *, deaf: bool = False
) -> AsyncIterator[ClientConnection]:
    host, port = worker.address.split(":")
    connection = socket.socket()
    connection.setblocking(False)
    if deaf:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await asyncio.get_running_loop().sock_connect(connection, (host, int(port)))
    async with websockets.connect(
        f"ws://{worker.address}/ws/chat/",
        sock=connection,
        additional_headers={"Cookie": f"chat_session={cookies['chat_session']}"},
        origin=f"http://{worker.address}",  # type: ignore[arg-type]
        ping_interval=None,
        close_timeout=0.1,
        max_size=None,
        max_queue=1 if deaf else None,
        proxy=None,
    ) as opened:
        try:
            yield opened
        finally:
            opened.transport.abort()
