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

from chat.core.stats.counters import CounterBatch, Counters
from chat.ops.stats.flush import CounterWriter, keep_numbers
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
    counters = Counters(lambda: MONDAY)
    writer = CounterWriter(counters)
    for by in (1, 2, 3):
        counters.count("turns.done", by)
        counters.count("tokens.prompt", 10 * by)
        writer.flush()
    writer.flush()

    assert in_sql() == {(MONDAY, "turns.done"): 6, (MONDAY, "tokens.prompt"): 60}
    assert WrittenBatch.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["", "INSERT", "UPDATE", "SAVEPOINT", "SELECT"])
def test_counts_wait_while_the_database_is_away(statement):
    counters = Counters(lambda: MONDAY)
    writer = CounterWriter(counters)
    counters.count("turns.done", 5)
    with database_away(statement) as refused:
        for _ in range(3):
            counters.count("turns.failed")
            with pytest.raises(OperationalError):
                writer.flush()
    counters.count("turns.done", 2)
    writer.flush()
    writer.flush()

    assert refused
    assert in_sql() == {(MONDAY, "turns.done"): 7, (MONDAY, "turns.failed"): 3}


@pytest.mark.django_db
def test_a_number_that_no_column_holds_stops_no_later_one(caplog):
    counters = Counters(lambda: MONDAY)
    writer = CounterWriter(counters)
    counters.count("tokens.prompt", 2**63)
    writer.flush()
    counters.count("turns.done")
    writer.flush()

    assert in_sql()[MONDAY, "turns.done"] == 1
    assert "numbers dropped, OverflowError: tokens.prompt" in caplog.text


@pytest.mark.django_db
def test_commit_that_was_not_heard_of_counts_once():
    """The answer to the commit is lost: the worker cannot know, and writes the same again."""
    counters = Counters(lambda: MONDAY)
    lost = [OperationalError("connection lost")]

    def write_and_hang_up_once(batch: CounterBatch, previous_id: uuid.UUID | None) -> None:
        write_batch(batch, previous_id)
        if lost:
            raise lost.pop()

    writer = CounterWriter(counters, write=write_and_hang_up_once)
    counters.count("turns.done", 5)
    with pytest.raises(OperationalError):
        writer.flush()
    counters.count("turns.done", 1)
    writer.flush()

    assert in_sql() == {(MONDAY, "turns.done"): 6}


@pytest.mark.django_db(transaction=True)
def test_workers_that_write_together_sum_exactly():
    """They begin on an empty table, with numbers in another order each, over two days."""
    names = [f"name.{n}" for n in range(6)]
    start = threading.Barrier(4)

    def work(worker: int) -> None:
        days = iter(lambda: MONDAY if worker % 2 else TUESDAY, None)
        counters = Counters(lambda: next(days))
        writer = CounterWriter(counters)
        start.wait()
        for turn in range(10):
            for name in names if (worker + turn) % 2 else reversed(names):
                counters.count(name)
            writer.flush()
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
    writer = CounterWriter(Counters(lambda: today))
    writer.flush()
    left = {(today - day).days for day, _ in in_sql()}
    DailyNumber.objects.create(day=today - timedelta(days=900), name="turns.done")
    writer.flush()

    assert left == {0, KEEP_DAYS}
    assert DailyNumber.objects.count() == 3


@pytest.mark.django_db(transaction=True)
async def test_worker_that_stops_writes_a_last_time():
    counters = Counters(lambda: MONDAY)
    keeping = asyncio.create_task(keep_numbers(CounterWriter(counters)))
    await asyncio.sleep(0)
    counters.count("turns.done", 9)
    keeping.cancel()
    await asyncio.wait({keeping})

    assert await sync_to_async(in_sql)() == {(MONDAY, "turns.done"): 9}


@pytest.mark.django_db(transaction=True)
async def test_worker_goes_on_after_a_failure(caplog):
    counters = Counters(lambda: MONDAY)
    recovered = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Failing(CounterWriter):
        tries = 0

        def flush(self) -> None:
            self.tries += 1
            if self.tries < 3:
                raise OperationalError("a secret address")
            super().flush()
            loop.call_soon_threadsafe(recovered.set)

    counters.count("turns.done")
    keeping = asyncio.create_task(keep_numbers(Failing(counters), every_s=0.01))
    async with asyncio.timeout(20):
        await recovered.wait()
    keeping.cancel()
    await asyncio.wait({keeping})

    assert await sync_to_async(in_sql)() == {(MONDAY, "turns.done"): 1}
    assert "secret" not in caplog.text
