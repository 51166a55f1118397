"""Finishes erasures: removes from SQL and from disk what an erased conversation left.

The intent was stored with the removal of the conversation
(``chat/conversations/store/erasures.py``). It is carried out at once by the process that erased,
and by any worker later: when the database was away, when a process was killed in the middle, and
once more after ``LATE_S``. Every step may be repeated. Files are named in SQL (``FileRemoval``)
before their photos' rows go.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from channels.db import database_sync_to_async
from django.db import Error as DatabaseFailure
from django.db import connection, transaction

from chat.conversations.handover.models import ContactRequest
from chat.conversations.store.protocol import STORE
from chat.core import metrics
from chat.core.errors import StoreUnavailable
from chat.core.threads import THREADS
from chat.ops.reports.services import forget_reference
from chat.shop.photos.removals import remove_files
from chat.shop.photos.services import forget

logger = logging.getLogger(__name__)

#: Whoever erases waits no longer for the database.
LONGEST_WAIT_S = 2.0
#: A lock in PostgreSQL is not waited for longer; SQLite has its own limit (``database_for``).
LONGEST_STATEMENT_S = 5


def remove_leftovers(session_ref: str) -> None:
    """Delete contact requests, photos without a ticket, and mentions in stored reports.

    Tickets stay, with their photos: they are the shop's after-sales file.

    Raises:
        django.db.Error: nothing was deleted.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{LONGEST_STATEMENT_S}s'")
        ContactRequest.objects.filter(session_ref=session_ref).delete()
        names = forget(session_ref)
        forget_reference(session_ref)
    remove_files(names)


async def finish_erasure(session_ref: str, timeout_s: float | None = LONGEST_WAIT_S) -> bool:
    """Remove what this conversation left and note that it is done. False: later, by any worker.

    Never raises: no trouble of the database, the disk or Redis may undo an erasure.
    """
    try:
        async with asyncio.timeout(timeout_s):
            await _in_thread(partial(remove_leftovers, session_ref))
        await STORE.get().erasure_done(session_ref)
    except StoreUnavailable:
        return False  # cleaned up; another worker finds that nothing is left
    except Exception as error:  # noqa: BLE001 - as the docstring says
        logger.warning("what an erased session left stays for now: %s", type(error).__name__)
        metrics.erasures.labels("failed").inc()
        return False
    metrics.erasures.labels("done").inc()
    return True


async def finish_erasures() -> None:
    """Finish what is due, each on its own, then remove files that were not removed yet.

    For every worker, every 5 s.

    Raises:
        StoreUnavailable: nobody knows now what is due.
    """
    store = STORE.get()
    for session_ref in await store.take_erasures():
        await finish_erasure(session_ref, timeout_s=None)
    metrics.erasures_pending.set((await store.erasure_backlog()).count)
    try:
        await _in_thread(remove_files)
    except DatabaseFailure as error:
        logger.info("files of deleted photos wait for the database: %s", type(error).__name__)


async def _in_thread(work: Callable[[], object]) -> None:
    thread = THREADS.get().pool("erasures")
    await database_sync_to_async(work, thread_sensitive=False, executor=thread)()
