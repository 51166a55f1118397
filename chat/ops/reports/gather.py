"""What there is, asked of the session store."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from chat.conversations.store.adviser_store import MAX_ROWS, AdviserStore, Listing, Order, Row
from chat.conversations.store.maintenance import Progress, Survey, Upkeep
from chat.core.ids import ref_of
from chat.ops.reports.report import QUIET_EDGES_S, SIZE_EDGES, Bucket, Report, spread

#: Rows of the oldest conversations.
MAX_OLDEST = 10
#: Conversations whose sizes are told, the newest: ten pages of the list.
SAMPLE = 1000


class Shelf(AdviserStore, Upkeep, Protocol):
    """What a report asks."""


async def gather(
    shelf: Shelf, since: datetime, progress: Progress | None = None
) -> tuple[Report, Survey]:
    """Look at everything; changes nothing. The survey is for ``mend``.

    Raises:
        StoreUnavailable:
    """
    survey = await shelf.survey(progress)
    sample = await _newest(shelf)
    oldest = await shelf.page(Listing(order=Order.BEGAN_FIRST, limit=MAX_OLDEST))
    report = Report(
        made_at=survey.taken_at,
        since=since,
        active=survey.active,
        ended=survey.ended,
        expired=await shelf.expired_since(since),
        bytes=survey.bytes,
        orphans={kind: len(found) for kind, found in survey.orphans.items()},
        quiet=await _quiet(shelf),
        sizes=spread([row.bytes for row in sample], SIZE_EDGES),
        sampled=len(sample),
        oldest=oldest.rows,
        biggest=survey.biggest,
        unreadable=tuple(map(ref_of, survey.unreadable)),
    )
    return report, survey


async def mended(
    shelf: Shelf, report: Report, survey: Survey, progress: Progress | None = None
) -> Report:
    """Remove the orphans, and return the report with what was removed.

    What was not removed was no orphan any more when it was looked at again.
    """
    return replace(report, applied=True, removed=await shelf.mend(survey, progress))


async def _newest(shelf: AdviserStore) -> list[Row]:
    rows: list[Row] = []
    while len(rows) < SAMPLE:
        page = await shelf.page(Listing(offset=len(rows), limit=MAX_ROWS))
        rows += page.rows
        if len(page.rows) < MAX_ROWS:
            break
    return rows


async def _quiet(shelf: AdviserStore) -> tuple[Bucket, ...]:
    """Count by time since the last word: one cheap question for each edge."""
    limits: list[int | None] = [*QUIET_EDGES_S[1:], None]
    buckets = []
    for low, high in zip(QUIET_EDGES_S, limits, strict=True):
        until = float(10**9 if high is None else high)
        page = await shelf.page(Listing(quiet_s=(low, until), limit=1))
        buckets.append(Bucket(low, high, page.total))
    return tuple(buckets)
