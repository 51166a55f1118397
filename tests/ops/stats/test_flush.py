from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, connections
from django.utils import timezone

from chat.core.stats.counters import Batch, Tally
from chat.ops.stats.flush import Ledger, keep_numbers
from chat.ops.stats.models import DailyNumber, WrittenBatch
from chat.ops.stats.writes import KEEP_DAYS, write_batch

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


def in_sql() -> dict[tuple[date, str], int]:
    rows = DailyNumber.objects.values_list("day", "name", "value")
    return {(day, name): value for day, name, value in rows}


@contextmanager
def database_away(when: str = "") -> Iterator[list[str]]:
    """Fail every statement that begins so; yield what was refused."""
    refused: list[str] = []

    def fail(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if sql.startswith(when):
            refused.append(sql)
            raise OperationalError("away")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        yield refused


@pytest.mark.django_db
def test_batches_are_summed_up_and_one_mark_is_kept():
    tally = Tally(lambda: MONDAY)
    ledger = Ledger(tally)
    for by in (1, 2, 3):
        tally.count("turns.done", by)
        tally.count("tokens.prompt", 10 * by)
        ledger.flush()
    ledger.flush()

    assert in_sql() == {(MONDAY, "turns.done"): 6, (MONDAY, "tokens.prompt"): 60}
    assert WrittenBatch.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["", "INSERT", "UPDATE", "SAVEPOINT", "SELECT"])
def test_counts_wait_while_the_database_is_away(statement):
    tally = Tally(lambda: MONDAY)
    ledger = Ledger(tally)
    tally.count("turns.done", 5)
    with database_away(statement) as refused:
        for _ in range(3):
            tally.count("turns.failed")
            with pytest.raises(OperationalError):
                ledger.flush()
    tally.count("turns.done", 2)
    ledger.flush()
    ledger.flush()

    assert refused
    assert in_sql() == {(MONDAY, "turns.done"): 7, (MONDAY, "turns.failed"): 3}


@pytest.mark.django_db
def test_a_number_that_no_column_holds_stops_no_later_one(caplog):
    tally = Tally(lambda: MONDAY)
    ledger = Ledger(tally)
    tally.count("tokens.prompt", 2**63)
    ledger.flush()
    tally.count("turns.done")
    ledger.flush()

    assert in_sql()[MONDAY, "turns.done"] == 1
    assert "numbers dropped, OverflowError: tokens.prompt" in caplog.text


@pytest.mark.django_db
def test_commit_that_was_not_heard_of_counts_once():
    """The answer to the commit is lost: the worker cannot know, and writes the same again."""
    tally = Tally(lambda: MONDAY)
    lost = [OperationalError("connection lost")]

    def write_and_hang_up_once(batch: Batch, previous_id: uuid.UUID | None) -> None:
        write_batch(batch, previous_id)
        if lost:
            raise lost.pop()

    ledger = Ledger(tally, write=write_and_hang_up_once)
    tally.count("turns.done", 5)
    with pytest.raises(OperationalError):
        ledger.flush()
    tally.count("turns.done", 1)
    ledger.flush()

    assert in_sql() == {(MONDAY, "turns.done"): 6}


@pytest.mark.django_db(transaction=True)
def test_workers_that_write_together_sum_exactly():
    """They begin on an empty table, with numbers in another order each, over two days."""
    names = [f"name.{n}" for n in range(6)]
    start = threading.Barrier(4)

    def work(worker: int) -> None:
        days = iter(lambda: MONDAY if worker % 2 else TUESDAY, None)
        tally = Tally(lambda: next(days))
        ledger = Ledger(tally)
        start.wait()
        for turn in range(10):
            for name in names if (worker + turn) % 2 else reversed(names):
                tally.count(name)
            ledger.flush()
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    assert in_sql() == {(day, name): 20 for day in (MONDAY, TUESDAY) for name in names}


@pytest.mark.django_db
def test_numbers_older_than_the_charts_are_forgotten_once_a_day():
    today = timezone.localdate()
    DailyNumber.objects.bulk_create(
        DailyNumber(day=today - timedelta(days=age), name="turns.done", value=1)
        for age in (0, KEEP_DAYS, KEEP_DAYS + 1, 900)
    )
    ledger = Ledger(Tally(lambda: today))
    ledger.flush()
    left = {(today - day).days for day, _ in in_sql()}
    DailyNumber.objects.create(day=today - timedelta(days=900), name="turns.done")
    ledger.flush()

    assert left == {0, KEEP_DAYS}
    assert DailyNumber.objects.count() == 3


@pytest.mark.django_db(transaction=True)
async def test_worker_that_stops_writes_a_last_time():
    tally = Tally(lambda: MONDAY)
    keeping = asyncio.create_task(keep_numbers(Ledger(tally)))
    await asyncio.sleep(0)
    tally.count("turns.done", 9)
    keeping.cancel()
    await asyncio.wait({keeping})

    assert await sync_to_async(in_sql)() == {(MONDAY, "turns.done"): 9}


@pytest.mark.django_db(transaction=True)
async def test_worker_goes_on_after_a_failure(caplog):
    tally = Tally(lambda: MONDAY)
    recovered = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Failing(Ledger):
        tries = 0

        def flush(self) -> None:
            self.tries += 1
            if self.tries < 3:
                raise OperationalError("a secret address")
            super().flush()
            loop.call_soon_threadsafe(recovered.set)

    tally.count("turns.done")
    keeping = asyncio.create_task(keep_numbers(Failing(tally), every_s=0.01))
    async with asyncio.timeout(20):
        await recovered.wait()
    keeping.cancel()
    await asyncio.wait({keeping})

    assert await sync_to_async(in_sql)() == {(MONDAY, "turns.done"): 1}
    assert "secret" not in caplog.text
