"""What viewers are shown of a conversation: its state, its Markdown, its encoding, in small steps.

One message may take 80 ms to render, a conversation seconds. Each is rendered by itself on one
thread, whose callers take turns: whoever opens a long conversation waits for it, nobody else does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextvars import copy_context
from functools import partial
from typing import TypeVar

import orjson

from chat.conversations import markup
from chat.conversations.realtime.events import SessionState, message_json
from chat.conversations.types import Message, Session
from chat.core.threads import THREADS
from chat.shop.tickets.draft_dialogue import decode_draft, draft_payload

T = TypeVar("T")

#: Messages that are encoded between two steps of the event loop.
MESSAGES_A_STEP = 20


def state_of(session: Session, storage_backend: str) -> SessionState:
    """Return a conversation as its viewers are shown it, with the ticket that is being made."""
    return SessionState.of(session, storage_backend, draft_payload(decode_draft(session.form)))


async def render_ahead(messages: Sequence[Message]) -> bool:
    """Render what ``markup.html_of`` would have to render, so that it finds it in its cache.

    Return whether that took time, in which the conversation may have changed.
    """
    waited = False
    for message in messages:
        if markup.is_rendering_due(message):
            waited = True
            keep = markup.keeper()
            keep(message.text, await in_thread(partial(markup.render, message.text)))
    return waited


async def in_thread(work: Callable[[], T]) -> T:
    """Return what ``work`` does, on the thread for rendering, with the caller's language."""
    run = copy_context().run
    thread = THREADS.get().pool("rendering")
    return await asyncio.get_running_loop().run_in_executor(thread, run, work)


async def encoded_messages(messages: Sequence[Message]) -> AsyncGenerator[bytes, None]:
    """Yield the items of a JSON array of MESSAGEs, some at a time, commas included."""
    for start in range(0, len(messages), MESSAGES_A_STEP):
        step = messages[start : start + MESSAGES_A_STEP]
        await render_ahead(step)
        encoded = b",".join(orjson.dumps(message_json(message)) for message in step)
        yield b"," + encoded if start else encoded
        await asyncio.sleep(0)
