"""The connection of one worker to Redis, which can be cut while others keep theirs."""

from __future__ import annotations

import asyncio
from contextlib import suppress

CHUNK_BYTES = 1 << 16


class Wire:
    """Relays one port of loopback to another, between ``open`` and ``close``.

    ``cut``: connections end and new ones are refused. ``freeze``: nothing comes through, and no
    connection ends. ``mend`` undoes both.
    """

    def __init__(self, port: int) -> None:
        self.port = 0
        self._to = port
        self._server: asyncio.Server | None = None
        self._relays: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def open(self) -> None:
        """Listen: on the same port as before, if there was one."""
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for relay in self._relays:
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)

    async def cut(self) -> None:
        await self.close()

    async def freeze(self) -> None:
        self._flows.clear()

    async def mend(self) -> None:
        self._flows.set()
        if self._server is None:
            await self.open()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        task.add_done_callback(self._relays.discard)
        ends = [writer]
        with suppress(OSError, asyncio.CancelledError):
            try:
                there, here = await asyncio.open_connection("127.0.0.1", self._to)
                ends.append(here)
                both = [self._pump(reader, here), self._pump(there, writer)]
                pumps = [asyncio.create_task(pump) for pump in both]
                try:
                    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for pump in pumps:
                        pump.cancel()
                    await asyncio.gather(*pumps, return_exceptions=True)
            finally:
                for end in ends:
                    end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            await self._flows.wait()
            writer.write(data)
            await writer.drain()
