from __future__ import annotations

from django.db import transaction

from chat.ops.reports.models import CleanupReport
from chat.ops.reports.report import Report

_LISTS = ("oldest", "biggest")

#: More than a year of daily reports; the oldest go first.
MAX_KEPT = 400


@transaction.atomic
def keep(report: Report, *, max_kept: int = MAX_KEPT) -> CleanupReport:
    """Keep the numbers of a report, and forget the oldest beyond ``max_kept``."""
    row = CleanupReport.objects.create(
        since=report.since,
        active=report.active,
        expired=report.expired,
        orphaned=report.orphaned,
        removed=report.removed_count,
        bytes=report.bytes,
        details=report.details(),
    )
    newest = CleanupReport.objects.order_by("-made_at", "-pk").values_list("pk", flat=True)
    CleanupReport.objects.filter(pk__in=list(newest[max_kept:])).delete()
    return row


def forget_reference(session_ref: str) -> None:
    """Take an erased conversation out of what stored reports list."""
    for report in CleanupReport.objects.filter(details__icontains=session_ref):
        for name in _LISTS:
            rows = report.details.get(name, [])
            report.details[name] = [row for row in rows if row.get("ref") != session_ref]
        report.save(update_fields=["details"])
