"""What there is, asked of the session store."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from chat.conversations.store.adviser_store import MAX_ROWS, AdviserStore, Listing, Row, SortOrder
from chat.conversations.store.maintenance import Maintenance, Progress, ScanResult
from chat.core.ids import ref_of
from chat.ops.reports.report import QUIET_EDGES_S, SIZE_EDGES, Bucket, Report, spread

#: Rows of the oldest conversations.
MAX_OLDEST = 10
#: Conversations whose sizes are told, the newest: ten pages of the list.
SAMPLE = 1000


class ReportStore(AdviserStore, Maintenance, Protocol):
    """What a report asks."""


async def gather(
    store: ReportStore, since: datetime, progress: Progress | None = None
) -> tuple[Report, ScanResult]:
    """Look at everything; changes nothing. The scan is for ``repair``.

    Raises:
        StoreUnavailable:
    """
    scan = await store.scan(progress)
    sample = await _newest(store)
    oldest = await store.page(Listing(order=SortOrder.BEGAN_FIRST, limit=MAX_OLDEST))
    report = Report(
        made_at=scan.taken_at,
        since=since,
        active=scan.active,
        ended=scan.ended,
        expired=await store.expired_since(since),
        bytes=scan.bytes,
        orphans={kind: len(found) for kind, found in scan.orphans.items()},
        quiet=await _quiet(store),
        sizes=spread([row.bytes for row in sample], SIZE_EDGES),
        sampled=len(sample),
        oldest=oldest.rows,
        biggest=scan.biggest,
        unreadable=tuple(map(ref_of, scan.unreadable)),
    )
    return report, scan


async def repaired(
    store: ReportStore, report: Report, scan: ScanResult, progress: Progress | None = None
) -> Report:
    """Remove the orphans, and return the report with what was removed.

    What was not removed was no orphan any more when it was looked at again.
    """
    return replace(report, applied=True, removed=await store.repair(scan, progress))


async def _newest(store: AdviserStore) -> list[Row]:
    rows: list[Row] = []
    while len(rows) < SAMPLE:
        page = await store.page(Listing(offset=len(rows), limit=MAX_ROWS))
        rows += page.rows
        if len(page.rows) < MAX_ROWS:
            break
    return rows


async def _quiet(store: AdviserStore) -> tuple[Bucket, ...]:
    """Count by time since the last word: one cheap question for each edge."""
    limits: list[int | None] = [*QUIET_EDGES_S[1:], None]
    buckets = []
    for low, high in zip(QUIET_EDGES_S, limits, strict=True):
        until = float(10**9 if high is None else high)
        page = await store.page(Listing(quiet_s=(low, until), limit=1))
        buckets.append(Bucket(low, high, page.total))
    return tuple(buckets)
