"""An answer while it is being written: shown at once, kept in the store a little later.

``AnswerAttempt`` is one try at writing it, which may be stopped; ``DraftWriter`` has its text.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from chat.assistant.guard.filter import GUARD, STEP_CHARS, learn_in_steps
from chat.assistant.sources import MAX_SOURCES
from chat.assistant.stream import Usage
from chat.conversations.realtime.events import MessageDelta, ToolStarted
from chat.conversations.realtime.pubsub import PUBSUB
from chat.conversations.store.adviser_store import StaffNote, StaffNoteKind
from chat.conversations.store.protocol import LEASE_S, Lease, Store
from chat.conversations.types import End
from chat.core import metrics
from chat.core.errors import ChatError, StoreUnavailable
from chat.core.json import JSON
from chat.core.load import LOAD
from chat.turns.outcome import TURN_TIMES, AnswerStats, TurnEnd, end_of, report, turn_numbers

logger = logging.getLogger(__name__)

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
        self.guard = GUARD.get()(lease.session, lease.question_id)
        #: What the answer rests on, for the page.
        self.sources: tuple[JSON, ...] = ()
        self.stats = AnswerStats(replaced=self.guard.replaced)
        self._store = store
        self._lease = lease
        self._pubsub = PUBSUB.get()
        self._load = LOAD.get()
        self._times = TURN_TIMES.get()
        self._session_id = lease.session.id
        self._pieces: list[str] = []
        self._written = 0  # by the model, whatever was shown of it
        self._unsaid: list[str] = []
        self._said_at = float("-inf")
        self._timer: asyncio.TimerHandle | None = None
        self._late: asyncio.Task[None] | None = None
        self._kept_pieces = 0
        self._kept_chars = 0
        self._kept_bytes = 0
        self._kept_on = store.backend
        self._began_at = asyncio.get_running_loop().time()
        self._renewed_at = lease.granted_at
        self._watched = False
        self._closed = False

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def interval_s(self) -> float:
        """How long to wait before the next ``keep``."""
        return self._times.keep_watched_s if self._watched else self._times.keep_alone_s

    async def add(self, piece: str) -> None:
        """Take one more piece of the answer, and show what of it the guard lets through.

        Raises:
            AnswerTooLong: it and what follows are not taken.
        """
        self._written += len(piece)
        if self._written > MAX_ANSWER_CHARS:
            raise AnswerTooLong
        for at in range(0, len(piece), STEP_CHARS):
            if at:
                await asyncio.sleep(0)
            shown = self.guard.feed(piece[at : at + STEP_CHARS])
            if shown:
                await self._add(shown)
            while self.guard.waits():
                await learn_in_steps(self.guard.facts)
                if shown := self.guard.feed(""):
                    await self._add(shown)

    async def complete(self) -> None:
        """Show what the guard still held: the model has come to the end of its answer.

        Raises:
            AnswerTooLong:
        """
        rest = self.guard.close()
        if self.guard.waits():
            await learn_in_steps(self.guard.facts)
        rest += self.guard.flush()
        if rest:
            await self._add(rest)
        await self.say()

    async def end(self, ended: End | ChatError) -> TurnEnd:
        """Say nothing more, and return the end of the question; see ``end_of``.

        What the guard still held is judged first: it decides whether there is a text.
        """
        await self.cut()
        self.close()
        return end_of(self._lease, ended, self.text, self.sources)

    async def cut(self) -> None:
        """Keep of what the guard still held what may be shown, once the answer is cut. Once or
        more.
        """
        rest = ""
        while self.guard.waits():  # it was cut while they were read
            await learn_in_steps(self.guard.facts)
            rest += self.guard.feed("")
        rest += self.guard.close(is_cut=True)
        if self.guard.waits():
            await learn_in_steps(self.guard.facts)
        rest += self.guard.flush()
        if rest and self.stats.chars + len(rest) <= MAX_ANSWER_CHARS:
            self._pieces.append(rest)
            self._unsaid.append(rest)
            self.stats.chars += len(rest)

    def cite(self, sources: Sequence[JSON]) -> None:
        """Note what was looked up, for the page; the first of each, ``MAX_SOURCES`` at most."""
        known = {source["url"]: source for source in (*sources, *self.sources)}
        merged = [known[url] for url in dict.fromkeys(s["url"] for s in (*self.sources, *sources))]
        self.sources = tuple(merged[:MAX_SOURCES])

    async def _add(self, piece: str) -> None:
        if self.stats.chars + len(piece) > MAX_ANSWER_CHARS:
            raise AnswerTooLong
        self._pieces.append(piece)
        self._unsaid.append(piece)
        self.stats.chars += len(piece)
        loop = asyncio.get_running_loop()
        if self.stats.first_text_s is None:
            self.stats.first_text_s = loop.time() - self._began_at
        if loop.time() - self._said_at >= self._times.coalesce_s:
            await self.say()
        elif self._timer is None and self._pubsub.has_local_subscribers(self._session_id):
            due = loop.time() + max(self._times.coalesce_s, self._load.pause_s)
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
        offset = self.stats.chars - len(text)
        self._said_at = now
        await self._pubsub.publish_local(
            self._session_id, MessageDelta(self._lease.answer_id, offset, text)
        )

    def _say_late(self, due: float) -> None:
        self._load.note(asyncio.get_running_loop().time() - due)
        self._timer = None
        self._late = asyncio.ensure_future(self.say())

    def count(self, usage: Usage) -> None:
        """Add what one round cost."""
        metrics.tokens.labels(kind="prompt").inc(usage.prompt_tokens)
        metrics.tokens.labels(kind="completion").inc(usage.completion_tokens)
        self.stats.add_usage(usage)

    async def tool(self, started: ToolStarted) -> None:
        """Tell every viewer that something is being looked up."""
        self.stats.tools.append(started.name)
        await self._pubsub.publish(self._session_id, started)

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
        if not fresh and now - self._renewed_at < self._times.renew_s:
            return
        upto, piece = len(self._pieces), "".join(fresh)
        written = await self._store.write(self._lease, self._kept_bytes, piece)
        self._renewed_at = now
        self.stop_asked = self.stop_asked or written.stop
        self._watched = self._pubsub.has_remote_subscribers(self._session_id, written.listening)
        if self._watched and piece:
            delta = MessageDelta(self._lease.answer_id, self._kept_chars, piece)
            await self._pubsub.publish_remote(self._session_id, delta)
        self._kept_pieces = upto
        self._kept_chars += len(piece)
        self._kept_bytes += len(piece.encode())

    def close(self) -> None:
        """Say nothing more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Interrupted(Exception):
    """Somebody stopped the answer. ``forced_end``: ``STOPPED`` or ``TAKEN_OVER``."""

    def __init__(self, forced_end: End) -> None:
        super().__init__(forced_end)
        self.forced_end = forced_end


class AnswerAttempt:
    """One try at answering a question under a lease, from its beginning to its end.

    ``stop`` may be called at any time, from any task of the event loop.
    """

    def __init__(self, store: Store, lease: Lease) -> None:
        self.lease = lease
        self.draft = DraftWriter(store, lease)
        self._began_at = asyncio.get_running_loop().time()
        #: Why it is to break off: the first reason that there was.
        self._cause: Exception | None = None
        #: Runs out when the model is to be interrupted; there while the model answers.
        self._limit: asyncio.Timeout | None = None
        self._is_over = False
        self._is_reported = False

    def stop(self, forced_end: End) -> bool:
        """Interrupt the model, or prevent it from being asked. Return False if it has finished."""
        if self._is_over:
            return False
        self.draft.close()
        self._break_off(Interrupted(forced_end))
        return True

    async def keep(self) -> None:
        """Keep the draft and renew the lease where it is time to; a store that is away gets it
        later.

        Raises:
            LeaseLost:
        """
        try:
            await self.draft.keep()
        except StoreUnavailable:
            logger.warning("the session store did not answer: the draft is kept later")

    @asynccontextmanager
    async def until(self, deadline: float) -> AsyncIterator[None]:
        """Let the model answer inside, once, at most until ``deadline`` (event loop time).

        Meanwhile the draft is kept and the lease renewed. The body does not run at all when the
        attempt was stopped before or the deadline has passed: this process may have stood still.

        Raises:
            Interrupted: ``stop`` was called, here or through the store.
            TimeoutError: at the deadline.
            LeaseLost: another worker answers, or nobody is to.
        """
        try:
            if self._cause is None:
                async with self._saving_draft(), self._limited(deadline):
                    yield
        except Exception:
            if self._cause is None:
                raise
        if self._cause is not None:
            raise self._cause

    @asynccontextmanager
    async def _limited(self, deadline: float) -> AsyncIterator[None]:
        """Let the body be interrupted, until it ends."""
        try:
            if asyncio.get_running_loop().time() >= deadline:
                raise TimeoutError
            async with asyncio.timeout_at(deadline) as self._limit:
                yield
        finally:
            self._limit, self._is_over = None, True

    @asynccontextmanager
    async def _saving_draft(self) -> AsyncIterator[None]:
        """Keep the draft now and then while inside; at the end a keeping under way is waited for,
        unless the answer broke off.
        """
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        keeping = asyncio.create_task(self._keep_until(over), name="draft")
        try:
            yield
            over.set_result(None)
            await asyncio.wait({keeping})
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})

    async def _keep_until(self, over: asyncio.Future[None]) -> None:
        while True:
            await asyncio.wait({over}, timeout=self.draft.interval_s)
            if over.done():
                return
            try:
                await self.keep()
            except Exception as error:  # noqa: BLE001 - raised by ``until``
                self._break_off(error)
                return
            if self.draft.stop_asked:
                self.stop(End.STOPPED)

    def _break_off(self, cause: Exception) -> None:
        self._cause = self._cause or cause
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())

    def numbers(self, end: TurnEnd) -> StaffNote:
        """Return the numbers of the turn so far, for the staff."""
        data = turn_numbers(self.lease, self.draft.stats, end.ending, self._seconds())
        return StaffNote(kind=StaffNoteKind.TURN, data=data)

    def report(self, end: TurnEnd | None) -> None:
        """Log and count how it ended; None: lost to another worker, or the end is not stored."""
        self._is_reported = True
        report(self.lease, self.draft.stats, end, self._seconds())

    def close(self) -> None:
        """Say nothing more; an attempt that was not reported is lost."""
        self.draft.close()
        if not self._is_reported:
            self.report(None)

    def _seconds(self) -> float:
        return asyncio.get_running_loop().time() - self._began_at
