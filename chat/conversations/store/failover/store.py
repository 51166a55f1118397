"""Redis, or memory while Redis is away, then Redis again with what memory kept.

One failed call moves the worker to memory, so that no other call waits for a timeout. A
session goes on there when this worker has a copy of it, or knows that it exists nowhere;
any other is refused with ``StoreUnavailable``, never begun again blank. A task asks Redis
whether it is back, gives it what memory kept (see ``merge``), and the worker returns.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeVar

from chat.conversations.store.adviser_store import StaffNote
from chat.conversations.store.erasures import Backlog
from chat.conversations.store.failover.advisers import LATE_MS, FailoverAdviserStore
from chat.conversations.store.failover.left_file import SUFFIX, LeftFile
from chat.conversations.store.failover.standby import SessionCache, Standby
from chat.conversations.store.memory.record import Record
from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.merge import apart_id, is_of_another, merge
from chat.conversations.store.protocol import (
    ANSWER_WITHIN_S,
    ANY_OWNER,
    WEB_OWNER,
    Accepted,
    ClaimResult,
    Create,
    Finished,
    Lease,
    LeaseLost,
    Store,
    Written,
)
from chat.conversations.store.redis.store import RedisStore
from chat.conversations.types import Message, Outcome, Session
from chat.core import metrics
from chat.core.clock import now, seconds
from chat.core.errors import SessionGone, SessionNotFound, StoreUnavailable
from chat.core.ids import ref_of

logger = logging.getLogger(__name__)

#: How often an absent Redis is asked whether it is back.
PROBE_S = 0.5
#: Erased sessions that this worker was told of and remembers, at most.
MAX_FORGOTTEN = 10_000
#: Ids made here that are remembered; the oldest is forgotten, and its browser waits.
MAX_MADE = 10_000
#: After its return, other workers get this long to merge before orphans are taken up.
SETTLE_S = 6.0

T = TypeVar("T")
#: Called with the ids of sessions whose store changed, or None for all of this worker.
OnBackendChange = Callable[[Sequence[str] | None], Awaitable[None]]


class FailoverStore(FailoverAdviserStore):
    """``on_backend_change`` may be set to hear of sessions whose ``storage_backend`` changed.

    ``probe_s``, ``settle_s``, ``late_ms``: see ``PROBE_S``, ``SETTLE_S`` and ``LATE_MS``.
    """

    def __init__(
        self,
        redis: RedisStore,
        memory: MemoryStore,
        *,
        probe_s: float = PROBE_S,
        settle_s: float = SETTLE_S,
        late_ms: int = LATE_MS,
    ) -> None:
        self._probe_s = probe_s
        self._settle_s = settle_s
        self._late_ms = late_ms
        self._redis = redis
        self._memory = memory
        self._session_cache = SessionCache()
        self._standby = Standby(memory, self._session_cache)
        self._away_since: float | None = None
        #: Browsers' ids that this worker made: True for those made since Redis went.
        self._made: OrderedDict[str, bool] = OrderedDict()
        self._left: list[LeftFile] = []
        self._left_folder: Path | None = None
        self._forgotten: OrderedDict[str, None] = OrderedDict()
        self._settled_at = 0.0
        self._moving: dict[str, asyncio.Event] = {}
        self._returning: asyncio.Task[None] | None = None
        self.on_backend_change: OnBackendChange | None = None

    def note_made(self, session_id: str) -> None:
        """Note that this worker just made this id for a browser.

        While Redis is away an id made since is known to exist nowhere, and one made before as long
        as its page, here, heard of no conversation (``note_absence``). No clock says so: another
        worker may still have Redis, and begin a conversation under an id that looks younger than
        the moment when this one lost it.
        """
        self._made[session_id] = self._away_since is not None
        if len(self._made) > MAX_MADE:
            self._made.popitem(last=False)

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
        answer_within_s: float = ANSWER_WITHIN_S,
        arrived_at: float | None = None,
    ) -> Accepted:
        async def on(store: Store) -> Accepted:
            self._check_may_begin(store, session_id, owner, create)
            # Memory does not know yet which other questions of this worker wait (see ``claim``).
            asked = answer_id if store is self._redis else ""
            return await store.accept(
                session_id,
                owner,
                message,
                create=how,
                answer_id=asked,
                answer_within_s=answer_within_s,
                arrived_at=arrived_at,
            )

        known, how = self._copy_in_use(session_id, owner), create
        if known is not None and create == "always":
            how = "new"  # then it is begun only if Redis has no trace of it, not even of its end
        new = create == "fresh" or (owner == WEB_OWNER and self._is_made_here(session_id))
        try:
            accepted = await self._do(session_id, on, new=new)
        except SessionGone:
            if how == create:
                raise
            known, how = None, create
            self._session_cache.drop(session_id)
            accepted = await self._do(session_id, on, new=new)
        if accepted.created is not None:
            self._forgotten.pop(session_id, None)
            if known is not None and self._away_since is None:
                with suppress(StoreUnavailable):
                    accepted = await self._recognise(known, accepted)
        if accepted.outcome is None:
            self._standby.asked(session_id, message.id, seconds() + accepted.left_s)
        if accepted.lease is not None:
            self._begin(accepted.lease)
        elif accepted.created is not None:
            self._session_cache.put(session_id, accepted.created)
        else:
            self._session_cache.add(session_id, message)
        return accepted

    def _copy_in_use(self, session_id: str, owner: str) -> Session | None:
        """Return the copy of a conversation that this owner may go on with, if there is one."""
        copy = self._session_cache.get(session_id)
        if copy is None or copy.owner != owner or copy.ended or copy.expires_at <= now():
            return None
        return copy if copy.messages else None

    async def claim(
        self, session_id: str, owned: Sequence[str], new_answer_id: str, *, last_try: bool = True
    ) -> ClaimResult:
        async def on(store: Store) -> ClaimResult:
            if store is self._memory:
                self._standby.expect(session_id, owned)
            return await store.claim(session_id, owned, new_answer_id, last_try=last_try)

        claim = await self._do(session_id, on, owned=owned)
        for question_id in (*claim.ended, *(over.question_id for over in claim.given_up)):
            self._standby.ended(session_id, question_id)
        if claim.lease is not None:
            self._begin(claim.lease)
        return claim

    async def write(self, lease: Lease, offset: int, piece: str) -> Written:
        async def on(store: Store) -> Written:
            if store is self._memory:
                self._standby.bring(lease)
            return await store.write(lease, offset, piece)

        try:
            written = await self._do(lease.session.id, on, leased=lease)
        except LeaseLost:
            self._standby.over(lease)
            raise
        self._standby.note(lease, offset, piece)
        return written

    async def finish(
        self,
        lease: Lease,
        outcome: Outcome,
        answer: Message | None,
        staff_note: StaffNote | None = None,
    ) -> Finished:
        async def on(store: Store) -> Finished:
            if store is self._memory:
                self._standby.bring(lease)
            return await store.finish(lease, outcome, answer, staff_note)

        try:
            finished = await self._do(lease.session.id, on, leased=lease)
        finally:
            self._standby.over(lease)
            self._standby.ended(lease.session.id, lease.question_id)
        if answer is not None:
            self._session_cache.add(lease.session.id, answer)
        return finished

    async def release(self, lease: Lease) -> None:
        self._standby.over(lease)
        await self._do(lease.session.id, lambda store: store.release(lease), leased=lease)

    async def abandon(self, session_id: str, question_id: str, outcome: Outcome) -> None:
        await self._do(session_id, lambda store: store.abandon(session_id, question_id, outcome))

    async def outcome(self, session_id: str, question_id: str) -> Outcome | None:
        return await self._do(session_id, lambda store: store.outcome(session_id, question_id))

    async def stop(self, session_id: str, owner: str) -> bool:
        return await self._do(session_id, lambda store: store.stop(session_id, owner))

    async def load(self, session_id: str, owner: str) -> Session:
        if self._away_since is not None and not self._memory.has(session_id):
            cache = self._session_cache
            is_absent = session_id in cache and cache.get(session_id) is None
            if owner == WEB_OWNER and (is_absent or self._is_made_here(session_id)):
                raise SessionNotFound
            if is_absent:  # as far as a browser is concerned that listens here
                raise StoreUnavailable
        try:
            session = await self._found(session_id, owner)
        except SessionGone:
            self._session_cache.drop(session_id)
            raise
        self._session_cache.put(session_id, session)
        return session

    async def end(self, session_id: str, owner: str) -> bool:
        go = self._confirmed if owner == ANY_OWNER else self._do
        ended = await go(session_id, lambda store: store.end(session_id, owner))
        if ended and owner == ANY_OWNER and not self._is_alone:
            await self._wait_until_known(session_id)
        self._session_cache.drop(session_id)
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
        if not erased and await self._has_put_back(session_id):
            erased = await self._do(session_id, on)
        self._note_forgotten(session_id)
        self._session_cache.drop(session_id)
        return erased

    async def _has_put_back(self, session_id: str) -> bool:
        """Whether Redis had lost it, so that its erasure leaves a trace for late writers now."""
        if self._away_since is not None:
            return False
        return await self._of_redis(lambda _: self._put_back(session_id))

    def _note_forgotten(self, session_id: str) -> None:
        self._forgotten[session_id] = None
        if len(self._forgotten) > MAX_FORGOTTEN:
            self._forgotten.popitem(last=False)

    async def take_erasures(self, limit: int = 10) -> list[str]:
        return await self._of_redis(lambda redis: redis.take_erasures(limit))

    async def erasure_done(self, ref: str) -> None:
        await self._of_redis(lambda redis: redis.erasure_done(ref))

    async def erasure_backlog(self) -> Backlog:
        return await self._of_redis(lambda redis: redis.erasure_backlog())

    async def _of_redis(self, ask: Callable[[RedisStore], Awaitable[T]]) -> T:
        """Ask Redis what memory does not know; while it is away, nobody."""
        if self._away_since is not None:
            raise StoreUnavailable
        try:
            return await ask(self._redis)
        except StoreUnavailable:
            self._leave()
            raise

    def forget(self, session_id: str) -> None:
        """Drop this worker's copy of a session that was erased; never give it to Redis again."""
        self._note_forgotten(session_id)
        self._session_cache.drop(session_id)
        if self._away_since is None:
            self._memory.take_out(session_id)

    def note_heard(self, session_id: str, message: Message) -> None:
        """Add what another worker said in a browser's conversation to what this one has of it.

        So a page that is loaded again here after Redis went shows what it showed before, and this
        worker does not answer once more what is answered. While Redis cannot be written to, its
        channels may still carry messages: what goes on in memory takes them in as well.

        Only for browsers: their ids are secret, so both workers have the same conversation. Under
        an id that a program names there may be another owner's by now.
        """
        if self._is_browsers(session_id):
            self._session_cache.hear(session_id, message)
            self._memory.hear(session_id, message)
            self._standby.ended(session_id, message.reply_to)

    def note_failure_heard(self, session_id: str, question_id: str, code: str) -> None:
        """Note that another worker ended a question without an answer, as ``note_heard``."""
        if self._is_browsers(session_id):
            self._session_cache.hear_failure(session_id, question_id, code)
            self._memory.hear_failure(session_id, question_id, code)
            self._standby.ended(session_id, question_id)

    def _is_browsers(self, session_id: str) -> bool:
        known = self._memory.record(session_id) or self._session_cache.get(session_id)
        return known is not None and known.owner == WEB_OWNER

    async def _found(self, session_id: str, owner: str) -> Session:
        """Load a session; one that a stopped worker may have left counts as away until its file is
        merged.

        Raises:
            SessionNotFound, SessionGone:
            StoreUnavailable:
        """

        async def load() -> Session:
            return await self._do(session_id, lambda store: store.load(session_id, owner))

        try:
            return await load()
        except SessionNotFound:
            if owner != WEB_OWNER or self._left_folder is None or self._is_made_here(session_id):
                raise
        if any(self._left_folder.glob(f"*{SUFFIX}")):
            raise StoreUnavailable
        return await load()  # the file may have been merged, and removed, since Redis was asked

    def note_absence(self, session_id: str) -> None:
        """Hold that this browser's session, which Redis did not have just now, exists nowhere.

        Only who listens to it may say so, until ``forget_absence``: what another worker begins is
        heard. Only an id that this worker made counts: a browser that came from another worker may
        begin there once this one is cut off. An id that a program names is never known to be free.
        """
        is_unknown = session_id in self._made and session_id not in self._session_cache
        if self._away_since is None and is_unknown:
            self._session_cache.put(session_id, None)

    def forget_absence(self, session_id: str) -> None:
        """No longer hold that this session does not exist: somebody may have begun it elsewhere."""
        if session_id in self._session_cache and self._session_cache.get(session_id) is None:
            self._session_cache.drop(session_id)

    @property
    def is_cluster(self) -> bool:
        """Whether Redis is a cluster, which is not used: memory serves until it is replaced."""
        return self._redis.is_cluster

    def close(self) -> None:
        """End the thread that talks to Redis."""
        self._redis.close()

    async def ping(self) -> None:
        if self._away_since is not None:
            raise StoreUnavailable
        try:
            await self._redis.ping()
        except StoreUnavailable:
            self._leave()
            raise

    async def hand_down(self, folder: Path, wait_s: float) -> None:
        """Leave nothing in memory when this process ends: no operation may follow.

        What Redis does not take back within ``wait_s`` is left in a file, which is written before
        the wait and removed after a success: who kills this process meanwhile loses nothing.

        Raises:
            OSError: neither could be done; the log says how much is lost.
        """
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.wait({self._returning})
        records = self._memory.records()
        if not records:
            return
        left: LeftFile | None = None
        failure: OSError | None = None
        try:
            left = LeftFile.write(folder, records)
        except OSError as error:
            failure = error
        if await self._give_back_within(wait_s):
            if left is not None:
                left.remove()
            await self.leave()  # Redis could not be told before
        elif left is not None:
            left.close()
            logger.warning(
                "Redis is away: %d conversations are left for the next start in %s",
                len(records),
                left.path,
            )
        elif failure is not None:
            count = len(records)
            logger.error("%d conversations are lost: %s cannot be written", count, folder)
            raise failure

    async def take_up_left(self, folder: Path) -> None:
        """Merge what a worker left in files, into Redis or, while it is away, into memory.

        To be called when the worker starts and every second.
        """
        self._left_folder = folder
        for left in LeftFile.found(folder):
            self._left.append(left)
            if self._away_since is not None:  # to go on with; Redis gets the file's own later
                for record in (await asyncio.to_thread(left.read))[0]:
                    if not self._memory.has(record.id):
                        self._memory.adopt(record)
        for left in tuple(self._left):
            if self._away_since is not None:
                return
            records, is_whole = await asyncio.to_thread(left.read)
            merged = [await self._merge_left(record) for record in records]
            if None in merged:
                continue
            self._left.remove(left)
            logger.warning("%d conversations of %s were merged", sum(map(bool, merged)), left.path)
            if not is_whole:
                metrics.unreadable_records.inc()
            if is_whole and all(merged):
                left.remove()
            else:
                left.set_aside()

    async def _merge_left(self, record: Record) -> bool | None:
        """Merge what a file has of a conversation; False when that will never work, None where
        Redis must come back or memory must give back first.
        """
        if self._away_since is not None or self._memory.record(record.id) is not None:
            return None
        try:
            return await self._is_moved(record)
        except StoreUnavailable:
            self._leave()
            return None

    async def _give_back_within(self, wait_s: float) -> bool:
        """Give back, at the end of this process; False when Redis stays away for so long."""
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + wait_s
        while True:
            try:
                await self._redis.ping()
                await self._give_back()
            except StoreUnavailable:
                if loop.time() + self._probe_s > give_up_at:
                    return False
            except Exception:
                logger.exception("giving back to Redis what memory kept failed")
                return False
            else:
                return not self._memory.records()
            await asyncio.sleep(self._probe_s)

    def _begin(self, lease: Lease) -> None:
        self._session_cache.put(lease.session.id, lease.session)
        self._standby.begin(lease)

    async def _do(
        self,
        session_id: str,
        operation: Callable[[Store], Awaitable[T]],
        *,
        new: bool = False,
        leased: Lease | None = None,
        owned: Sequence[str] = (),
    ) -> T:
        """Do it where the session lives now.

        ``new``: it exists nowhere yet. ``leased``: this worker answers in it, so knows it.
        ``owned``: questions for whose answers this worker waits.
        """
        while session_id in self._moving:
            await self._moving[session_id].wait()
        if self._away_since is None and not self._memory.has(session_id):
            try:
                return await self._do_in_redis(session_id, operation, leased, owned)
            except StoreUnavailable:
                self._leave()
            while session_id in self._moving:
                await self._moving[session_id].wait()
        if not self._memory.has(session_id) and not new:
            self._standby.adopt(session_id, leased)
        return await operation(self._memory)

    async def _do_in_redis(
        self,
        session_id: str,
        operation: Callable[[Store], Awaitable[T]],
        leased: Lease | None,
        owned: Sequence[str],
    ) -> T:
        """Do it in Redis; once more after Redis got back what it had lost."""
        try:
            return await operation(self._redis)
        except SessionGone:
            raise
        except (SessionNotFound, LeaseLost):
            if not await self._put_back(session_id, leased, owned):
                raise
            return await operation(self._redis)

    async def _put_back(
        self, session_id: str, lease: Lease | None = None, owned: Sequence[str] = ()
    ) -> bool:
        """Give Redis what it has lost of a conversation and this worker still has.

        Nothing ever removes a message from a conversation that lives: one that this worker knows,
        of a conversation that is neither erased nor expired, was lost with Redis's data (a flush,
        a replica that had fallen behind). After a flush Redis does not know what was erased
        before: only what this worker was told does, see ``forget``.

        Returns whether there was something to give back.
        """
        record = self._standby.whole(session_id, lease, owned)
        if record is None or session_id in self._forgotten or record.expires <= seconds():
            return False
        while True:
            stored = await self._redis.peek(session_id)
            theirs = stored.record
            if stored.gone or (theirs and theirs.epoch != record.epoch):
                return False
            if theirs is not None and _has_all(theirs, record):
                return False
            both = merge(record, stored)
            if both is None or session_id in self._forgotten:
                return False
            if await self._redis.replace(both, stored.version):
                break
        logger.warning("Redis lost a conversation that is served here: it was put back")
        self._session_cache.put(session_id, both.snapshot())
        return True

    async def _recognise(self, known: Session, accepted: Accepted) -> Accepted:
        """Join the conversation that was just begun anew with the copy of the one Redis lost."""
        created = accepted.created
        if created is None or known.id in self._forgotten:
            return accepted
        record = replace(Record.of(known), epoch=created.epoch)
        while True:
            stored = await self._redis.peek(known.id)
            both = merge(record, stored) if stored.record is not None else None
            if both is None or stored.gone:
                return accepted
            both = replace(both, epoch=known.epoch)  # by which other workers know it
            if await self._redis.replace(both, stored.version):
                break
        logger.warning("Redis lost a conversation that is served here: it was put back")
        whole = both.snapshot()
        lease = accepted.lease
        return replace(
            accepted,
            created=whole,
            lease=replace(lease, session=replace(whole, waiting=(), draft=None)) if lease else None,
        )

    def _check_may_begin(self, store: Store, session_id: str, owner: str, create: Create) -> None:
        """Return when this owner may go on with the session in this store, or begin it there.

        Raises:
            StoreUnavailable: a program names it, and Redis may have it, of another owner or not.
        """
        is_named = owner != WEB_OWNER and create != "fresh"
        if store is self._memory and is_named and not self._memory.has(session_id):
            raise StoreUnavailable

    def _is_made_here(self, session_id: str) -> bool:
        """Whether this worker made the id since Redis went: then it exists nowhere else yet."""
        return self._away_since is not None and self._made.get(session_id, False)

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
            await asyncio.sleep(self._probe_s)
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
        self._settled_at = seconds() + self._settle_s
        away_since, self._away_since = self._away_since, None
        merged: list[str] = []
        try:
            for record in self._memory.records():
                if await self._is_moved(record):
                    merged.append(record.id)  # noqa: PERF401 - what was merged is told in any case
        except BaseException:
            self._away_since = away_since
            raise
        finally:
            await self._tell(merged)
        if self.backend == "memory":  # Redis went again meanwhile
            return
        self._memory.forget_gone()
        self._made = OrderedDict.fromkeys(self._made, False)
        metrics.store_degraded.set(0)
        logger.warning("Redis is back: %d conversations were merged into it", len(merged))
        await self._tell(None)

    async def _is_moved(self, record: Record) -> bool:
        """Move a conversation back; one that cannot be stays where it is, and stops no other.

        Raises:
            StoreUnavailable:
        """
        try:
            await self._move(record)
        except StoreUnavailable:
            raise
        except Exception:
            metrics.unreadable_records.inc()
            logger.exception("conversation %s could not be given back", ref_of(record.id))
            return False
        return True

    async def _move(self, record: Record) -> None:
        done = self._moving[record.id] = asyncio.Event()
        both: Record | None
        try:
            while True:
                stored = await self._redis.peek(record.id)
                if is_of_another(record, stored):
                    both = replace(record, id=apart_id(record))
                    await self._redis.replace(both, "")  # False: done before, and Redis went
                    break
                both = merge(record, stored)
                if both is None or await self._redis.replace(both, stored.version):
                    break
            if both is not None:
                for staff_note in both.staff_notes.values():
                    await self._redis.add_staff_note(both.id, staff_note)
            self._memory.take_out(record.id)
            self._session_cache.drop(record.id)
            if both is not None and both.id != record.id:
                logger.warning("an id that two owners used: conversations are kept apart")
            elif both is not None:  # Redis may go again before anybody reads it there
                self._session_cache.put(both.id, both.snapshot())
        finally:
            del self._moving[record.id]
            done.set()

    async def _tell(self, session_ids: Sequence[str] | None) -> None:
        if self.on_backend_change is not None and (session_ids is None or session_ids):
            try:
                await self.on_backend_change(session_ids)
            except Exception:
                logger.exception("telling viewers of the change of store failed")


def _has_all(theirs: Record, record: Record) -> bool:
    """Whether every message of the record is there, and each open question still has its turn."""
    known = {*theirs.pending, *theirs.outcomes}
    return record.by_id.keys() <= theirs.by_id.keys() and known.issuperset(record.pending)
