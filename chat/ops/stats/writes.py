"""Numbers into SQL. Everything that writes them is here."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from chat.core import clock
from chat.core.stats.counters import CounterBatch, Sums
from chat.ops.stats.models import DailyNumber, WrittenBatch

KEEP_DAYS = 400
#: A worker that has written nothing for so long is gone, or has nothing in doubt.
FORGET_BATCHES_DAYS = 7


def write_batch(batch: CounterBatch, previous_id: uuid.UUID | None = None) -> None:
    """Add the batch to the numbers of its days; a second time has no effect.

    One short transaction, which several workers may run at once. ``previous_id``: the worker's
    batch before, which is in doubt no more.

    Raises:
        django.db.Error: it may have been written or not: call again with the same batch.
    """
    with transaction.atomic():
        if WrittenBatch.objects.filter(pk=batch.id).exists():
            return
        WrittenBatch.objects.create(pk=batch.id)
        if previous_id is not None:
            WrittenBatch.objects.filter(pk=previous_id).delete()
        _make_rows(batch.sums)
        # Always in the same order: two workers wait for one another, never both.
        for (day, name), value in sorted(batch.sums.items()):
            DailyNumber.objects.filter(day=day, name=name).update(value=F("value") + value)


def _make_rows(sums: Sums) -> None:
    """Have a row for each number; another worker may be making the same one."""
    days, names = zip(*sums, strict=True)
    there = set(
        DailyNumber.objects.filter(day__in=set(days), name__in=set(names)).values_list(
            "day", "name"
        )
    )
    rows = [DailyNumber(day=day, name=name) for day, name in sorted(sums.keys() - there)]
    DailyNumber.objects.bulk_create(rows, ignore_conflicts=True)


def prune() -> int:
    """Forget what is older than ``KEEP_DAYS``; return how many numbers went."""
    today = clock.today()
    oldest_batch = clock.now() - timedelta(days=FORGET_BATCHES_DAYS)
    WrittenBatch.objects.filter(written_at__lt=oldest_batch).delete()
    count, _ = DailyNumber.objects.filter(day__lt=today - timedelta(days=KEEP_DAYS)).delete()
    return count
