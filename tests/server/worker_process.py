"""Workers of ``tests.server.probe`` in processes of their own, and clients that misbehave."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import websockets
from websockets.asyncio.client import ClientConnection

ROOT = Path(__file__).parents[2]
#: Far more than anything here takes: a test that hangs must fail, not measure.
PATIENCE_S = 20

UPGRADE = (
    b"GET %s HTTP/1.1\r\nHost: shop.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class WorkerProcess:
    """``bounds``: fields of ``Bounds`` with other values than the product's."""

    def __init__(self, log: Path, *, grace_s: float = 5, **bounds: float) -> None:
        options = json.dumps({"grace_s": grace_s, "bounds": bounds})
        self.log = log
        with log.open("wb") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.server.probe", options],
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=ROOT,
            )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().decode().strip()
        assert self.url, log.read_text()
        address = urlsplit(self.url)
        self.host, self.port = str(address.hostname), int(address.port or 0)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    async def exit_code(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.to_thread(self.process.wait)

    def memory_kib(self) -> int:
        """Physical memory in use, at this moment."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    @asynccontextmanager
    async def raw(self, sent: bytes = b"", *, deaf: bool = False) -> AsyncIterator[Raw]:
        """A bare connection on which ``sent`` was sent. ``deaf``: takes next to nothing in."""
        async with asyncio.timeout(PATIENCE_S):
            connection = socket.socket()
            connection.setblocking(False)
            if deaf:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await asyncio.get_running_loop().sock_connect(connection, (self.host, self.port))
            limit = 1024 if deaf else 2**18
            reader, writer = await asyncio.open_connection(sock=connection, limit=limit)
            try:
                raw = Raw(reader, writer)
                await raw.send(sent)
                yield raw
            finally:
                writer.transport.abort()

    @asynccontextmanager
    async def raw_socket(self, path: bytes, *, deaf: bool = False) -> AsyncIterator[Raw]:
        """A WebSocket that only does what it is told to."""
        async with self.raw(UPGRADE % path, deaf=deaf) as raw:
            assert (await raw.head()).startswith(b"HTTP/1.1 101 ")
            yield raw

    @asynccontextmanager
    async def socket(self, path: str, **options: Any) -> AsyncIterator[ClientConnection]:
        """A WebSocket as a browser would open it."""
        url = f"ws://{self.host}:{self.port}{path}"
        async with (
            asyncio.timeout(PATIENCE_S),
            websockets.connect(url, max_size=None, **options) as socket,
        ):
            yield socket

    async def get(self, path: str) -> str:
        """Return the body of the answer."""
        async with self.raw(get(path, close=True)) as raw:
            return (await raw.rest()).partition(b"\r\n\r\n")[2].decode()

    async def dropped(self, reason: str) -> int:
        """How many clients were cut so far, for this reason."""
        body = await self.get("/dropped")
        return int(json.loads(body[body.index("{") : body.index("}") + 1])[reason])


class Raw:
    """Both ways of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def answer(self) -> tuple[bytes, bytes]:
        """Head and body of an answer that says its length."""
        head = await self.head()
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return head, await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """All that comes until the end; the other side may cut the connection."""
        parts = []
        with suppress(ConnectionError):
            while part := await self.reader.read(2**16):
                parts.append(part)
        return b"".join(parts)

    async def close_code(self) -> int:
        """The code of the close frame, which is all that still comes."""
        frame = await self.reader.readexactly(4)
        assert frame[0] == 0x88
        return int.from_bytes(frame[2:])

    async def send_until_cut(self, data: bytes) -> None:
        """Send this again and again, whatever the other side says, until it hangs up."""
        with suppress(ConnectionError):
            while True:
                await self.send(data)


def get(path: str, *, close: bool = False) -> bytes:
    end = "Connection: close\r\n\r\n" if close else "\r\n"
    return f"GET {path} HTTP/1.1\r\nHost: shop.test\r\n{end}".encode()


def post(path: str, *headers: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: shop.test", *headers, "", "")
    return "\r\n".join(lines).encode()


def frame(payload: bytes, *, opcode: int = 1, fin: bool = True, rsv: int = 0) -> bytes:
    """One masked frame; the mask is zero, so that the payload stays as it is."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    if len(payload) < 126:
        length = bytes([0x80 | len(payload)])
    elif len(payload) < 2**16:
        length = b"\xfe" + len(payload).to_bytes(2)
    else:
        length = b"\xff" + len(payload).to_bytes(8)
    return bytes([first]) + length + bytes(4) + payload
