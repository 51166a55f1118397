from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from chat.web.access.models import ApiKey
from chat.web.access.services import create_key, revoke_keys


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin[ApiKey]):
    """Keys are made and revoked here, never deleted: their history stays readable."""

    readonly_fields = ["prefix", "created_at", "last_used_at", "revoked_at"]
    list_display = ["name", "prefix", "is_live", "created_at", "last_used_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "prefix"]
    actions = ["revoke"]

    @admin.display(description="active", boolean=True)
    def is_live(self, key: ApiKey) -> bool:
        return key.revoked_at is None

    @admin.action(description="Révoquer les clés choisies", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        count = revoke_keys(queryset.values_list("pk", flat=True))
        for key in queryset:
            self.log_change(request, key, "Clé révoquée.")
        self.message_user(request, f"{count} clé(s) révoquée(s).", messages.SUCCESS)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return ["name"] if obj is None else ["name", *self.readonly_fields]

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: ModelForm[ApiKey], change: Any
    ) -> None:
        if change:
            obj.save(update_fields=["name"])
            return
        row, text = create_key(obj.name)
        obj.pk = row.pk
        obj.refresh_from_db()
        self.message_user(
            request,
            f"Copiez cette clé maintenant, elle ne sera plus affichée : {text}",
            messages.WARNING,
        )

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False
