"""A report with a little of everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chat.conversations.store.adviser_store import ConversationState, Row
from chat.conversations.store.maintenance import Orphan
from chat.core.ids import ref_of
from chat.ops.reports.report import QUIET_EDGES_S, SIZE_EDGES, Past, Report, spread
from chat.shop.photos.quota import Space

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # noon in Paris


def row(number: int = 1, **changes: Any) -> Row:
    usual: dict[str, Any] = {
        "id": f"secret-{number}",
        "ref": ref_of(f"secret-{number}"),
        "owner": "web",
        "began_at": NOON - timedelta(hours=number),
        "last_at": NOON - timedelta(minutes=number),
        "expires_at": NOON + timedelta(hours=23),
        "messages": 4 * number,
        "bytes": 1500 * number,
        "language": "fr",
        "storage": "redis",
        "state": list(ConversationState)[number % len(ConversationState)],
    }
    return Row(**{**usual, **changes})


def report(**changes: Any) -> Report:
    rows = tuple(row(number) for number in range(10, 0, -1))
    whole = Report(
        made_at=NOON,
        since=NOON - timedelta(days=1),
        active=1234,
        ended=87,
        expired=412,
        bytes=18_250_000,
        orphans={**dict.fromkeys(Orphan, 0), Orphan.INDEX: 3, Orphan.DRAFTS: 2},
        quiet=spread([0, 10, 400, 400, 2000, 9000, 30_000, 50_000], QUIET_EDGES_S),
        sizes=spread([900, 900, 3000, 12_000, 60_000, 300_000], SIZE_EDGES),
        sampled=6,
        oldest=rows,
        biggest=rows,
        photos=Space(
            used_bytes=2_500_000_000,
            max_bytes=10_000_000_000,
            free_bytes=40_000_000_000,
            min_free_bytes=500_000_000,
        ),
    )
    return replace(whole, **changes)


def past(count: int) -> list[Past]:
    """One report a day until the day before ``NOON``, oldest first."""
    return [
        Past(NOON - timedelta(days=count - n), 900 + 40 * (n % 7) + 5 * n, n % 4, 10_000_000)
        for n in range(count)
    ]
