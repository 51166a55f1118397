"""The background tasks of conversations, at a test's speed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from chat.core.supervisor import Supervisor
from chat.tasks import conversation_tasks
from chat.turns.viewers import follow_store


@asynccontextmanager
async def background_tasks(interval_s: float = 0.01) -> AsyncIterator[Supervisor]:
    """Run them every ``interval_s`` while inside."""
    tasks = [replace(task, interval_s=interval_s) for task in conversation_tasks()]
    supervisor = Supervisor(tasks, on_start=follow_store)
    supervisor.ensure_started()
    try:
        yield supervisor
    finally:
        await supervisor.stop()
