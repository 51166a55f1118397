"""What an application has not consumed yet, bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import IO, Any

from server.limits import KIB

Event = dict[str, Any]

#: An inbox that holds as much is full. A text may take four times its bytes in memory.
MAX_FRAMES = 64
MAX_FRAME_BYTES = 128 * KIB

#: One piece of a body, as the application gets it.
CHUNK_BYTES = 64 * KIB


class Inbox(asyncio.Queue[Event]):
    """Frames for a socket's application. Never blocks who puts: look at ``is_full``.

    ``on_room`` is called each time half of it is free after a frame was taken.
    """

    def __init__(self, on_room: Callable[[], object]) -> None:
        super().__init__()
        self._on_room = on_room
        self._held_bytes = 0

    @property
    def is_full(self) -> bool:
        return self.qsize() >= MAX_FRAMES or self._held_bytes >= MAX_FRAME_BYTES

    def _put(self, item: Event) -> None:
        super()._put(item)
        self._held_bytes += _weight(item)

    def _get(self) -> Event:
        event = super()._get()
        self._held_bytes -= _weight(event)
        if self.qsize() <= MAX_FRAMES // 2 and self._held_bytes <= MAX_FRAME_BYTES // 2:
            self._on_room()
        return event


class BodyOnDisk(asyncio.Queue[Event]):
    """A request for the application, its long body read from a file piece by piece.

    daphne puts the whole body in at once; the pieces are dropped here and read again when the
    application asks for them.
    """

    _queue: deque[Event]

    def __init__(self, body: IO[bytes]) -> None:
        super().__init__()
        self._body = body
        self._left = 0

    def put_nowait(self, item: Event) -> None:
        if item["type"] == "http.request":
            self._left += len(item["body"])
            if item["more_body"]:
                return
            self._body.seek(0)
            item = {"type": "http.request"}
        super().put_nowait(item)

    def _get(self) -> Event:
        event = super()._get()
        if event["type"] != "http.request":
            return event
        if self._body.closed:  # the client is gone
            return {"type": "http.disconnect"}
        chunk = self._body.read(CHUNK_BYTES)
        self._left -= len(chunk)
        if self._left > 0:
            self._queue.appendleft(event)
        return {"type": "http.request", "body": chunk, "more_body": self._left > 0}


def _weight(event: Event) -> int:
    return len(event.get("text") or event.get("bytes") or b"")
