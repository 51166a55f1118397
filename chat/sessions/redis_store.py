"""Chat sessions in Redis: see ``lua/common.lua`` for the keys, ``store.py`` for the promises."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from django.conf import settings
from django_redis import get_redis_connection

from chat.errors import IdConflict, SessionFull, SessionGone, SessionNotFound
from chat.language import language_of
from chat.sessions.desk import HOLD_S, MAX_ASIDES, Aside, desk_key
from chat.sessions.forms import form_text, version_after
from chat.sessions.memory_record import Record
from chat.sessions.merge import Stored
from chat.sessions.redis_document import (
    dumps,
    head,
    replacement,
    stored,
    watch_channel,
)
from chat.sessions.redis_link import RedisLink
from chat.sessions.redis_rows import lease_of, reading, refuse
from chat.sessions.redis_scripts import scripts as scripts
from chat.sessions.redis_upkeep import RedisUpkeep
from chat.sessions.rows import tells_language
from chat.sessions.store import (
    ERASED_S,
    GRACE_S,
    LEASE_S,
    MAX_SESSION_BYTES,
    Accepted,
    Claim,
    Create,
    Finished,
    Lease,
    LeaseLost,
    Written,
)
from chat.sessions.types import JSON, Message, Outcome, Session, fingerprint, isoformat, new_id, now

_LEASE_MS = round(LEASE_S * 1000)
_GRACE_MS = round(GRACE_S * 1000)


class RedisStore(RedisUpkeep):
    """``counts_listeners``: whether workers listen on this very Redis, so that it knows how many;
    otherwise ``listening`` is None everywhere.
    """

    backend: Literal["redis"] = "redis"

    def __init__(
        self,
        link: RedisLink,
        ttl_s: int,
        hold_s: float = HOLD_S,
        *,
        counts_listeners: bool = True,
    ) -> None:
        super().__init__(link, ttl_s, hold_s)
        self._counts_listeners = counts_listeners

    @classmethod
    def of_django(cls, ttl_s: int) -> RedisStore:
        """On the connections of django-redis's default cache."""
        link = RedisLink(lambda: get_redis_connection("default"), scripts())
        return cls(link, ttl_s, counts_listeners=not settings.ENV.channel_layer_urls)

    async def accept(
        self,
        session_id: str,
        owner: str,
        message: Message,
        *,
        create: Create,
        answer_id: str = "",
    ) -> Accepted:
        epoch, created_at = new_id(), datetime.fromisoformat(isoformat(now()))
        token = new_id() if answer_id else ""
        status, *rest = await self._run(
            "accept",
            session_id,
            owner,
            self._ttl_ms,
            _GRACE_MS,
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
            _LEASE_MS,
            answer_id,
            watch_channel(session_id),
        )
        match status:
            case b"conflict":
                raise IdConflict
            case b"missing":
                raise SessionNotFound
            case b"full":
                raise SessionFull
            case b"gone":
                raise SessionGone(rest[0].decode())
        outcome, adviser, expiry, listening, ahead, *granted = rest
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
            lease=lease_of(token, *granted[0]) if granted else None,
            listening=self._listening(listening),
        )

    async def claim(self, session_id: str, owned: Sequence[str], new_answer_id: str) -> Claim:
        token = new_id()
        ended, status, *rest = await self._run(
            "claim", session_id, token, _LEASE_MS, _GRACE_MS, new_answer_id, *owned
        )
        if status == b"missing":
            raise SessionNotFound
        pairs = iter(ended)
        outcomes = {
            question.decode(): Outcome.from_text(outcome.decode())
            for question, outcome in zip(pairs, pairs, strict=True)
        }
        if status == b"wait":
            return Claim(ended=outcomes)
        return Claim(lease=lease_of(token, *rest[0]), ended=outcomes)

    async def write(self, lease: Lease, offset: int, piece: str) -> Written:
        session_id = lease.session.id
        status, *rest = await self._run(
            "write", session_id, lease.token, _LEASE_MS, offset, piece, watch_channel(session_id)
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
        aside: Aside | None = None,
    ) -> Finished:
        id_ = lease.session.id
        return await self._finish(id_, lease.token, lease.question_id, outcome, answer, aside)

    async def release(self, lease: Lease) -> None:
        await self._run("release", lease.session.id, lease.token)

    async def abandon(self, session_id: str, question_id: str, outcome: Outcome) -> None:
        await self._finish(session_id, "", question_id, outcome, None)

    async def _finish(
        self,
        session_id: str,
        token: str,
        question_id: str,
        outcome: Outcome,
        answer: Message | None,
        aside: Aside | None = None,
    ) -> Finished:
        status, *rest = await self._run(
            "finish",
            session_id,
            token,
            self._ttl_ms,
            _GRACE_MS,
            question_id,
            outcome.to_text(),
            dumps(answer.to_json()) if answer else "",
            answer.id if answer else "",
            watch_channel(session_id),
            watch_channel(desk_key(session_id)),
            aside.id if aside else "",
            dumps(aside.to_json()) if aside else "",
            MAX_ASIDES,
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
        return Outcome.from_text(reply.decode()) if reply else None

    async def stop(self, session_id: str, owner: str) -> bool:
        return bool(await self._run("stop", session_id, owner))

    async def load(self, session_id: str, owner: str) -> Session:
        return reading(await self._run("load", session_id, owner))[1]

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
        return bool(await self._run("erase", session_id, owner, ERASED_S * 1000))

    async def count(self) -> int:
        since_ms = round(now().timestamp() * 1000)
        return int(await self._link.run("ZCOUNT", "chat:index", since_ms, "+inf"))

    async def orphans(self) -> list[str]:
        return [id_.decode() for id_ in await self._run("orphans", "", 50)]

    async def ping(self) -> None:
        """Return when Redis answers and can be written to."""
        await self._link.run("SET", "chat:ping", "1", "PX", 60_000)

    async def peek(self, session_id: str) -> Stored:
        """Return all there is of a session, for ``replace``."""
        return stored(session_id, await self._run("peek", session_id))

    async def replace(self, record: Record, version: str) -> bool:
        """Store this in place of what had that version; False when it changed since."""
        left_ms = round((record.expires - now().timestamp()) * 1000)
        if left_ms <= 0:
            return True
        arguments = replacement(record)
        return bool(await self._run("replace", record.id, version, left_ms, _GRACE_MS, *arguments))
