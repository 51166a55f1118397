"""How the admin's list of tickets is narrowed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest

from chat.core import clock
from chat.shop.tickets.mailer import GIVEN_UP
from chat.shop.tickets.models import OutgoingMail, Ticket
from chat.shop.tickets.queries import is_at_risk, is_late


class DueFilter(admin.SimpleListFilter):
    title = "première réponse"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("late", "En retard"), ("risk", "À risque"), ("both", "En retard ou à risque")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        now = clock.now()
        wanted = {
            "late": is_late(now),
            "risk": is_at_risk(now),
            "both": is_late(now) | is_at_risk(now),
        }.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(wanted)


class MailStateFilter(admin.SimpleListFilter):
    title = "état"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("waiting", "À envoyer"),
            ("given_up", "Abandonnés ou refusés"),
            ("sent", "Envoyés"),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[OutgoingMail]
    ) -> QuerySet[OutgoingMail]:
        match self.value():
            case "waiting":
                return queryset.filter(sent_at=None).exclude(GIVEN_UP)
            case "given_up":
                return queryset.filter(GIVEN_UP)
            case "sent":
                return queryset.exclude(sent_at=None)
        return queryset


class AdviserFilter(admin.SimpleListFilter):
    title = "conseiller"
    parameter_name = "adviser"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        others = get_user_model().objects.filter(tickets__isnull=False)
        named = [
            (str(user.pk), user.get_full_name() or user.get_username())
            for user in others.distinct().order_by("username")
            if user.pk != request.user.pk
        ]
        return [("me", "Moi"), ("none", "Personne"), *named]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Ticket]) -> QuerySet[Ticket]:
        value = self.value() or ""
        if value == "me":
            return queryset.filter(adviser=request.user.pk)
        if value == "none":
            return queryset.filter(adviser=None)
        return queryset.filter(adviser=int(value)) if _is_pk(value) else queryset


def _is_pk(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
