"""Chat sessions in Redis: see ``lua/common.lua`` for the keys, ``store.py`` for the promises."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from django.conf import settings
from django_redis import get_redis_connection
from redis.exceptions import ResponseError

from chat.conversations.store.adviser_store import (
    ASSIGNMENT_S,
    MAX_STAFF_NOTES,
    StaffNote,
    desk_key,
)
from chat.conversations.store.draft_versions import form_text, version_after
from chat.conversations.store.erasures import (
    FIRST_PAUSE_S,
    LATE_S,
    LONGEST_PAUSE_S,
    MAX_UNKNOWN,
    Backlog,
)
from chat.conversations.store.failover.workers import WorkerPlace, Workers
from chat.conversations.store.maintenance import STEP
from chat.conversations.store.memory.record import Record
from chat.conversations.store.merge import Stored
from chat.conversations.store.protocol import (
    ANSWER_WITHIN_S,
    ANY_OWNER,
    ERASED_S,
    LEASE_TIMES,
    MAX_ATTEMPTS,
    MAX_ORPHANS,
    MAX_SESSION_BYTES,
    WEB_OWNER,
    Accepted,
    ClaimResult,
    Create,
    Finished,
    Lease,
    LeaseLost,
    LeaseTimes,
    Written,
)
from chat.conversations.store.redis.document import (
    GRANTED_DOCUMENT,
    dumps,
    given_up_of,
    gone_for,
    head,
    lease_of,
    moment_of,
    outcomes_of,
    refuse,
    replacement,
    stored,
    watch_channel,
)
from chat.conversations.store.redis.maintenance import RedisMaintenance
from chat.conversations.store.redis.scripts import PipelineExecutor, scripts
from chat.conversations.types import Message, Outcome, Session, fingerprint
from chat.core.clock import now
from chat.core.errors import (
    IdConflict,
    SessionFull,
    SessionNotFound,
    SessionUnreadable,
    StoreUnavailable,
)
from chat.core.ids import isoformat, new_id
from chat.core.json import JSON
from chat.core.text import language_of, tells_language

logger = logging.getLogger(__name__)

#: A worker that fell silent, and is not known to be dead, may still serve its customers from memory
#: for so long, as far as the others care.
_WORKERS_KEPT_MS = 600_000
#: For how long changes of speakers are remembered: a worker that was away longer knows of none.
_CHANGES_KEPT_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Beat:
    """``changed``: sessions to be read again."""

    now_ms: int
    workers: Workers
    changed: list[str]


@dataclass(frozen=True, slots=True)
class Heard:
    """``door``: the worker that the customer last spoke to; ``writer``: the one that answers.

    Both "" when that is not known; ``writer`` is the asking worker when nobody answers.
    """

    now_ms: int
    workers: Workers
    door: str
    writer: str

    def unaware(self, moment_ms: int, but: str) -> set[str]:
        """Return which workers matter and do not know yet of all changes up to a moment."""
        late = self.workers.unaware(moment_ms) - {but}
        matter = {self.door, self.writer}
        return late if "" in matter else late & matter


class RedisStore(RedisMaintenance):
    """``counts_listeners``: whether workers listen on this very Redis, so that it knows how many;
    otherwise ``listening`` is None everywhere.
    """

    backend: Literal["redis"] = "redis"

    def __init__(
        self,
        link: PipelineExecutor,
        ttl_s: int,
        assignment_s: float = ASSIGNMENT_S,
        *,
        times: LeaseTimes = LEASE_TIMES,
        step: int = STEP,
        counts_listeners: bool = True,
    ) -> None:
        super().__init__(link, ttl_s, assignment_s, step=step)
        self._lease_ms = round(times.lease_s * 1000)
        self._grace_ms = round(times.grace_s * 1000)
        self.worker_id = new_id()
        self.place = WorkerPlace.here()
        #: Whether the server said that it is part of a Redis Cluster: it is not written to.
        self.is_cluster = False
        self._counts_listeners = counts_listeners

    @classmethod
    def of_django(cls, ttl_s: int) -> RedisStore:
        """On the connections of django-redis's default cache."""
        link = PipelineExecutor(lambda: get_redis_connection("default"), scripts())
        return cls(link, ttl_s, counts_listeners=not settings.ENV.channel_layer_urls)

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
        loop_time = asyncio.get_running_loop().time()
        epoch, created_at = new_id(), datetime.fromisoformat(isoformat(now()))
        token = self._new_token() if answer_id else ""
        status, *rest = await self._run(
            "accept",
            session_id,
            owner,
            self._ttl_ms,
            self._grace_ms,
            create,
            message.id,
            fingerprint(message.text),
            dumps(message.to_json()),
            head(session_id, owner, epoch, created_at),
            epoch,
            MAX_SESSION_BYTES,
            round(created_at.timestamp() * 1000),
            language_of(message.text),
            "1" if tells_language(message.text) else "",
            token,
            self._lease_ms,
            answer_id,
            watch_channel(session_id),
            round(answer_within_s * 1000),
            self.worker_id,
            0 if arrived_at is None else int((loop_time - arrived_at) * 1000),
        )
        match status:
            case b"conflict":
                raise IdConflict
            case b"missing":
                raise SessionNotFound
            case b"full":
                raise SessionFull
            case b"gone":
                raise gone_for(rest[0].decode())
        outcome, adviser, expiry, listening, ahead, left_ms, *granted = rest
        lease = None
        if granted:
            lease = await self._lease(session_id, token, loop_time, granted[0])
        created = None
        if status == b"created":
            created = Session(
                id=session_id,
                owner=owner,
                epoch=epoch,
                created_at=created_at,
                expires_at=datetime.fromtimestamp(expiry / 1000, UTC),
                messages=(message,),
                waiting=(message.id,),
            )
        return Accepted(
            fresh=status != b"known",
            outcome=Outcome.from_text(outcome.decode()) if outcome else None,
            adviser=adviser.decode(),
            created=created,
            ahead=tuple(ahead.decode().split()),
            lease=lease,
            listening=self._listening(listening),
            left_s=left_ms / 1000,
        )

    async def claim(
        self, session_id: str, owned: Sequence[str], new_answer_id: str, *, last_try: bool = True
    ) -> ClaimResult:
        loop_time = asyncio.get_running_loop().time()
        token = self._new_token()
        ended, given_up, status, *rest = await self._run(
            "claim",
            session_id,
            token,
            self._lease_ms,
            self._grace_ms,
            new_answer_id,
            round(ANSWER_WITHIN_S * 1000),
            MAX_ATTEMPTS,
            self._ttl_ms,
            json.dumps(isoformat(now())),
            "1" if last_try else "",
            *owned,
        )
        if status == b"missing":
            raise SessionNotFound
        async with self._reading(session_id, b""):
            claim = ClaimResult(ended=outcomes_of(ended), given_up=given_up_of(given_up))
        if not rest:
            return claim
        return replace(claim, lease=await self._lease(session_id, token, loop_time, rest[0]))

    async def _lease(
        self, session_id: str, token: str, sent_at: float, granted: list[Any]
    ) -> Lease:
        async with self._reading(session_id, granted[GRANTED_DOCUMENT]):
            return lease_of(token, sent_at, *granted)

    async def write(self, lease: Lease, offset: int, piece: str) -> Written:
        session_id = lease.session.id
        status, *rest = await self._run(
            "write",
            session_id,
            lease.token,
            self._lease_ms,
            offset,
            piece,
            watch_channel(session_id),
        )
        if status == b"lost":
            raise LeaseLost
        stop, listening = rest
        return Written(stop=stop == b"1", listening=self._listening(listening))

    async def finish(
        self,
        lease: Lease,
        outcome: Outcome,
        answer: Message | None,
        staff_note: StaffNote | None = None,
    ) -> Finished:
        id_ = lease.session.id
        return await self._finish(id_, lease.token, lease.question_id, outcome, answer, staff_note)

    async def release(self, lease: Lease) -> None:
        await self._run("release", lease.session.id, lease.token)

    async def abandon(self, session_id: str, question_id: str, outcome: Outcome) -> None:
        await self._finish(session_id, "", question_id, outcome, None)

    def _new_token(self) -> str:
        """A lease token that tells which worker answers: see ``Heard.writer``."""
        return f"{self.worker_id}.{new_id()}"

    async def _finish(
        self,
        session_id: str,
        token: str,
        question_id: str,
        outcome: Outcome,
        answer: Message | None,
        staff_note: StaffNote | None = None,
    ) -> Finished:
        status, *rest = await self._run(
            "finish",
            session_id,
            token,
            self._ttl_ms,
            self._grace_ms,
            question_id,
            outcome.to_text(),
            dumps(answer.to_json()) if answer else "",
            answer.id if answer else "",
            watch_channel(session_id),
            watch_channel(desk_key(session_id)),
            staff_note.id if staff_note else "",
            dumps(staff_note.to_json()) if staff_note else "",
            MAX_STAFF_NOTES,
        )
        if status == b"lost":
            raise LeaseLost
        listening, watching = map(self._listening, rest)
        return Finished(listening=listening, watching=watching)

    def _listening(self, counted: int) -> int | None:
        """What the scripts counted, if that means anything."""
        return counted if self._counts_listeners else None

    async def outcome(self, session_id: str, question_id: str) -> Outcome | None:
        reply = await self._run("outcome", session_id, question_id)
        if reply == b"missing":
            raise SessionNotFound
        async with self._reading(session_id, b""):
            return Outcome.from_text(reply.decode()) if reply else None

    async def stop(self, session_id: str, owner: str) -> bool:
        return bool(await self._run("stop", session_id, owner))

    async def load(self, session_id: str, owner: str) -> Session:
        return (await self._session(session_id, await self._run("load", session_id, owner)))[1]

    async def put_form(
        self, session_id: str, owner: str, form: JSON | None, *, expected_version: int
    ) -> bool:
        text, after = form_text(form), version_after(form, expected_version)
        given = (owner, self._ttl_ms, expected_version, after, text)
        status, *rest = await self._run("put_form", session_id, *given)
        refuse(status, rest)
        return bool(status)

    async def end(self, session_id: str, owner: str) -> bool:
        return bool(await self._run("end", session_id, owner))

    async def erase(self, session_id: str, owner: str) -> bool:
        only_theirs = "1" if owner == WEB_OWNER else ""
        times = (ERASED_S * 1000, round(FIRST_PAUSE_S * 1000))
        given = (session_id, owner, *times, only_theirs, MAX_UNKNOWN)
        try:
            return bool(await self._run("erase", *given))
        except SessionUnreadable:  # set aside just now: erased from there
            return bool(await self._run("erase", *given))

    async def take_erasures(self, limit: int = 10) -> list[str]:
        pauses = (round(FIRST_PAUSE_S * 1000), round(LONGEST_PAUSE_S * 1000))
        return await self._due("chat:erasing", "erasures", limit, *pauses)

    async def erasure_done(self, ref: str) -> None:
        await self._run("erased", "", ref, round(LATE_S * 1000))

    async def erasure_backlog(self) -> Backlog:
        count, oldest = await self._run("erasing", "")
        return Backlog(count, moment_of(oldest) if oldest else None)

    async def count(self) -> int:
        since_ms = round(now().timestamp() * 1000)
        return int(await self._shared("ZCOUNT", "chat:index", since_ms, "+inf"))

    async def orphans(self) -> dict[str, int]:
        attempts, ids = {b"": 0}, list[str]()
        while attempts and not ids:
            left = await self._run("orphans", "", MAX_ORPHANS)
            attempts = dict(zip(left[::2], left[1::2], strict=True))
            ids = await self._ids("chat:turns", attempts)
        await self.reindex()
        return {id_: attempts[id_.encode()] for id_ in ids}

    def close(self) -> None:
        """End the thread that talks to Redis."""
        self._link.close()

    async def ping(self) -> None:
        """Return when Redis answers, can be written to and is no Redis Cluster.

        A conversation is several keys that one script changes; a cluster keeps them apart.
        """
        _, is_cluster = await asyncio.gather(
            self._link.run("SET", "chat:ping", "1", "PX", 60_000), self._asks_for_slots()
        )
        if is_cluster and not self.is_cluster:
            logger.error("REDIS_URL is a Redis Cluster, which is not supported: it is not used")
        self.is_cluster = is_cluster
        if is_cluster:
            raise StoreUnavailable

    async def _asks_for_slots(self) -> bool:
        """Whether it is part of a cluster; a Redis that does not tell is taken for none."""
        try:
            info = await self._link.run("INFO", "cluster")
        except ResponseError:
            return False
        return int(info.get("cluster_enabled", 0)) == 1

    async def beat(self, known_ms: int) -> Beat:
        """Note that this worker is there and knows of every change of speaker up to ``known_ms``.

        ``known_ms``: ``Beat.now_ms`` of the last beat whose changes were read; 0 at first.
        """
        now_ms, known, places, changed = await self._run(
            "beat",
            "",
            self.worker_id,
            known_ms,
            _WORKERS_KEPT_MS,
            _CHANGES_KEPT_MS,
            self.place.to_text(),
        )
        await self._ids("chat:workers", known[::2])
        await self._ids("chat:places", places[::2])
        workers = Workers.of_reply(known, places)
        return Beat(now_ms, workers, await self._ids("chat:speakers", changed))

    async def heard(self, session_id: str) -> Heard:
        """Return who has to know when the speaker of this session changes."""
        now_ms, known, places, door, token = await self._run("heard", session_id)
        writer = token.decode().rpartition(".")[0] if token else self.worker_id
        return Heard(now_ms, Workers.of_reply(known, places), door.decode(), writer)

    async def forget_workers(self, dead: Mapping[str, int]) -> None:
        """Forget workers that are dead, unless they know of more than that by now (ms)."""
        await self._run("forget_workers", "", *(part for pair in dead.items() for part in pair))

    async def arrive(self, session_id: str) -> None:
        """Note that the customer of this session speaks to this worker."""
        await self._run("arrive", session_id, self.worker_id)

    async def leave(self) -> None:
        """Note that this worker ends: nobody has to wait for it."""
        await self._run("forget_workers", "", self.worker_id, "inf")

    async def peek(self, session_id: str) -> Stored:
        """Return all there is of a session, for ``replace``: nothing of one that is unreadable."""
        try:
            reply = await self._run("peek", session_id)
            async with self._reading(session_id, reply[0]):
                return stored(session_id, reply)
        except SessionUnreadable:  # it was set aside, and is out of the way
            return stored(session_id, await self._run("peek", session_id))

    async def restore(self, session_id: str, *, afresh: bool = False) -> bool:
        """Put back what was set aside as unreadable, for a release that can read it.

        ``afresh``: only the document and its staff notes; its hash is rebuilt from them.
        False when there is nothing to put back, or the conversation went on meanwhile.

        Raises:
            SessionUnreadable: it still cannot be read, and was set aside again.
        """
        restored = await self._run("restore", session_id, self._ttl_ms, "1" if afresh else "")
        if restored != b"1":
            return False
        await self.load(session_id, ANY_OWNER)
        return True

    async def replace(self, record: Record, version: str) -> bool:
        """Store this in place of what had that version; False when it changed since."""
        left_ms = round((record.expires - now().timestamp()) * 1000)
        if left_ms <= 0:
            return True
        arguments = replacement(record)
        return bool(
            await self._run("replace", record.id, version, left_ms, self._grace_ms, *arguments)
        )
