from __future__ import annotations

from datetime import datetime

from chat.ops.reports.models import CleanupReport
from chat.ops.reports.report import Past


def past_reports() -> list[Past]:
    """Return what is kept of every report, oldest first."""
    rows = CleanupReport.objects.order_by("made_at", "pk")
    numbers = rows.values_list("made_at", "active", "orphaned", "bytes")
    return [Past(*values) for values in numbers]


def last_made_at() -> datetime | None:
    """Return when the last report was made, None when there is none."""
    last = CleanupReport.objects.order_by("made_at").last()
    return last.made_at if last else None
