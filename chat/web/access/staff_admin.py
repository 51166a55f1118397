"""The staff's accounts, and the configuration of the worker, in the admin."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import get_user_model, logout
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import AbstractUser, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from chat.web.access.configuration import shown_settings
from chat.web.access.models import Settings
from chat.web.access.sessions import LoginsUnreachable, end_logins
from chat.web.read_only import ReadOnlyAdmin

END_LOGINS = "chat.end_logins"
UNREACHABLE = (
    "Redis ne répond pas : toutes les connexions n'ont pas pu être fermées. Recommencez à son "
    "retour ; désactiver le compte ou changer son mot de passe agit sans attendre."
)

admin.site.unregister(User)


@admin.register(get_user_model())
class StaffAdmin(UserAdmin[Any]):
    """Django's own, and "Déconnecter partout"."""

    actions = ["end_logins"]
    change_form_template = "admin/access/user.html"

    def get_urls(self) -> list[URLPattern]:
        one = self.admin_site.admin_view(self.end_logins_of)
        own = self.admin_site.admin_view(self.end_own_logins)
        return [
            path("me/logins/", own, name="auth_user_own_logins"),
            path("<int:user_id>/logins/", one, name="auth_user_logins"),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Django's; nothing of a password for those who may not change it."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [
            (title, {**options, "fields": [f for f in options["fields"] if f != "password"]})
            for title, options in fieldsets
        ]

    def has_end_logins_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(END_LOGINS)

    @admin.action(description="Déconnecter partout", permissions=["end_logins"])
    def end_logins(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for user in queryset:
            self._end(request, user)

    def end_own_logins(self, request: HttpRequest) -> HttpResponse:
        """Ask, then log the asker out of every browser, this one included."""
        return self._ask_then_end(request, request.user, reverse("admin:index"))

    def end_logins_of(self, request: HttpRequest, user_id: int) -> HttpResponse:
        user = self.get_object(request, str(user_id))
        if not self.has_end_logins_permission(request):
            raise PermissionDenied
        if user is None:
            raise Http404
        return self._ask_then_end(request, user, reverse("admin:auth_user_change", args=[user_id]))

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: Any) -> None:
        super().save_model(request, obj, form, change)
        if change and not obj.is_active:
            self._end(request, obj)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        may_end = self.has_end_logins_permission(request)
        context = {"may_end_logins": may_end} | (extra_context or {})
        return super().change_view(request, object_id, form_url, context)

    def _ask_then_end(self, request: HttpRequest, user: Any, back: str) -> HttpResponse:
        if request.method == "POST":
            is_self = user.pk == request.user.pk
            ended = self._end(request, user)
            if is_self and ended:
                logout(request)
            return redirect("admin:login" if is_self and ended else back)
        context = {
            **self.admin_site.each_context(request),
            "title": "Déconnecter partout",
            "opts": self.opts,
            "person": user,
            "back": back,
        }
        return TemplateResponse(request, "admin/access/end_logins.html", context)

    def _end(self, request: HttpRequest, user: AbstractUser) -> bool:
        """Log this user out and say so; return whether it was done."""
        try:
            count = end_logins(user.pk)
        except LoginsUnreachable:
            self.message_user(request, UNREACHABLE, messages.ERROR)
            return False
        self.log_change(request, user, "Déconnecté partout.")
        text = f"Connexions de {user.get_username()} fermées : {count}."
        self.message_user(request, text, messages.SUCCESS)
        return True


@admin.register(Settings)
class SettingsAdmin(ReadOnlyAdmin, admin.ModelAdmin[Settings]):
    """One page to read; the environment is where it is changed."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Réglages",
            "opts": self.opts,
            "settings": shown_settings(settings.ENV),
        }
        return TemplateResponse(request, "admin/access/settings.html", context)

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.changelist_view)
        return [path("", page, name="chat_settings_changelist")]
