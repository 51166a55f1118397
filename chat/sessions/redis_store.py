"""Chat sessions in Redis: see ``lua/common.lua`` for the keys, ``store.py`` for the promises."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from django_redis import get_redis_connection

from chat.errors import IdConflict, SessionFull, SessionGone, SessionNotFound
from chat.sessions.memory_record import Record
from chat.sessions.merge import Stored
from chat.sessions.redis_document import (
    dumps,
    head,
    replacement,
    session_of,
    stored,
    watch_channel,
)
from chat.sessions.redis_link import RedisLink
from chat.sessions.store import (
    ERASED_S,
    GRACE_S,
    LEASE_S,
    MAX_SESSION_BYTES,
    Accepted,
    Claim,
    Create,
    Lease,
    LeaseLost,
    Written,
)
from chat.sessions.types import Draft, Message, Outcome, Session, fingerprint, new_id, now

_LUA = Path(__file__).with_name("lua")
_COMMON = (_LUA / "common.lua").read_text()
_SOURCES = {
    path.stem: f"{_COMMON}\n{path.read_text()}"
    for path in _LUA.glob("*.lua")
    if path.stem != "common"
}
_SHA = {
    name: hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    for name, source in _SOURCES.items()
}
_LEASE_MS = round(LEASE_S * 1000)
_GRACE_MS = round(GRACE_S * 1000)


class RedisStore:
    """``ttl_s``: life of a session after its last change."""

    backend: Literal["redis"] = "redis"

    def __init__(self, link: RedisLink, ttl_s: int) -> None:
        self._link = link
        self._ttl_ms = ttl_s * 1000

    @classmethod
    def of_django(cls, ttl_s: int) -> RedisStore:
        """On the connections of django-redis's default cache."""
        return cls(RedisLink(lambda: get_redis_connection("default"), scripts()), ttl_s)

    async def accept(
        self, session_id: str, owner: str, message: Message, *, create: Create
    ) -> Accepted:
        epoch, created_at = new_id(), now()
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
        outcome, adviser, expiry = rest
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
        question, answer, again, document, expiry = rest
        lease = Lease(
            session=session_of(json.loads(document), expiry),
            question_id=question.decode(),
            answer_id=answer.decode(),
            token=token,
            again=again == b"1",
        )
        return Claim(lease=lease, ended=outcomes)

    async def write(self, lease: Lease, offset: int, piece: str) -> Written:
        session_id = lease.session.id
        status, *rest = await self._run(
            "write", session_id, lease.token, _LEASE_MS, offset, piece, watch_channel(session_id)
        )
        if status == b"lost":
            raise LeaseLost
        stop, listening = rest
        return Written(stop=stop == b"1", listening=listening)

    async def finish(self, lease: Lease, outcome: Outcome, answer: Message | None) -> None:
        await self._finish(lease.session.id, lease.token, lease.question_id, outcome, answer)

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
    ) -> None:
        status, *_ = await self._run(
            "finish",
            session_id,
            token,
            self._ttl_ms,
            _GRACE_MS,
            question_id,
            outcome.to_text(),
            dumps(answer.to_json()) if answer else "",
            answer.id if answer else "",
        )
        if status == b"lost":
            raise LeaseLost

    async def outcome(self, session_id: str, question_id: str) -> Outcome | None:
        reply = await self._run("outcome", session_id, question_id)
        if reply == b"missing":
            raise SessionNotFound
        return Outcome.from_text(reply.decode()) if reply else None

    async def stop(self, session_id: str, owner: str) -> bool:
        return bool(await self._run("stop", session_id, owner))

    async def load(self, session_id: str, owner: str) -> Session:
        reply = await self._run("load", session_id, owner)
        if reply[0] == b"missing":
            raise SessionNotFound
        if reply[0] == b"gone":
            raise SessionGone(reply[1].decode())
        document, expiry, *texts = reply
        adviser, pending, failed, answer, draft, gone = (text.decode() for text in texts)
        return session_of(
            json.loads(document),
            expiry,
            adviser=adviser,
            waiting=tuple(pending.split()),
            failed=dict(item.split("|") for item in failed.split()),
            draft=Draft(id=answer, text=draft) if draft else None,
            ended=gone == "ended",
        )

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

    async def _run(self, name: str, session_id: str, *arguments: Any) -> Any:
        return await self._link.run(
            "EVALSHA",
            _SHA[name],
            5,
            f"session:{session_id}",
            f"chat:state:{session_id}",
            f"chat:draft:{session_id}",
            "chat:index",
            "chat:turns",
            session_id,
            *arguments,
        )


def scripts() -> dict[str, str]:
    """Return every Lua source by its SHA1."""
    return {_SHA[name]: source for name, source in _SOURCES.items()}
