"""HTTP/1.1 and WebSocket as far as a client that measures needs them: by hand, to be cheap."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

BLOCK = 2**16
#: Longer, and something hangs.
PATIENCE_S = 60

_UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Origin: http://{host}\r\nCookie: {cookie}\r\n\r\n"
)


class Failed(Exception):
    """No answer, or not the one that was to come."""


class Connection:
    """One connection, opened at the first use and again after a failure."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        parts = urlsplit(url)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self._head = f"Host: {parts.netloc}\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in (headers or {}).items()
        )
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def events(self, path: str, body: dict[str, Any]) -> AsyncIterator[list[bytes]]:
        """Post this; yield what stands behind ``data:``, as it comes, until the answer ends."""
        reader = await self._send("POST", path, body, "text/event-stream")
        rest, ending = await self._status(reader, 200), False
        while True:
            *lines, rest = rest.split(b"\n")
            found = [line[6:] for line in lines if line.startswith(b"data: ")]
            if found:
                yield found
            for line in lines:
                if ending and line == b"\r":
                    return
                ending = ending or line == b"0\r"
            rest += await self._more(reader)

    async def whole(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        """Ask for this; return the body of the answer, chunks and all.

        Raises:
            Failed: any status but 200.
        """
        reader = await self._send(method, path, body, "application/json, text/html")
        answer = await self._status(reader, 200)
        head, _, rest = answer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0]
        while len(rest) < int(length) if length else not rest.endswith(b"0\r\n\r\n"):
            rest += await self._more(reader)
        return rest

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _send(
        self, method: str, path: str, body: dict[str, Any] | None, accept: str
    ) -> asyncio.StreamReader:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self.host, self.port)
        text = b"" if body is None else json.dumps(body).encode()
        kind = f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n" if text else ""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Accept: {accept}\r\n{kind}\r\n"
        self._writer.write(head.encode() + text)
        return self._reader

    async def _status(self, reader: asyncio.StreamReader, wanted: int) -> bytes:
        """Read until the head of the answer is there; return what was read."""
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += await self._more(reader)
        if not answer.startswith(b"HTTP/1.1 %d " % wanted):
            self.close()
            raise Failed(answer[:200].decode(errors="replace"))
        return answer

    async def _more(self, reader: asyncio.StreamReader) -> bytes:
        data = await reader.read(BLOCK)
        if not data:
            self.close()
            raise Failed("the connection was closed")
        return data


class Socket:
    """A WebSocket that takes text frames and sends them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._rest = b""

    @classmethod
    async def open(cls, url: str, cookie: str) -> Socket:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(str(parts.hostname), parts.port)
        words = _UPGRADE.format(path=parts.path, host=parts.netloc, cookie=cookie)
        writer.write(words.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 "):
            writer.transport.abort()
            raise Failed(head[:200].decode(errors="replace"))
        return cls(reader, writer)

    def send(self, data: dict[str, Any]) -> None:
        self._writer.write(framed(json.dumps(data).encode()))

    async def texts(self) -> list[bytes]:
        """Wait for frames; return the texts of those that came together."""
        while True:
            found, self._rest = unframed(self._rest)
            if found:
                return found
            data = await self._reader.read(BLOCK)
            if not data:
                raise Failed("the socket was closed")
            self._rest += data

    def close(self) -> None:
        self._writer.transport.abort()


def framed(payload: bytes) -> bytes:
    """One masked text frame; the mask is zero, so that the payload stays as it is."""
    if len(payload) < 126:
        return bytes([0x81, 0x80 | len(payload)]) + bytes(4) + payload
    return b"\x81\xfe" + len(payload).to_bytes(2) + bytes(4) + payload


def unframed(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the texts of all whole frames of a server, and what is left. Others are dropped.

    Raises:
        Failed: the server closes the socket.
    """
    texts = []
    while len(data) >= 2:
        opcode, length, start = data[0] & 0x0F, data[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(data[2:start])
        if len(data) < start + length:
            break
        if opcode == 8:
            code = int.from_bytes(data[start : start + 2])
            raise Failed(f"the socket was closed: {code}")
        if opcode == 1:
            texts.append(data[start : start + length])
        data = data[start + length :]
    return texts, data
