"""The list of conversations: what may be asked of it, read to its end."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from chat.conversations.store.adviser_store import (
    MAX_ROWS,
    AdviserStore,
    ConversationState,
    Listing,
    Row,
    SessionPage,
    SortOrder,
)
from chat.core.json import JSON
from chat.management.console import cannot
from chat.management.durations import seconds_of
from chat.ops.reports.report import listed

MAX_LISTED = 10_000
LONGEST_S = 10**9


def add_filters(parser: ArgumentParser) -> None:
    """Say on the command line which conversations may be asked for."""
    parser.add_argument(
        "--state", choices=[one.value for one in ConversationState], help="only in this state"
    )
    parser.add_argument(
        "--speaker", choices=["assistant", "adviser"], help="only where this speaks"
    )
    parser.add_argument("--silent-for", metavar="TIME", help="last word at least so old: 10m, 2h")
    parser.add_argument("--heard-within", metavar="TIME", help="last word at most so old: 10m, 2h")
    parser.add_argument(
        "--order", choices=[one.value for one in SortOrder], default=SortOrder.NEWEST.value
    )
    parser.add_argument(
        "--limit", type=int, default=50, help=f"how many at most, 1 to {MAX_LISTED} (default 50)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def listing_of(options: dict[str, Any]) -> Listing:
    """Return the filters that were asked for.

    Raises:
        CommandError: they are no such times or numbers.
    """
    if not 1 <= options["limit"] <= MAX_LISTED:
        raise cannot(f"--limit : de 1 à {MAX_LISTED}.")
    quiet = (options["silent_for"], options["heard_within"])
    try:
        low = seconds_of(quiet[0]) if quiet[0] else 0.0
        high = seconds_of(quiet[1]) if quiet[1] else float(LONGEST_S)
    except ValueError as error:
        raise cannot(f"--silent-for, --heard-within : {error}.") from error
    return Listing(
        state=ConversationState(options["state"]) if options["state"] else None,
        speaker=options["speaker"] or "",
        quiet_s=(low, high) if any(quiet) else None,
        order=SortOrder(options["order"]),
    )


async def read_rows(store: AdviserStore, asked: Listing, limit: int) -> SessionPage:
    """Return so many rows, page by page."""
    rows: list[Row] = []
    total = 0
    while len(rows) < limit:
        step = min(MAX_ROWS, limit - len(rows))
        page = await store.page(replace(asked, offset=len(rows), limit=step))
        rows += page.rows
        total = page.total
        if len(page.rows) < step:
            break
    return SessionPage(tuple(rows), total)


def row_json(row: Row) -> JSON:
    """Return a row as a script reads it: without the id, which would open the conversation."""
    return {**listed(row), "speaker": row.adviser or "assistant", "language": row.language}
