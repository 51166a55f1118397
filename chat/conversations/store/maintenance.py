"""What a session store can tell and repair of itself. For commands, not for requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from chat.conversations.store.adviser_store import Row

#: Rows of the biggest conversations in a scan.
MAX_BIGGEST = 10
#: Keys looked at between two breaths of the event loop.
STEP = 500
#: For how long is counted what has expired, by the hour.
EXPIRED_KEPT_S = 14 * 86_400

#: Called with how many keys were looked at, and how many there are, as far as is known: an
#: estimate that the first may exceed.
Progress = Callable[[int, int], None]


class Orphan(StrEnum):
    """What may be left behind of a conversation whose document is gone."""

    INDEX = "index"  # entries of the indexes of active conversations
    DRAFTS = "drafts"  # of answers that nobody writes
    STATES = "states"  # hashes that will never go by themselves
    LEASES = "leases"  # entries of the answers to be written
    STAFF_NOTES = "asides"
    REFS = "refs"  # references that lead nowhere
    # In SQL and on disk, where the store does not look (see chat/ops/leftovers.py):
    CONTACTS = "contacts"
    PHOTOS = "photos"
    FILES = "files"  # of photos that were deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """All that is kept, as counted during some seconds.

    ``active``: conversations that go on. ``ended``: over, readable until they expire.
    ``bytes``: of all documents. ``oldest``: the active one that began first, None when there is
    none. ``biggest``: at most ``MAX_BIGGEST`` of the active, the longest document first.
    ``unreadable``: ids of conversations that no release could read since, the newest last.
    ``orphans``: by kind, of every kind, the session ids (of ``Orphan.REFS``: the references).
    """

    active: int
    ended: int
    bytes: int
    oldest: Row | None
    biggest: tuple[Row, ...]
    orphans: dict[Orphan, tuple[str, ...]] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Fates:
    """What the store knows of some references. ``since``: of nothing before; None: of nothing."""

    since: datetime | None
    alive: frozenset[str]
    erasing: frozenset[str]


class Maintenance(Protocol):
    """All raise ``StoreUnavailable`` when the store does not answer."""

    async def scan(self, progress: Progress | None = None) -> ScanResult:
        """Look at every key, in small steps that keep nobody waiting. Changes nothing."""

    async def repair(self, scan: ScanResult, progress: Progress | None = None) -> dict[Orphan, int]:
        """Remove the orphans that the scan found and that still are: each is looked at again
        in the same atomic step, so a conversation that lives is never touched. May be stopped
        and repeated. Returns how many of each kind, of every kind, were removed by this call.
        """

    async def expired_since(self, moment: datetime) -> int:
        """Return how many active conversations reached the end of their life since then, to the
        hour, for ``EXPIRED_KEPT_S`` at most; those that were ended or erased are not counted.
        """
