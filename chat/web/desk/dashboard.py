"""The admin's first page, with what goes on now above the list of what can be managed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from channels.db import database_sync_to_async
from django.contrib import admin
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import number_format
from django.views.decorators.cache import never_cache

from chat.conversations.store.adviser_store import Counts
from chat.conversations.store.protocol import STORE
from chat.core.errors import StoreUnavailable
from chat.ops.stats.queries import Day, Summary, asummary
from chat.web.desk.charts import Chart, chart
from chat.web.desk.labels import milliseconds
from chat.web.desk.permissions import PERMISSIONS, fragment

DAYS = 14
REFRESH_MS = 5_000


@never_cache
async def index(request: HttpRequest) -> HttpResponse:
    """Show Django's own first page; those who may see conversations get the summary with it."""
    context: dict[str, Any] = {"may_see": False}
    if await database_sync_to_async(_may_see)(request):
        context = await _summary()
        if "partial" in request.GET:
            return await fragment(request, "_cards.html", context)
    return await database_sync_to_async(_framed)(request, context)


def _may_see(request: HttpRequest) -> bool:
    user = request.user
    return user.is_active and user.is_staff and user.has_perm(PERMISSIONS["see"])


def _framed(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    response = admin.site.admin_view(admin.site.index)(request, extra_context=context)
    if isinstance(response, TemplateResponse):
        response.render()
    return response


async def _summary() -> dict[str, Any]:
    counts: Counts | None = None
    numbers: Summary | None = None
    try:
        counts = await STORE.get().counts()
    except StoreUnavailable:
        counts = None
    try:
        numbers = await asummary(DAYS)
    except DatabaseError:
        numbers = None
    return {
        "may_see": True,
        "counts": counts,
        "today": _today(numbers.today) if numbers else None,
        "charts": _charts(numbers) if numbers else [],
        "every_ms": REFRESH_MS,
    }


def _today(day: Day) -> dict[str, str]:
    return {
        "failures": _count(day.failures),
        "turns": f"sur {_many(day.turns, 'réponse')}, {_many(day.interrupted, 'interrompue')}",
        "p50": _seconds(day.first_text_p50_s),
        "p95": _seconds(day.first_text_p95_s),
        "tokens": _count(day.tokens),
        "euros": "" if day.euros is None else _euros(day.euros),
    }


def _charts(numbers: Summary) -> list[Chart]:
    wanted: list[tuple[str, str, Callable[[Day], Any], Callable[[Any], str]]] = [
        ("turns", "Réponses", lambda day: day.turns, _count),
        ("failures", "Échecs", lambda day: day.failures, _count),
        ("first", "Premier mot, P95", lambda day: day.first_text_p95_s, _seconds),
        ("tokens", "Jetons", lambda day: day.tokens, _count),
    ]
    return [
        chart(name, title, [(day.day, value_of(day)) for day in numbers.days], text_of)
        for name, title, value_of, text_of in wanted
    ]


def _count(value: float) -> str:
    return number_format(int(value), use_l10n=True, force_grouping=True)


def _many(count: int, word: str) -> str:
    return f"{_count(count)} {word}{'s' if count > 1 else ''}"


def _seconds(value: float | None) -> str:
    return milliseconds(None if value is None else value * 1000)


def _euros(value: Decimal) -> str:
    return f"{number_format(value, 2, force_grouping=True)} €"
