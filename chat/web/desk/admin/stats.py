from __future__ import annotations

from django.contrib import admin

from chat.ops.stats.models import DailyNumber
from chat.web.read_only import ReadOnlyAdmin


@admin.register(DailyNumber)
class DailyNumberAdmin(ReadOnlyAdmin, admin.ModelAdmin[DailyNumber]):
    """To be read: workers write it."""

    list_display = ["day", "name", "value"]
    list_display_links = None
    list_filter = ["day"]
    date_hierarchy = "day"
    search_fields = ["name"]
