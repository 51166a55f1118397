"""A whole conversation as a JSON file, written while it is read: it is never in memory at once."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

import orjson
from django.http import StreamingHttpResponse

from chat.conversations.rendering import encoded_messages
from chat.conversations.types import Message
from chat.core.json import JSON


class ConversationFile(StreamingHttpResponse):
    """``head``: members that come before "messages"; ``name``: of the file."""

    def __init__(self, name: str, head: JSON, messages: Sequence[Message]) -> None:
        self._parts = _parts(head, messages)
        super().__init__(
            self._parts,
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with aclosing(self._parts):
            async for part in self._parts:
                yield part


async def _parts(head: JSON, messages: Sequence[Message]) -> AsyncGenerator[bytes, None]:
    yield orjson.dumps(head)[:-1] + b',"messages":['
    async with aclosing(encoded_messages(messages)) as encoded:
        async for part in encoded:
            yield part
    yield b"]}"
