from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chat.conversations.store.maintenance import Orphan
from chat.core.reporting.charts import bars
from chat.core.reporting.french import moment, number, size
from chat.ops.reports.models import CleanupReport
from chat.ops.reports.page import evolution
from chat.ops.reports.queries import past_reports
from chat.ops.reports.report import KINDS, Bucket, quiet_label, size_label


@admin.register(CleanupReport)
class CleanupReportAdmin(admin.ModelAdmin[CleanupReport]):
    """Written by ``manage.py cleanup_report`` alone; here they are read."""

    list_display = ["made_at", "active", "expired", "orphaned", "removed", "readable_size"]
    date_hierarchy = "made_at"
    list_per_page = 50
    fieldsets = [
        (None, {"fields": ["made_at", "since", "active", "expired", "readable_size"]}),
        ("Restes orphelins", {"fields": ["orphaned", "removed", "kinds"]}),
        ("Répartition", {"fields": ["quiet", "sizes"]}),
        ("Conversations", {"fields": ["biggest", "oldest"]}),
    ]
    readonly_fields = ["readable_size", "kinds", "quiet", "sizes", "biggest", "oldest"]

    class Media:
        css = {"all": ["chat/css/reports.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: CleanupReport | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        charts = evolution(past_reports()) if self.has_view_permission(request) else []
        context = {"title": "Rapports de nettoyage", "charts": charts, **(extra_context or {})}
        return super().changelist_view(request, context)

    @admin.display(description="taille", ordering="bytes")
    def readable_size(self, report: CleanupReport) -> str:
        return size(report.bytes)

    @admin.display(description="par sorte")
    def kinds(self, report: CleanupReport) -> SafeString:
        found = report.details.get("orphans", {})
        removed = report.details.get("removed", {})
        rows = [
            (KINDS[kind], number(found.get(kind, 0)), number(removed.get(kind, 0)))
            for kind in Orphan
        ]
        return _table(("Ce qui reste", "Trouvés", "Retirés"), rows)

    @admin.display(description="depuis le dernier mot")
    def quiet(self, report: CleanupReport) -> SafeString:
        buckets = [Bucket(*values) for values in report.details.get("quiet_s", [])]
        rows = [(quiet_label(one), one.count, number(one.count)) for one in buckets]
        return bars(rows, "Depuis le dernier mot")

    @admin.display(description="taille des plus récentes")
    def sizes(self, report: CleanupReport) -> SafeString:
        buckets = [Bucket(*values) for values in report.details.get("sizes", [])]
        rows = [(size_label(one), one.count, number(one.count)) for one in buckets]
        return bars(rows, "Taille d'une conversation")

    @admin.display(description="les plus grosses")
    def biggest(self, report: CleanupReport) -> SafeString:
        return _conversations(report.details.get("biggest", []))

    @admin.display(description="les plus anciennes")
    def oldest(self, report: CleanupReport) -> SafeString:
        return _conversations(report.details.get("oldest", []))


def _conversations(listed: list[dict[str, Any]]) -> SafeString:
    rows = [
        (
            one["ref"],
            moment(datetime.fromisoformat(one["began_at"])),
            number(one["messages"]),
            size(one["bytes"]),
        )
        for one in listed
    ]
    return _table(("Référence", "Commencée", "Messages", "Taille"), rows)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> SafeString:
    cells = format_html_join("", '<th scope="col">{}</th>', ((name,) for name in head))
    lines = format_html_join(
        "",
        "<tr>{}</tr>",
        ((format_html_join("", "<td>{}</td>", ((cell,) for cell in row)),) for row in rows),
    )
    return format_html(
        '<table class="report__table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>',
        *(cells, lines),
    )
