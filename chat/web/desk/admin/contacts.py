from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from chat.conversations.handover.models import ContactRequest
from chat.core import clock


@admin.register(ContactRequest)
class ContactRequestAdmin(admin.ModelAdmin[ContactRequest]):
    """Customers to be called back: read, then marked as done."""

    list_display = ["asked_at", "email", "subject", "is_handled", "handled_by", "handled_at"]
    list_filter = [("handled_at", admin.EmptyFieldListFilter), "asked_at"]
    list_select_related = ["handled_by"]
    search_fields = ["email", "subject", "session_ref"]
    readonly_fields = ["asked_at", "email", "subject", "session_ref", "handled_at", "handled_by"]
    actions = ["mark_handled", "mark_open"]

    @admin.display(description="traitée", boolean=True, ordering="handled_at")
    def is_handled(self, asked: ContactRequest) -> bool:
        return asked.handled_at is not None

    @admin.action(description="Marquer comme traitées", permissions=["change"])
    def mark_handled(self, request: HttpRequest, queryset: QuerySet[ContactRequest]) -> None:
        """Those that somebody handled before keep their name and hour."""
        for asked in queryset.filter(handled_at=None):
            self.log_change(request, asked, "Marquée comme traitée.")
        count = queryset.filter(handled_at=None).update(
            handled_at=clock.now(), handled_by=request.user.pk
        )
        self.message_user(request, f"{count} demande(s) marquée(s) comme traitée(s).")

    @admin.action(description="Rouvrir", permissions=["change"])
    def mark_open(self, request: HttpRequest, queryset: QuerySet[ContactRequest]) -> None:
        for asked in queryset.exclude(handled_at=None):
            self.log_change(request, asked, "Rouverte.")
        count = queryset.exclude(handled_at=None).update(handled_at=None, handled_by=None)
        self.message_user(request, f"{count} demande(s) rouverte(s).", messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
