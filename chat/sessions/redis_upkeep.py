"""What Redis holds in all, and what was left behind in it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chat.sessions.desk import Listing, Order
from chat.sessions.redis_desk import RedisDesk
from chat.sessions.types import now
from chat.sessions.upkeep import MAX_BIGGEST, STEP, Orphan, Progress, Survey

_SESSION = "session:"
_KEYS = {
    "chat:draft:": Orphan.DRAFTS,
    "chat:state:": Orphan.STATES,
    "chat:asides:": Orphan.ASIDES,
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
class _Tally:
    """``biggest``: heap of bytes and id. ``documents``: ids, since a scan may tell one twice."""

    active: int = 0
    ended: int = 0
    total_bytes: int = 0
    biggest: list[tuple[int, bytes]] = field(default_factory=list)
    documents: set[bytes] = field(default_factory=set)
    orphans: dict[Orphan, set[str]] = field(
        default_factory=lambda: {kind: set() for kind in Orphan}
    )

    def add(self, id_: bytes, size: int, active: bytes) -> None:
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


class RedisUpkeep(RedisDesk):
    async def survey(self, progress: Progress | None = None) -> Survey:
        tally, looked, expected = _Tally(), 0, await self._number()
        async for kind, names in self._everything():
            if kind is None:
                for told in await self._run("sizes", "", *names):
                    tally.add(*told)
            else:
                tally.orphans[kind] |= set(await self._orphaned(kind, names, mend=False))
            looked += len(names)
            if progress is not None:
                progress(looked, max(looked, expected))
        oldest = await self.page(Listing(order=Order.BEGAN_FIRST, limit=1))
        biggest = [id_ for _, id_ in sorted(tally.biggest, reverse=True)]
        return Survey(
            active=tally.active,
            ended=tally.ended,
            bytes=tally.total_bytes,
            oldest=oldest.rows[0] if oldest.rows else None,
            biggest=tuple(await self._rows(biggest)),
            orphans={kind: tuple(sorted(names)) for kind, names in tally.orphans.items()},
            taken_at=now(),
        )

    async def mend(self, survey: Survey, progress: Progress | None = None) -> dict[Orphan, int]:
        removed = dict.fromkeys(Orphan, 0)
        looked, expected = 0, sum(len(names) for names in survey.orphans.values())
        for kind, names in survey.orphans.items():
            for start in range(0, len(names), STEP):
                some = names[start : start + STEP]
                removed[kind] += len(await self._orphaned(kind, some, mend=True))
                looked += len(some)
                if progress is not None:
                    progress(looked, expected)
        return removed

    async def expired_since(self, moment: datetime) -> int:
        pairs = iter(await self._run("expired", ""))
        first = int(moment.timestamp() // 3600)
        by_hour = zip(pairs, pairs, strict=True)
        return sum(int(number) for hour, number in by_hour if int(hour) >= first)

    async def _number(self) -> int:
        sizes = [int(await self._link.run("ZCARD", name)) for name in _SETS]
        return int(await self._link.run("DBSIZE")) + sum(sizes)

    async def _everything(self) -> AsyncIterator[tuple[Orphan | None, list[str]]]:
        """Bring what follows the prefix of keys, and members of sets, in steps; None: documents."""
        async for keys in self._scan("SCAN"):
            decoded = [key.decode() for key in keys]
            for prefix, kind in ((_SESSION, None), *_KEYS.items()):
                names = [key.removeprefix(prefix) for key in decoded if key.startswith(prefix)]
                if names:
                    yield kind, names
        for key, of_kind in _SETS.items():
            async for members in self._scan("ZSCAN", key):
                if members:
                    yield of_kind, [member.decode() for member, _score in members]

    async def _scan(self, *command: str) -> AsyncIterator[list[Any]]:
        cursor = 0
        while True:
            cursor, found = await self._link.run(*command, cursor, "COUNT", STEP)
            yield found
            if cursor == 0:
                return
            await asyncio.sleep(0)

    async def _orphaned(self, kind: Orphan, names: Sequence[str], *, mend: bool) -> list[str]:
        found = await self._run("orphaned", "", kind, "1" if mend else "", *names)
        return [name.decode() for name in found]
