"""Sessions actives: the list, live, and the search that leads to one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from chat.conversations.store.adviser_store import (
    ConversationState,
    Counts,
    Row,
    SessionPage,
    SortOrder,
)
from chat.conversations.store.protocol import STORE
from chat.core.clock import now
from chat.core.errors import SessionNotFound
from chat.core.ids import is_id, ref_of
from chat.web.desk import labels
from chat.web.desk.filters import PAGE_SIZE, REF, ListFilter
from chat.web.desk.permissions import CHANGE, LIST, Staff, desk_view, fragment, page

#: How often an open list asks what is new; a search reads a thousand conversations.
REFRESH_MS = 2_500
REFRESH_SEARCH_MS = 15_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One conversation as the list shows it."""

    row: Row
    badge: str
    last: str
    left: str
    size: str
    language: str

    @classmethod
    def of(cls, row: Row, at: datetime) -> Line:
        return cls(
            row=row,
            badge=labels.badge(row, at),
            last=labels.ago(row.last_at, at),
            left=labels.left(row.expires_at, at),
            size=labels.size(row.bytes),
            language=labels.language(row.language),
        )


@desk_view("see")
async def sessions(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Show the list; a search is posted, for it may be an id, which has no place in an address."""
    if request.method == "POST":
        return await _search(request)
    return await _list(request)


async def _search(request: HttpRequest) -> HttpResponse:
    list_filter = ListFilter.of({**request.GET.dict(), "q": request.POST.get("q", ""), "p": "1"})
    [*words] = list_filter.terms
    if len(words) == 1:
        ref = await _ref_meant(words[0])
        if ref:
            return redirect(CHANGE, ref)
        if REF.match(words[0]) or _looks_made(words[0]):
            messages.warning(request, "Aucune conversation active n’a cet identifiant.")
            return redirect(LIST)
    return redirect(reverse(LIST) + list_filter.query())


async def _ref_meant(word: str) -> str:
    """Return the ref of the conversation of which this is the ref or the id, or ""."""
    store = STORE.get()
    candidates = [word] if REF.match(word) else []
    if is_id(word):
        candidates.append(ref_of(word))
    for ref in candidates:
        try:
            await store.find(ref)
        except SessionNotFound:
            continue
        return ref
    return ""


def _looks_made(word: str) -> bool:
    """Whether this is an id that ``new_id`` may have made rather than a word."""
    return len(word) == 27 and is_id(word) and not word.isalpha()


@require_safe
async def _list(request: HttpRequest) -> HttpResponse:
    list_filter = ListFilter.of(request.GET.dict())
    store = STORE.get()
    found = await _found(list_filter, store.backend)
    last_page = max(1, -(-found.total // PAGE_SIZE))
    if not list_filter.words and list_filter.page > last_page:
        return redirect(reverse(LIST) + list_filter.query(page=last_page))
    at = now()
    context = {
        "title": "Sessions actives",
        "lines": [Line.of(row, at) for row in found.rows],
        "total": found.total,
        "list_filter": list_filter,
        "counts": _count_links(await store.counts(), list_filter),
        "backend": store.backend,
        "columns": _columns(list_filter),
        "pages": _pages(list_filter, last_page),
        "filters": list_filter.filters(),
        "clear": ListFilter(words=list_filter.words, order=list_filter.order).query(),
        "here": list_filter.query(page=list_filter.page),
        "every_ms": REFRESH_SEARCH_MS if list_filter.words else REFRESH_MS,
    }
    if "partial" in request.GET:
        return await fragment(request, "_sessions_live.html", context)
    return await page(request, "sessions.html", context)


async def _found(list_filter: ListFilter, backend: str) -> SessionPage:
    if list_filter.storage and list_filter.storage != backend:
        return SessionPage((), 0)
    store = STORE.get()
    if list_filter.words:
        rows = list_filter.sifted(await store.search(list_filter.terms), now())
        return SessionPage(rows, len(rows))
    return await store.page(list_filter.listing())


def _count_links(counts: Counts, list_filter: ListFilter) -> list[dict[str, Any]]:
    """The line of numbers above the list; those of a state lead to its conversations."""
    states = [
        ("attend un conseiller", "attendent un conseiller", ConversationState.ASKED, counts.asked),
        (
            "tenue par un conseiller",
            "tenues par un conseiller",
            ConversationState.HELD,
            counts.held,
        ),
        (
            "en cours de réponse",
            "en cours de réponse",
            ConversationState.ANSWERING,
            counts.answering,
        ),
    ]
    return [
        {
            "name": "active",
            "label": _many(counts.active, "active", "actives"),
            "count": counts.active,
        },
        {"name": "hour", "label": "depuis une heure", "count": counts.last_hour},
        *(
            {
                "name": state.value,
                "label": _many(count, one, many),
                "count": count,
                "query": list_filter.query(state=state),
            }
            for one, many, state, count in states
        ),
    ]


def _many(count: int, one: str, many: str) -> str:
    return one if count < 2 else many


#: Columns of the list; those with orders can be sorted by, first the one that is usual.
COLUMNS: dict[str, tuple[SortOrder, SortOrder] | None] = {
    "Session, début": (SortOrder.BEGAN, SortOrder.BEGAN_FIRST),
    "État, interlocuteur": None,
    "Dernier mot": (SortOrder.NEWEST, SortOrder.OLDEST),
    "Messages, taille": None,
    "Langue": None,
    "Expire dans": None,
}


def _columns(list_filter: ListFilter) -> list[dict[str, str]]:
    columns = []
    for name, orders in COLUMNS.items():
        column = {"name": name, "query": "", "sorted": ""}
        if orders:
            descending, ascending = orders
            other = ascending if list_filter.order is descending else descending
            column["query"] = list_filter.query(order=other)
            if list_filter.order in orders:
                column["sorted"] = "descending" if list_filter.order is descending else "ascending"
        columns.append(column)
    return columns


def _pages(list_filter: ListFilter, last: int) -> list[dict[str, Any]]:
    """Numbers of the pages to choose from: the ends and those around; 0 stands for a gap."""
    if list_filter.words or last == 1:
        return []
    near = {1, 2, last - 1, last, *range(list_filter.page - 2, list_filter.page + 3)}
    numbers = sorted(number for number in near if 1 <= number <= last)
    pages: list[dict[str, Any]] = []
    for number in numbers:
        if pages and number - pages[-1]["number"] > 1:
            pages.append({"number": 0})
        pages.append({"number": number, "query": list_filter.query(page=number) or "?"})
    return pages


@desk_view("see")
async def waiting(request: HttpRequest, staff: Staff) -> HttpResponse:
    """Tell how many customers wait for an adviser, for the header of every page."""
    counts = await STORE.get().counts()
    return JsonResponse({"asked": counts.asked})
