"""The way of numbers from memory to SQL, every few seconds and when the worker stops."""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import Callable
from datetime import date

from channels.db import database_sync_to_async
from django.db import DataError

from chat.core import clock
from chat.core.stats.counters import STAT_COUNTERS, CounterBatch, Counters
from chat.core.threads import THREADS
from chat.ops.stats.writes import prune, write_batch

logger = logging.getLogger(__name__)

FLUSH_S = 10.0
#: What a worker that stops waits for the database.
LAST_FLUSH_S = 2.0

WriteBatch = Callable[[CounterBatch, uuid.UUID | None], None]


class CounterWriter:
    """Writes counters to the database. A batch that failed is kept and written again, whole.

    ``write``: takes a batch and the id of the one that was written before it.
    """

    def __init__(self, counters: Counters, *, write: WriteBatch = write_batch) -> None:
        self._counters = counters
        self._write_batch = write
        self._pending: CounterBatch | None = None
        self._written_id: uuid.UUID | None = None
        self._pruned_on: date | None = None
        self._one = threading.Lock()

    def flush(self) -> None:
        """Write what was counted since the last time.

        Raises:
            django.db.Error: later; nothing is lost, and nothing will be counted twice.
        """
        with self._one:
            if self._pending is not None:
                self._write(self._pending)
            self._pending = self._counters.take()
            if self._pending is not None:
                self._write(self._pending)
            if self._pruned_on != (today := clock.today()):
                prune()
                self._pruned_on = today

    def _write(self, batch: CounterBatch) -> None:
        """Write one batch, or drop it when the database can never take its values."""
        try:
            self._write_batch(batch, self._written_id)
        except (DataError, OverflowError) as error:  # it would hold up all later ones for ever
            names = sorted({name for _, name in batch.sums})
            logger.error("numbers dropped, %s: %s", type(error).__name__, ", ".join(names))
        else:
            self._written_id = batch.id
        self._pending = None


async def keep_numbers(writer: CounterWriter | None = None, *, every_s: float = FLUSH_S) -> None:
    """Write this process's numbers down, for ever, and a last time when cancelled."""
    writer = writer or CounterWriter(STAT_COUNTERS.get())
    try:
        while True:
            await asyncio.sleep(every_s)
            await _flush(writer)
    finally:
        last = asyncio.ensure_future(_flush(writer))
        await asyncio.wait({last}, timeout=LAST_FLUSH_S)


async def _flush(writer: CounterWriter) -> None:
    try:
        thread = THREADS.get().pool("numbers")
        await database_sync_to_async(writer.flush, thread_sensitive=False, executor=thread)()
    except Exception as error:  # noqa: BLE001 - they are kept and tried again
        logger.warning("numbers wait for the database: %s", type(error).__name__)
