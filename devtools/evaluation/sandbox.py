"""Sandbox of the evaluation: isolated data, a replaceable clock and model.

``evaluate`` plays in a child process with the environment of the sandbox, so that no real data of
the shop is read or written, whatever the environment of the command.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from chat.assistant.llm import LLM, LLM_CLIENT, build_llm, close_llm
from chat.core import runtime
from chat.core.clock import CLOCK
from chat.core.runtime import LoopPart
from chat.shop.catalog.models import Product
from chat.shop.orders.loader import load_orders
from devtools.demo.data import DEMO_ORDERS, load_demo_catalogue
from devtools.evaluation.types import USUAL_MOMENT
from meuble_project import backends
from meuble_project.env import ROOT, Env

#: Session lifetime: concurrent conversations have different dates, and none may expire.
NEVER_S = 999_999_999

SHOP_EMAIL, SHOP_PHONE = "magasin@example.fr", "01 99 00 12 34"

#: Simulated time of this context, None for the real time.
playing_at: ContextVar[datetime | None] = ContextVar("playing_at", default=None)

#: The evaluated model; ``LLM_CLIENT`` is replaced by a recording client, see ``answering``.
EVALUATED_LLM: LoopPart[LLM] = LoopPart("evaluated model", build_llm, aclose=close_llm)


def sandbox_variables(folder: Path) -> dict[str, str]:
    """Return the environment variables of a sandbox: sessions, counters and events in memory, rows
    and files in ``folder``, data of the demonstration.
    """
    return {
        "REDIS_URL": "memory://",
        "REDIS_SENTINELS": "",
        "CHANNEL_LAYER_URLS": "",
        "DATABASE_URL": f"sqlite:///{quote(str(folder))}/db.sqlite3",
        "MEDIA_DIR": str(folder / "media"),
        "EMAIL_URL": "console://",
        "SESSION_TTL_S": str(NEVER_S),
        "SHOP_EMAIL": SHOP_EMAIL,
        "SHOP_PHONE": SHOP_PHONE,
    }


def is_sandbox(env: Env, folder: Path) -> bool:
    """Return whether an environment has sessions in memory, and rows and files in ``folder``."""
    database = backends.database_for(env.database_url, ROOT)
    return (
        backends.is_memory(env.redis_url)
        and Path(database["NAME"]).is_relative_to(folder)
        and Path(env.media_dir).is_relative_to(folder)
    )


class PlayedClock:
    """Clock that returns the simulated time of each conversation."""

    def now(self) -> datetime:
        moment = playing_at.get()
        return datetime.now(UTC) if moment is None else moment.astimezone(UTC)


@contextmanager
def played_clock() -> Iterator[None]:
    """Replace the worker's clock by one that uses ``playing_at``."""
    with runtime.override(CLOCK.to(PlayedClock())):
        yield


@contextmanager
def answering(llm: LLM) -> Iterator[None]:
    """Replace the worker's model inside the block."""
    with runtime.override(LLM_CLIENT.to(llm)):
        yield


def load_demonstration() -> None:
    """Load the data of ``make_demo``, with stocks counted on the day of ``USUAL_MOMENT``."""
    load_demo_catalogue()
    Product.objects.update(stock_at=USUAL_MOMENT.replace(hour=0))
    load_orders(DEMO_ORDERS)
