from __future__ import annotations

from django.db import transaction

from chat.reports.models import CleanupReport
from chat.reports.report import Report

#: More than a year of daily reports; the oldest go first.
MAX_KEPT = 400


@transaction.atomic
def keep(report: Report) -> CleanupReport:
    """Keep the numbers of a report, and forget the oldest beyond ``MAX_KEPT``."""
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
    CleanupReport.objects.filter(pk__in=list(newest[MAX_KEPT:])).delete()
    return row
