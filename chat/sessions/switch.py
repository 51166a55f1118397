"""Redis, or memory while Redis is away, then Redis again with what memory kept.

One failed call moves the worker to memory, so that no other call waits for a timeout. A
session goes on there when this worker has a copy of it, or when it cannot exist in Redis;
any other is refused with ``StoreUnavailable``, never begun again blank. A task asks Redis
whether it is back, gives it what memory kept (see ``merge``), and the worker returns.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeVar

from chat import metrics
from chat.errors import SessionGone, SessionNotFound, StoreUnavailable
from chat.sessions import cookie
from chat.sessions.copies import Copies
from chat.sessions.desk import Aside
from chat.sessions.memory_record import Record, seconds
from chat.sessions.memory_store import MemoryStore
from chat.sessions.merge import merge
from chat.sessions.redis_store import RedisStore
from chat.sessions.standin import StandIn
from chat.sessions.store import (
    WEB_OWNER,
    Accepted,
    Claim,
    Create,
    Finished,
    Lease,
    LeaseLost,
    Store,
    Written,
)
from chat.sessions.switch_desk import SwitchDesk
from chat.sessions.types import Message, Outcome, Session

logger = logging.getLogger(__name__)

#: How often an absent Redis is asked whether it is back.
PROBE_S = 0.5
#: After its return, other workers get this long to merge before orphans are taken up.
SETTLE_S = 6.0

T = TypeVar("T")
#: Called with the ids of sessions whose store changed, or None for all of this worker.
Moved = Callable[[Sequence[str] | None], Awaitable[None]]


class SwitchStore(SwitchDesk):
    """``moved`` may be set to hear of sessions whose ``storage_backend`` changed."""

    def __init__(self, redis: RedisStore, memory: MemoryStore) -> None:
        self._redis = redis
        self._memory = memory
        self._copies = Copies()
        self._stand_in = StandIn(memory, self._copies)
        self._away_since: float | None = None
        self._settled_at = 0.0
        self._moving: dict[str, asyncio.Event] = {}
        self._returning: asyncio.Task[None] | None = None
        self.moved: Moved | None = None

    @property
    def backend(self) -> Literal["redis", "memory"]:
        return "redis" if self._away_since is None else "memory"

    async def accept(
        self,
        session_id: str,
        owner: str,
        message: Message,
        *,
        create: Create,
        answer_id: str = "",
    ) -> Accepted:
        async def on(store: Store) -> Accepted:
            # Memory does not know yet which other questions of this worker wait (see ``claim``).
            asked = answer_id if store is self._redis else ""
            return await store.accept(session_id, owner, message, create=create, answer_id=asked)

        new = create == "fresh" or (owner == WEB_OWNER and self._made_since(session_id))
        accepted = await self._do(session_id, on, new=new)
        if accepted.lease is not None:
            self._begin(accepted.lease)
        elif accepted.created is not None:
            self._copies.put(session_id, accepted.created)
        else:
            self._copies.add(session_id, message)
        return accepted

    async def claim(self, session_id: str, owned: Sequence[str], new_answer_id: str) -> Claim:
        async def on(store: Store) -> Claim:
            if store is self._memory:
                self._stand_in.expect(session_id, owned)
            return await store.claim(session_id, owned, new_answer_id)

        claim = await self._do(session_id, on)
        if claim.lease is not None:
            self._begin(claim.lease)
        return claim

    async def write(self, lease: Lease, offset: int, piece: str) -> Written:
        async def on(store: Store) -> Written:
            if store is self._memory:
                self._stand_in.bring(lease)
            return await store.write(lease, offset, piece)

        try:
            written = await self._do(lease.session.id, on, leased=lease)
        except LeaseLost:
            self._stand_in.over(lease)
            raise
        self._stand_in.note(lease, offset, piece)
        return written

    async def finish(
        self,
        lease: Lease,
        outcome: Outcome,
        answer: Message | None,
        aside: Aside | None = None,
    ) -> Finished:
        async def on(store: Store) -> Finished:
            if store is self._memory:
                self._stand_in.bring(lease)
            return await store.finish(lease, outcome, answer, aside)

        try:
            finished = await self._do(lease.session.id, on, leased=lease)
        finally:
            self._stand_in.over(lease)
        if answer is not None:
            self._copies.add(lease.session.id, answer)
        return finished

    async def release(self, lease: Lease) -> None:
        self._stand_in.over(lease)
        await self._do(lease.session.id, lambda store: store.release(lease), leased=lease)

    async def abandon(self, session_id: str, question_id: str, outcome: Outcome) -> None:
        await self._do(session_id, lambda store: store.abandon(session_id, question_id, outcome))

    async def outcome(self, session_id: str, question_id: str) -> Outcome | None:
        return await self._do(session_id, lambda store: store.outcome(session_id, question_id))

    async def stop(self, session_id: str, owner: str) -> bool:
        return await self._do(session_id, lambda store: store.stop(session_id, owner))

    async def load(self, session_id: str, owner: str) -> Session:
        if self._away_since is not None and not self._memory.has(session_id):
            if owner == WEB_OWNER and self._made_since(session_id):
                raise SessionNotFound
            if session_id in self._copies and self._copies.get(session_id) is None:
                raise SessionNotFound
        try:
            session = await self._do(session_id, lambda store: store.load(session_id, owner))
        except SessionGone:
            self._copies.drop(session_id)
            raise
        except SessionNotFound:
            if session_id not in self._copies:
                self._copies.put(session_id, None)
            raise
        self._copies.put(session_id, session)
        return session

    async def end(self, session_id: str, owner: str) -> bool:
        ended = await self._do(session_id, lambda store: store.end(session_id, owner))
        self._copies.drop(session_id)
        return ended

    async def erase(self, session_id: str, owner: str) -> bool:
        async def on(store: Store) -> bool:
            record = self._memory.record(session_id)
            only_here = record and not record.elsewhere and record.owner != WEB_OWNER
            if store is self._memory and not only_here:
                # Redis may have it, or other workers a browser went on with: never half done.
                raise StoreUnavailable
            return await store.erase(session_id, owner)

        erased = await self._do(session_id, on)
        self._copies.drop(session_id)
        return erased

    def forget(self, session_id: str) -> None:
        """Drop this worker's copy of a session that was erased."""
        self._copies.drop(session_id)
        if self._away_since is None:
            self._memory.take_out(session_id)

    def forget_absence(self, session_id: str) -> None:
        """No longer hold that this session does not exist: somebody may have begun it elsewhere."""
        if session_id in self._copies and self._copies.get(session_id) is None:
            self._copies.drop(session_id)

    async def ping(self) -> None:
        if self._away_since is not None:
            raise StoreUnavailable
        try:
            await self._redis.ping()
        except StoreUnavailable:
            self._leave()
            raise

    def _begin(self, lease: Lease) -> None:
        self._copies.put(lease.session.id, lease.session)
        self._stand_in.begin(lease)

    async def _do(
        self,
        session_id: str,
        operation: Callable[[Store], Awaitable[T]],
        *,
        new: bool = False,
        leased: Lease | None = None,
    ) -> T:
        """Do it where the session lives now.

        ``new``: it exists nowhere yet. ``leased``: this worker answers in it, so knows it.
        """
        while session_id in self._moving:
            await self._moving[session_id].wait()
        if self._away_since is None and not self._memory.has(session_id):
            try:
                return await operation(self._redis)
            except StoreUnavailable:
                self._leave()
            while session_id in self._moving:
                await self._moving[session_id].wait()
        if not self._memory.has(session_id) and not new:
            self._stand_in.adopt(session_id, leased)
        return await operation(self._memory)

    def _made_since(self, session_id: str) -> bool:
        """Whether the server made this id after Redis went: then Redis cannot have it."""
        return self._away_since is not None and cookie.made_at(session_id) >= self._away_since

    def _leave(self) -> None:
        """Serve from memory from now on."""
        metrics.store_errors.inc()
        if self._away_since is not None:
            return
        self._away_since = seconds()
        metrics.store_degraded.set(1)
        logger.warning("Redis is away: conversations go on in this worker's memory")
        if self._returning is None or self._returning.done():
            self._returning = asyncio.create_task(self._return(), name="redis-return")

    async def _return(self) -> None:
        await self._tell(None)
        while True:
            await asyncio.sleep(PROBE_S)
            try:
                await self._redis.ping()
                await self._give_back()
            except StoreUnavailable:
                continue
            except Exception:
                logger.exception("giving back to Redis what memory kept failed: trying again")
                continue
            if self._away_since is None:  # else it went again, and nobody else waits for it
                return

    async def _give_back(self) -> None:
        """Merge all that memory kept into Redis; what is not merged yet stays in memory."""
        self._settled_at = seconds() + SETTLE_S
        away_since, self._away_since = self._away_since, None
        merged: list[str] = []
        try:
            for record in self._memory.records():
                await self._move(record)
                merged.append(record.id)
        except BaseException:
            self._away_since = away_since
            raise
        finally:
            await self._tell(merged)
        if self.backend == "memory":  # Redis went again meanwhile
            return
        self._memory.forget_gone()
        metrics.store_degraded.set(0)
        logger.warning("Redis is back: %d conversations were merged into it", len(merged))
        await self._tell(None)

    async def _move(self, record: Record) -> None:
        done = self._moving[record.id] = asyncio.Event()
        try:
            while True:
                stored = await self._redis.peek(record.id)
                both = merge(record, stored)
                if both is None or await self._redis.replace(both, stored.version):
                    break
            for aside in both.asides.values() if both is not None else ():
                await self._redis.add_aside(record.id, aside)
            self._memory.take_out(record.id)
            self._copies.drop(record.id)
            if both is not None:  # Redis may go again before anybody reads it there
                self._copies.put(record.id, both.snapshot())
        finally:
            del self._moving[record.id]
            done.set()

    async def _tell(self, session_ids: Sequence[str] | None) -> None:
        if self.moved is not None and (session_ids is None or session_ids):
            try:
                await self.moved(session_ids)
            except Exception:
                logger.exception("telling viewers of the change of store failed")
