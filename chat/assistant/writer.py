"""An answer while it is being written: shown at once, kept in the store a little later."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from chat import live, metrics
from chat.assistant.checking import guard_for
from chat.assistant.completion import Usage
from chat.assistant.load import load
from chat.assistant.sources import MAX_SOURCES
from chat.protocol import MessageDelta, ToolStarted
from chat.sessions.store import LEASE_S, Lease, Store
from chat.sessions.types import JSON

#: Viewers here get at most one delta in this time, or in what the load of the process makes of
#: it; the first text of an answer goes at once.
COALESCE_S = 0.03
#: How often the draft is kept, with and without viewers in other processes.
KEEP_WATCHED_S = 0.1
KEEP_ALONE_S = 0.4
#: The lease is renewed this often even when nothing is written.
RENEW_S = 1.5
#: An answer longer than this is a model that does not end.
MAX_ANSWER_CHARS = 20_000


class AnswerTooLong(Exception):
    """The model went past ``MAX_ANSWER_CHARS``."""


class DraftWriter:
    """Collects the pieces of one answer and passes them on to those who watch.

    Viewers in other processes are told only of what the store already has, so that
    one who missed a delta finds it there.
    """

    def __init__(self, store: Store, lease: Lease) -> None:
        self.stop_asked = False
        #: What the model writes goes through it.
        self.guard = guard_for(lease.session, lease.question_id)
        #: What the answer rests on, for the page.
        self.sources: tuple[JSON, ...] = ()
        #: What it cost, summed over the rounds, when the model's server says so.
        self.usage: Usage | None = None
        #: Names of the tools that were used, in order.
        self.tools: list[str] = []
        #: Seconds from the start to the first text.
        self.first_text_s: float | None = None
        self._store = store
        self._lease = lease
        self._session_id = lease.session.id
        self._pieces: list[str] = []
        self._chars = 0
        self._written = 0  # by the model, whatever was shown of it
        self._unsaid: list[str] = []
        self._said_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._late: asyncio.Task[None] | None = None
        self._kept_pieces = 0
        self._kept_chars = 0
        self._kept_bytes = 0
        self._kept_on = store.backend
        self._began_at = self._renewed_at = asyncio.get_running_loop().time()
        self._watched = False
        self._closed = False

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def chars(self) -> int:
        return self._chars

    @property
    def interval_s(self) -> float:
        """How long to wait before the next ``keep``."""
        return KEEP_WATCHED_S if self._watched else KEEP_ALONE_S

    async def add(self, piece: str) -> None:
        """Take one more piece of the answer, and show what of it the guard lets through.

        Raises:
            AnswerTooLong: it and what follows are not taken.
        """
        self._written += len(piece)
        if self._written > MAX_ANSWER_CHARS:
            raise AnswerTooLong
        shown = self.guard.feed(piece)
        if shown:
            await self._add(shown)

    async def end(self) -> None:
        """The answer has come to its end: show what the guard still held.

        Raises:
            AnswerTooLong:
        """
        rest = self.guard.flush()
        if rest:
            await self._add(rest)
        await self.say()

    def cut(self) -> None:
        """The answer was cut: keep of what the guard still held what may be shown. Once or more."""
        rest = self.guard.cut()
        if rest and self._chars + len(rest) <= MAX_ANSWER_CHARS:
            self._pieces.append(rest)
            self._unsaid.append(rest)
            self._chars += len(rest)

    def cite(self, sources: Sequence[JSON]) -> None:
        """Note what was looked up, for the page; the first of each, ``MAX_SOURCES`` at most."""
        known = {source["url"]: source for source in (*sources, *self.sources)}
        merged = [known[url] for url in dict.fromkeys(s["url"] for s in (*self.sources, *sources))]
        self.sources = tuple(merged[:MAX_SOURCES])

    async def _add(self, piece: str) -> None:
        if self._chars + len(piece) > MAX_ANSWER_CHARS:
            raise AnswerTooLong
        self._pieces.append(piece)
        self._unsaid.append(piece)
        self._chars += len(piece)
        loop = asyncio.get_running_loop()
        if self.first_text_s is None:
            self.first_text_s = loop.time() - self._began_at
        if loop.time() - self._said_at >= COALESCE_S:
            await self.say()
        elif self._timer is None and live.is_heard_here(self._session_id):
            due = loop.time() + max(COALESCE_S, load.pause_s)
            self._timer = loop.call_at(due, self._say_late, due)

    async def say(self) -> None:
        """Tell viewers here what they were not told yet."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = asyncio.get_running_loop().time()
        if self._closed or not self._unsaid or now - self._renewed_at > LEASE_S:
            return  # this process stood still: whose turn it is must be known before more is said
        text = "".join(self._unsaid)
        self._unsaid.clear()
        offset = self._chars - len(text)
        self._said_at = now
        await live.tell_here(self._session_id, MessageDelta(self._lease.answer_id, offset, text))

    def _say_late(self, due: float) -> None:
        load.note(asyncio.get_running_loop().time() - due)
        self._timer = None
        self._late = asyncio.ensure_future(self.say())

    def count(self, usage: Usage) -> None:
        """Add what one round cost."""
        metrics.tokens.labels(kind="prompt").inc(usage.prompt_tokens)
        metrics.tokens.labels(kind="completion").inc(usage.completion_tokens)
        known = self.usage or Usage(0, 0)
        self.usage = Usage(
            known.prompt_tokens + usage.prompt_tokens,
            known.completion_tokens + usage.completion_tokens,
        )

    async def tool(self, started: ToolStarted) -> None:
        """Tell every viewer that something is being looked up."""
        self.tools.append(started.name)
        await live.publish(self._session_id, started)

    async def keep(self) -> None:
        """Store what was written since the last time, renew the lease, hear of a stop.

        Raises:
            LeaseLost: nothing more of this answer counts.
            StoreUnavailable: try again later; nothing is forgotten here.
        """
        now = asyncio.get_running_loop().time()
        if self._store.backend != self._kept_on:  # not all of it is there
            self._kept_on = self._store.backend
            self._kept_pieces = self._kept_chars = self._kept_bytes = 0
        fresh = self._pieces[self._kept_pieces :]
        if not fresh and now - self._renewed_at < RENEW_S:
            return
        upto, piece = len(self._pieces), "".join(fresh)
        written = await self._store.write(self._lease, self._kept_bytes, piece)
        self._renewed_at = now
        self.stop_asked = self.stop_asked or written.stop
        self._watched = live.heard_elsewhere(self._session_id, written.listening)
        if self._watched and piece:
            delta = MessageDelta(self._lease.answer_id, self._kept_chars, piece)
            await live.tell_elsewhere(self._session_id, delta)
        self._kept_pieces = upto
        self._kept_chars += len(piece)
        self._kept_bytes += len(piece.encode())

    def close(self) -> None:
        """Say nothing more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
