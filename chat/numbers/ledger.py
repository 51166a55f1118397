"""The way of numbers from memory to SQL, every few seconds and when the worker stops."""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from channels.db import database_sync_to_async
from django.utils import timezone

from chat.numbers.services import prune, write_batch
from chat.numbers.tally import Batch, Tally, default_tally

logger = logging.getLogger(__name__)

FLUSH_S = 10.0
#: What a worker that stops waits for the database.
LAST_FLUSH_S = 2.0

#: A thread of its own: a database that hangs holds up nothing else.
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="numbers")


class Ledger:
    """Writes one tally down. What could not be written is kept and tried again, whole."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._pending: Batch | None = None
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
            self._pending = self._tally.take()
            if self._pending is not None:
                self._write(self._pending)
            if self._pruned_on != (today := timezone.localdate()):
                prune()
                self._pruned_on = today

    def _write(self, batch: Batch) -> None:
        write_batch(batch, self._written_id)
        self._written_id, self._pending = batch.id, None


async def keep_numbers(ledger: Ledger | None = None) -> None:
    """Write this process's numbers down, for ever, and a last time when cancelled."""
    ledger = ledger or Ledger(default_tally())
    try:
        while True:
            await asyncio.sleep(FLUSH_S)
            await _flush(ledger)
    finally:
        last = asyncio.ensure_future(_flush(ledger))
        await asyncio.wait({last}, timeout=LAST_FLUSH_S)


async def _flush(ledger: Ledger) -> None:
    try:
        await database_sync_to_async(ledger.flush, thread_sensitive=False, executor=_THREAD)()
    except Exception as error:  # noqa: BLE001 - they are kept and tried again
        logger.warning("numbers wait for the database: %s", type(error).__name__)
