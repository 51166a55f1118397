from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from chat.ops.stats.models import DailyNumber


@admin.register(DailyNumber)
class DailyNumberAdmin(admin.ModelAdmin[DailyNumber]):
    """To be read: workers write it."""

    list_display = ["day", "name", "value"]
    list_display_links = None
    list_filter = ["day"]
    date_hierarchy = "day"
    search_fields = ["name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
