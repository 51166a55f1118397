"""Where conversations are played: an own database and memory, at a chosen moment.

Nothing of the shop's real data is read or written, whatever the environment says.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import django.utils.timezone
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test.utils import override_settings

import chat.assistant.attempt
import chat.sessions.types
from chat import limits
from chat.assistant.llm import LLM
from chat.catalog.loader import load_demo_catalogue
from chat.catalog.models import Product
from chat.evaluation.types import USUAL_MOMENT
from chat.orders import tries
from chat.orders.loader import DEMO_ORDERS, load_orders
from chat.sessions.store import default_store
from meuble_project import backends
from meuble_project.env import ROOT

#: Conversations of different years are played side by side: none may expire by another's clock.
_NEVER_S = 100 * 366 * 86_400

SHOP_EMAIL, SHOP_PHONE = "magasin@example.fr", "01 99 00 12 34"

#: The moment at which this context plays, None for the real one.
playing_at: ContextVar[datetime | None] = ContextVar("playing_at", default=None)


class _Clock(datetime):
    """``datetime``, but for what time it is."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        moment = playing_at.get()
        return datetime.now(tz) if moment is None else moment.astimezone(tz)


@contextmanager
def played_clock() -> Iterator[None]:
    """Have ``chat.sessions.types.now`` and Django's ``timezone.now`` heed ``playing_at``."""
    with (
        _swapped(chat.sessions.types, "datetime", _Clock),
        _swapped(django.utils.timezone, "datetime", _Clock),
    ):
        yield


@contextmanager
def answering(llm: LLM) -> Iterator[None]:
    """Have this model answer every turn of the process, while inside."""
    with _swapped(chat.assistant.attempt, "default_llm", lambda: llm):
        yield


@contextmanager
def own_memory() -> Iterator[None]:
    """Keep sessions, counters and events in this process's memory, apart from all others, and
    have the shop of the demonstration: what is played is the same wherever it is.
    """
    env = replace(
        settings.ENV,
        redis_url="memory://",
        session_ttl_s=_NEVER_S,
        shop_email=SHOP_EMAIL,
        shop_phone=SHOP_PHONE,
    )
    changed = override_settings(
        ENV=env,
        CACHES={name: backends.cache_for("memory://") for name in settings.CACHES},
        CHANNEL_LAYERS={"default": backends.channel_layer_for("memory://")},
    )
    kept: tuple[Callable[[], None], ...] = (
        default_store.cache_clear,
        limits.default_counter.cache_clear,
        tries.own_counter.cache_clear,
    )
    with changed, ExitStack() as after:
        for forget in kept:
            forget()
            after.callback(forget)
        yield


@contextmanager
def own_database() -> Iterator[None]:
    """Use an empty SQLite database of its own, deleted afterwards."""
    kept = connections.settings
    with tempfile.TemporaryDirectory(prefix="evaluate-") as folder:
        address = f"sqlite:///{Path(folder) / 'db.sqlite3'}"
        _reconnect(
            connections.configure_settings({"default": backends.database_for(address, ROOT)})
        )
        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            _reconnect(kept)


def _reconnect(databases: Any) -> None:
    connections.close_all()
    for alias in list(connections):
        if hasattr(connections._connections, alias):  # type: ignore[attr-defined]
            del connections[alias]
    connections.settings = databases


def load_demonstration() -> None:
    """Fill the database with what ``make_demo`` does, stocks as of the usual moment."""
    load_demo_catalogue()
    Product.objects.update(stock_at=USUAL_MOMENT.replace(hour=0))
    load_orders(DEMO_ORDERS)


@contextmanager
def _swapped(owner: Any, name: str, value: object) -> Iterator[None]:
    kept = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, kept)
