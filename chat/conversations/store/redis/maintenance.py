"""What Redis holds in all, and what was left behind in it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chat.conversations.store.adviser_store import ASSIGNMENT_S, Listing, SortOrder
from chat.conversations.store.maintenance import (
    MAX_BIGGEST,
    STEP,
    Fates,
    Orphan,
    Progress,
    ScanResult,
)
from chat.conversations.store.redis.advisers import RedisAdviserStore
from chat.conversations.store.redis.scripts import PipelineExecutor, split_ids
from chat.core.clock import now

_SESSION = "session:"
_STATE = b"chat:state:"
_KEYS = {
    "chat:draft:": Orphan.DRAFTS,
    "chat:state:": Orphan.STATES,
    "chat:asides:": Orphan.STAFF_NOTES,
    "chat:ref:": Orphan.REFS,
}
_SETS = {
    "chat:index": Orphan.INDEX,
    "chat:began": Orphan.INDEX,
    "chat:asked": Orphan.INDEX,
    "chat:held": Orphan.INDEX,
    "chat:answering": Orphan.INDEX,
    "chat:interrupted": Orphan.INDEX,
    "chat:turns": Orphan.LEASES,
}


@dataclass(slots=True)
class _Sums:
    """``biggest``: heap of bytes and id. ``documents``: ids, since a scan may tell one twice."""

    active: int = 0
    ended: int = 0
    total_bytes: int = 0
    biggest: list[tuple[int, str]] = field(default_factory=list)
    documents: set[str] = field(default_factory=set)
    orphans: dict[Orphan, set[str]] = field(
        default_factory=lambda: {kind: set() for kind in Orphan}
    )

    def add(self, raw_id: bytes, size: int, active: bytes) -> None:
        id_ = raw_id.decode()
        if id_ in self.documents:
            return
        self.documents.add(id_)
        self.total_bytes += size
        if not active:
            self.ended += 1
            return
        self.active += 1
        heapq.heappush(self.biggest, (size, id_))
        if len(self.biggest) > MAX_BIGGEST:
            heapq.heappop(self.biggest)


class RedisMaintenance(RedisAdviserStore):
    """``step``: see ``STEP``."""

    def __init__(
        self,
        link: PipelineExecutor,
        ttl_s: int,
        assignment_s: float = ASSIGNMENT_S,
        *,
        step: int = STEP,
    ) -> None:
        super().__init__(link, ttl_s, assignment_s)
        self._step = step

    async def scan(self, progress: Progress | None = None) -> ScanResult:
        sums, looked, expected = _Sums(), 0, await self._number()
        async for kind, names in self._everything():
            if kind is None:
                for told in await self._run("sizes", "", *names):
                    sums.add(*told)
            else:
                sums.orphans[kind] |= set(await self._orphaned(kind, names, repair=False))
            looked += len(names)
            if progress is not None:
                progress(looked, max(looked, expected))
        oldest = await self.page(Listing(order=SortOrder.BEGAN_FIRST, limit=1))
        biggest = [id_ for _, id_ in sorted(sums.biggest, reverse=True)]
        return ScanResult(
            active=sums.active,
            ended=sums.ended,
            bytes=sums.total_bytes,
            oldest=oldest.rows[0] if oldest.rows else None,
            biggest=tuple(await self._rows(biggest)),
            orphans={kind: tuple(sorted(names)) for kind, names in sums.orphans.items()},
            unreadable=tuple(await self.unreadable()),
            taken_at=now(),
        )

    async def unreadable(self) -> list[str]:
        """Return the ids of what was set aside because it could not be read, the newest last."""
        return await self._ids("chat:unreadable", await self._run("unreadable", ""))

    async def repair(self, scan: ScanResult, progress: Progress | None = None) -> dict[Orphan, int]:
        removed = dict.fromkeys(Orphan, 0)
        looked, expected = 0, sum(len(names) for names in scan.orphans.values())
        for key in _SETS:
            await self._clean(key)
        for kind, names in scan.orphans.items():
            for start in range(0, len(names), self._step):
                some = names[start : start + self._step]
                removed[kind] += len(await self._orphaned(kind, some, repair=True))
                looked += len(some)
                if progress is not None:
                    progress(looked, expected)
        return removed

    async def expired_since(self, moment: datetime) -> int:
        pairs = iter(await self._run("expired", ""))
        first = int(moment.timestamp() // 3600)
        by_hour = (
            (_whole(hour), _whole(number)) for hour, number in zip(pairs, pairs, strict=True)
        )
        return sum(n for hour, n in by_hour if hour >= first)

    async def fates(self, refs: Sequence[str]) -> Fates:
        """Return what became of the conversations of these references."""
        alive: set[str] = set()
        erasing: set[str] = set()
        since = b""
        for start in range(0, max(1, len(refs)), self._step):
            since, living, dying = await self._run("fates", "", *refs[start : start + self._step])
            alive |= {ref.decode() for ref in living}
            erasing |= {ref.decode() for ref in dying}
        known = datetime.fromtimestamp(int(since) / 1000, UTC) if since else None
        return Fates(known, frozenset(alive), frozenset(erasing))

    async def reindex(self) -> None:
        """Make shared keys that were moved aside anew from the conversations, if any were."""
        reason = await self._shared("GET", "chat:reindex")
        if reason is None:
            return
        async for keys in self._scan("SCAN"):
            ids, _ = split_ids(key.removeprefix(_STATE) for key in keys if key.startswith(_STATE))
            if ids:
                await self._run("reindex", "", reason, *ids)
        await self._run("reindex", "", reason)

    async def _clean(self, key: str) -> None:
        """Remove what is no id from a shared sorted set."""
        async for members in self._scan("ZSCAN", key):
            await self._ids(key, (member for member, _score in members))

    async def _number(self) -> int:
        sizes = [int(await self._shared("ZCARD", name)) for name in _SETS]
        return int(await self._link.run("DBSIZE")) + sum(sizes)

    async def _everything(self) -> AsyncIterator[tuple[Orphan | None, list[str]]]:
        """Bring what follows the prefix of keys, and members of sets, in steps; None: documents."""
        async for keys in self._scan("SCAN"):
            decoded = [key.decode(errors="replace") for key in keys]
            for prefix, kind in ((_SESSION, None), *_KEYS.items()):
                names = [key[len(prefix) :] for key in decoded if key.startswith(prefix)]
                if names:
                    yield kind, names
        for key, of_kind in _SETS.items():
            async for members in self._scan("ZSCAN", key):
                names, _ = split_ids(member for member, _score in members)
                if names:
                    yield of_kind, names

    async def _scan(self, *command: str) -> AsyncIterator[list[Any]]:
        cursor = 0
        while True:
            cursor, found = await self._shared(*command, cursor, "COUNT", self._step)
            yield found
            if cursor == 0:
                return
            await asyncio.sleep(0)

    async def _orphaned(self, kind: Orphan, names: Sequence[str], *, repair: bool) -> list[str]:
        found = await self._run("orphaned", "", kind, "1" if repair else "", *names)
        return [name.decode() for name in found]


def _whole(number: bytes) -> int:
    """Read a count; what is none counts as 0."""
    return int(number) if number.isdigit() else 0
