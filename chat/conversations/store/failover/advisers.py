"""What is asked of all conversations, or by the staff: of Redis, or of memory while it is away."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

from chat.conversations.store.adviser_store import (
    Adviser,
    Counts,
    Listing,
    Row,
    SessionPage,
    StaffNote,
)
from chat.conversations.store.draft_versions import version_after
from chat.conversations.store.failover.standby import SessionCache, Standby
from chat.conversations.store.failover.workers import Workers
from chat.conversations.store.maintenance import Orphan, Progress, ScanResult
from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import ANY_OWNER, Lease, Store
from chat.conversations.store.redis.store import Heard, RedisStore
from chat.conversations.types import Message, Session
from chat.core.clock import now, seconds
from chat.core.errors import DeskUnavailable, SessionNotFound, StoreUnavailable
from chat.core.json import JSON

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: How often a worker shows that it is there.
BEAT_S = 0.25
#: A worker whose last beat is older is cut off from Redis, dead (see ``Workers``), or stands still.
LATE_MS = 3_000


class FailoverAdviserStore(ABC):
    """Lists and searches where conversations live now; goes on with one like the customers do."""

    _redis: RedisStore
    _memory: MemoryStore
    _session_cache: SessionCache
    _standby: Standby
    _away_since: float | None
    _settled_at: float
    _moving: dict[str, asyncio.Event]
    _late_ms: int
    #: Whether no other worker was known when this one last reached Redis.
    _is_alone = False
    #: Whether another worker has not beaten for ``LATE_MS``: it may be dead, or cut off.
    _is_one_silent = False
    _known_ms = 0
    #: When this worker beat first, by the clock of Redis.
    _first_beat_ms = 0
    _has_left = False

    async def check_confirmable(self, session_id: str) -> None:
        while session_id in self._moving:
            await self._moving[session_id].wait()
        if self._is_alone:
            return
        if self._away_since is not None or self._memory.has(session_id):
            raise DeskUnavailable
        heard = await self._in_redis(self._redis.heard(session_id))
        if await self._unaware(heard, heard.now_ms - self._late_ms):
            raise DeskUnavailable

    async def take_over(
        self, session_id: str, adviser: Adviser, announcement: Message
    ) -> tuple[Session, bool]:
        async def on(store: Store) -> tuple[Session, bool]:
            if store is self._memory:
                self._standby.bring_running(session_id)
            return await store.take_over(session_id, adviser, announcement)

        session, taken = await self._confirmed(session_id, on)
        self._session_cache.put(session_id, session)
        if not self._is_alone:
            await self._wait_until_known(session_id)
            if not taken:  # what had been taken before may have been undone meanwhile
                session = await self._in_redis(self._redis.load(session_id, ANY_OWNER))
                if session.adviser_id != adviser.id:
                    raise DeskUnavailable
        return session, taken

    async def undo_take_over(
        self, session_id: str, adviser: Adviser, taken: Message, undone: Message
    ) -> bool:
        """Hand back what was taken but could not be confirmed, so that it is as it is told.

        ``taken``: the announcement of the take-over; any other one of this adviser stays. No worker
        has to know: one that does not has the assistant answer anyway.

        Raises:
            DeskUnavailable: Redis is away. When nobody renews the assignment, it expires.
        """
        if self._away_since is not None:
            raise DeskUnavailable
        session = await self._in_redis(self._redis.load(session_id, ANY_OWNER))
        is_this_one = any(message.id == taken.id for message in session.messages)
        if session.adviser_id != adviser.id or not is_this_one:
            return False
        is_undone = await self._in_redis(self._redis.hand_back(session_id, adviser.id, "", undone))
        session = await self._in_redis(self._redis.load(session_id, ANY_OWNER))
        self._session_cache.put(session_id, session)
        return is_undone

    async def beat(self) -> None:
        """Show other workers that this one has Redis; read again where the speaker changed.

        To be called every ``BEAT_S``. A worker is counted on to know of a change only once its
        next beat says that it has read it: what is cut in between counts as unaware.

        Raises:
            StoreUnavailable:
        """
        if self._away_since is not None or self._has_left:
            return
        beat = await self._in_redis(self._redis.beat(self._known_ms))
        for session_id in beat.changed:
            await self._read_again(session_id)
        self._known_ms = beat.now_ms
        self._first_beat_ms = self._first_beat_ms or beat.now_ms
        silent = beat.workers.unaware(beat.now_ms - self._late_ms) - {self._redis.worker_id}
        dead = await self._forget_dead(beat.workers, silent, beat.now_ms)
        self._is_alone = beat.workers.known_ms.keys() - dead <= {self._redis.worker_id}
        self._is_one_silent = bool(silent - dead)

    async def arrive(self, session_id: str) -> None:
        """Note that the customer's page is here, where another worker may not answer any more."""
        if self._is_one_silent and self._away_since is None:
            with suppress(StoreUnavailable):
                await self._in_redis(self._redis.arrive(session_id))

    async def leave(self) -> None:
        """Note that this worker ends: nobody has to wait for it."""
        self._has_left = True
        with suppress(StoreUnavailable):
            await self._redis.leave()

    async def hand_back(
        self, session_id: str, adviser_id: str, instruction: str, announcement: Message
    ) -> bool:
        # Of one who left nobody is told: it may be done before every worker can know.
        go = self._confirmed if adviser_id else self._do
        handed = await go(
            session_id,
            lambda store: store.hand_back(session_id, adviser_id, instruction, announcement),
        )
        if handed:
            left: JSON = {
                "adviser": "",
                "adviser_id": "",
                "instruction": instruction,
                "asked_at": None,
            }
            self._session_cache.add(session_id, announcement, **left)
        return handed

    async def say(self, session_id: str, adviser_id: str, message: Message) -> bool:
        fresh = await self._confirmed(
            session_id, lambda store: store.say(session_id, adviser_id, message)
        )
        self._session_cache.add(session_id, message)
        return fresh

    async def renew_assignment(self, session_id: str, adviser_id: str) -> bool:
        return await self._do(
            session_id, lambda store: store.renew_assignment(session_id, adviser_id)
        )

    async def expired_assignments(self) -> list[str]:
        if self._away_since is not None and not self._is_alone:
            return []  # none could be handed back
        return (
            await self._either(lambda store: store.expired_assignments())
            if self._is_settled()
            else []
        )

    async def orphans(self) -> dict[str, int]:
        return await self._either(lambda store: store.orphans()) if self._is_settled() else {}

    async def count(self) -> int:
        return await self._either(lambda store: store.count())

    async def ask_for_adviser(self, session_id: str, owner: str, announcement: Message) -> bool:
        asked = await self._do(
            session_id, lambda store: store.ask_for_adviser(session_id, owner, announcement)
        )
        if asked:
            self._session_cache.add(session_id, announcement, asked_at=now())
        return asked

    async def put_form(
        self, session_id: str, owner: str, form: JSON | None, *, expected_version: int
    ) -> bool:
        is_put = await self._do(
            session_id,
            lambda store: store.put_form(
                session_id, owner, form, expected_version=expected_version
            ),
        )
        if is_put:
            version = version_after(form, expected_version)
            self._session_cache.change(session_id, form=form, form_version=version)
        return is_put

    async def announce(self, session_id: str, announcement: Message) -> bool:
        is_new = await self._do(session_id, lambda store: store.announce(session_id, announcement))
        self._session_cache.add(session_id, announcement)
        return is_new

    async def add_staff_note(self, session_id: str, staff_note: StaffNote) -> None:
        await self._do(session_id, lambda store: store.add_staff_note(session_id, staff_note))

    async def staff_notes(self, session_id: str) -> list[StaffNote]:
        return await self._do(session_id, lambda store: store.staff_notes(session_id))

    async def page(self, listing: Listing) -> SessionPage:
        return await self._either(lambda store: store.page(listing))

    async def find(self, ref: str) -> str:
        try:
            return await self._either(lambda store: store.find(ref))
        except SessionNotFound:
            if self._away_since is None:
                raise
        copied = self._session_cache.find(ref)
        if copied is None:  # Redis may know it
            raise StoreUnavailable
        return copied

    async def search(self, words: Sequence[str]) -> list[Row]:
        return await self._either(lambda store: store.search(words))

    async def counts(self) -> Counts:
        return await self._either(lambda store: store.counts())

    async def scan(self, progress: Progress | None = None) -> ScanResult:
        return await self._redis.scan(progress)

    async def repair(self, scan: ScanResult, progress: Progress | None = None) -> dict[Orphan, int]:
        return await self._redis.repair(scan, progress)

    async def expired_since(self, moment: datetime) -> int:
        return await self._redis.expired_since(moment)

    @abstractmethod
    async def _do(
        self,
        session_id: str,
        operation: Callable[[Store], Awaitable[T]],
        *,
        new: bool = False,
        leased: Lease | None = None,
        owned: Sequence[str] = (),
    ) -> T:
        """Do it where the session lives now."""

    @abstractmethod
    def _leave(self) -> None:
        """Serve from memory from now on."""

    async def _confirmed(self, session_id: str, operation: Callable[[Store], Awaitable[T]]) -> T:
        """Do what the staff is to be told only if it holds everywhere: in Redis, or not at all.

        Raises:
            DeskUnavailable: another worker may go on as if nothing had been done.
        """
        await self.check_confirmable(session_id)
        if self._is_alone:
            return await self._do(session_id, operation)
        return await self._in_redis(operation(self._redis))

    async def _wait_until_known(self, session_id: str) -> None:
        """Wait until every worker that may answer here has read who answers now.

        Raises:
            DeskUnavailable: one does not say so in time.
        """
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._late_ms / 1000
        heard = await self._in_redis(self._redis.heard(session_id))
        changed_ms = heard.now_ms
        while await self._unaware(heard, changed_ms):
            if loop.time() >= give_up_at:
                raise DeskUnavailable
            await asyncio.sleep(BEAT_S / 4)
            heard = await self._in_redis(self._redis.heard(session_id))

    async def _unaware(self, heard: Heard, moment_ms: int) -> set[str]:
        """Return which workers matter, live and do not know of all changes up to a moment."""
        unaware = heard.unaware(moment_ms, self._redis.worker_id)
        return unaware - await self._forget_dead(heard.workers, unaware, heard.now_ms)

    async def _forget_dead(self, workers: Workers, ids: set[str], now_ms: int) -> set[str]:
        """Return which of these workers are dead, and have no other worker wait for them."""
        began_ms = min(self._first_beat_ms, now_ms - self._late_ms)
        dead = workers.dead(ids, self._redis.place, began_ms)
        if dead:
            await self._in_redis(self._redis.forget_workers(dead))
            logger.warning("%d workers ended without a word: nobody waits for them", len(dead))
        return set(dead)

    async def _read_again(self, session_id: str) -> None:
        """Have the copy say who speaks now, for when Redis goes."""
        if session_id not in self._session_cache and not self._standby.answers(session_id):
            return
        try:
            session = await self._in_redis(self._redis.load(session_id, ANY_OWNER))
        except SessionNotFound:
            self._session_cache.drop(session_id)
        else:
            self._session_cache.put(session_id, session)

    async def _in_redis(self, call: Awaitable[T]) -> T:
        """
        Raises:
            DeskUnavailable: Redis does not answer.
        """
        try:
            return await call
        except StoreUnavailable as error:
            self._leave()
            raise DeskUnavailable from error

    async def _either(self, operation: Callable[[Store], Awaitable[T]]) -> T:
        """Do what is about no one session where most of them live now."""
        if self._away_since is None:
            try:
                return await operation(self._redis)
            except StoreUnavailable:
                self._leave()
        return await operation(self._memory)

    def _is_settled(self) -> bool:
        """Whether no other worker merges into Redis what it kept meanwhile."""
        return self._away_since is not None or seconds() >= self._settled_at
