"""What a reader of the list asked for, as its address says it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from chat.conversations.store.adviser_store import ConversationState, Listing, Row, SortOrder
from chat.web.desk.labels import STATES

PAGE_SIZE = 50
#: Words of one search; more find nothing more.
MAX_WORDS = 8
MAX_QUERY_CHARS = 200
#: Older than any conversation.
LONG_S = 1e9

AGES: dict[str, tuple[str, tuple[float, float]]] = {
    "5min": ("Moins de 5 minutes", (0, 300)),
    "1h": ("De 5 minutes à 1 heure", (300, 3600)),
    "6h": ("De 1 à 6 heures", (3600, 6 * 3600)),
    "old": ("Plus de 6 heures", (6 * 3600, LONG_S)),
}
SPEAKERS = {"assistant": "Assistant (IA)", "adviser": "Conseiller"}
STORAGES = {"redis": "Redis", "memory": "Mémoire"}
REF = re.compile(r"[0-9a-f]{16}\Z")

_STATES: dict[str, ConversationState | None] = {state.value: state for state in ConversationState}
_ORDERS = {order.value: order for order in SortOrder}

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One line of a filter, as ``admin/filter.html`` reads it."""

    display: str
    query_string: str
    selected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """``page`` counts from 1. ``age``, ``storage`` and ``speaker``: keys of the tables above."""

    words: str = ""
    state: ConversationState | None = None
    speaker: str = ""
    age: str = ""
    storage: str = ""
    order: SortOrder = SortOrder.NEWEST
    page: int = 1

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> ListFilter:
        """Parse query parameters; invalid values are ignored."""
        page = str(params.get("p", ""))
        return cls(
            words=" ".join(str(params.get("q", ""))[:MAX_QUERY_CHARS].split()),
            state=_known(params.get("state"), _STATES, None),
            speaker=_known(params.get("speaker"), {key: key for key in SPEAKERS}, ""),
            age=_known(params.get("age"), {key: key for key in AGES}, ""),
            storage=_known(params.get("storage"), {key: key for key in STORAGES}, ""),
            order=_known(params.get("o"), _ORDERS, SortOrder.NEWEST),
            page=max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1,
        )

    def query(self, **changes: Any) -> str:
        """Return the address of this list with changes, back on its first page: ``"?q=lit"``."""
        other = replace(self, **{"page": 1, **changes})
        pairs = {
            "q": other.words,
            "state": other.state.value if other.state else "",
            "speaker": other.speaker,
            "age": other.age,
            "storage": other.storage,
            "o": "" if other.order is SortOrder.NEWEST else other.order.value,
            "p": "" if other.page == 1 else str(other.page),
        }
        return "?" + urlencode({name: value for name, value in pairs.items() if value})

    def listing(self) -> Listing:
        return Listing(
            state=self.state,
            speaker=self.speaker,
            quiet_s=AGES[self.age][1] if self.age else None,
            order=self.order,
            offset=(self.page - 1) * PAGE_SIZE,
            limit=PAGE_SIZE,
        )

    @property
    def terms(self) -> Sequence[str]:
        return self.words.split()[:MAX_WORDS]

    @property
    def is_filtered(self) -> bool:
        return bool(self.state or self.speaker or self.age or self.storage)

    def sifted(self, rows: Sequence[Row], at: datetime) -> tuple[Row, ...]:
        """Return of what a search found those that the filters leave, in the wanted order."""
        kept = [row for row in rows if self._leaves(row, at)]
        by_last = self.order in (SortOrder.NEWEST, SortOrder.OLDEST)
        kept.sort(
            key=lambda row: (row.last_at if by_last else row.began_at, row.ref),
            reverse=self.order in (SortOrder.NEWEST, SortOrder.BEGAN),
        )
        return tuple(kept)

    def _leaves(self, row: Row, at: datetime) -> bool:
        if self.state and row.state is not self.state:
            return False
        if self.speaker and self.speaker != ("adviser" if row.adviser else "assistant"):
            return False
        if self.storage and self.storage != row.storage:
            return False
        if self.age:
            least, most = AGES[self.age][1]
            return least <= (at - row.last_at).total_seconds() <= most
        return True

    def filters(self) -> list[dict[str, Any]]:
        """Return the filters beside the list, each with the address of every choice."""
        return [
            self._filter("état", "state", STATES, None),
            self._filter("interlocuteur", "speaker", SPEAKERS, ""),
            self._filter(
                "dernier mot", "age", {key: label for key, (label, _) in AGES.items()}, ""
            ),
            self._filter("stockage", "storage", STORAGES, ""),
        ]

    def _filter(self, title: str, name: str, labels: Mapping[Any, str], no: Any) -> dict[str, Any]:
        now = getattr(self, name)
        choices = [
            Choice(display=label, query_string=self.query(**{name: key}), selected=now == key)
            for key, label in {no: "Tout", **labels}.items()
        ]
        return {"title": title, "choices": choices}


def _known(given: object, known: Mapping[str, Value], otherwise: Value) -> Value:
    return known.get(given, otherwise) if isinstance(given, str) else otherwise
