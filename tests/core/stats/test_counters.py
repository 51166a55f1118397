from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from chat.core.clock import CLOCK
from chat.core.stats.counters import Counters
from tests.runtime import FixedClock

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)


def test_counts_are_summed_and_taken_once():
    counts = Counters(lambda: MONDAY)
    counts.count("turns.done")
    counts.count("tokens.prompt", 40)
    counts.count("tokens.prompt", 2)
    counts.count("tools", 0)

    batch = counts.take()

    assert batch is not None
    assert batch.sums == {(MONDAY, "turns.done"): 1, (MONDAY, "tokens.prompt"): 42}
    assert counts.take() is None


def test_each_count_belongs_to_its_day():
    days = iter([MONDAY, TUESDAY])
    counts = Counters(lambda: next(days))
    counts.count("turns.done")
    counts.count("turns.done")

    batch = counts.take()

    assert batch is not None
    assert batch.sums == {(MONDAY, "turns.done"): 1, (TUESDAY, "turns.done"): 1}


def test_day_is_the_shops(replace_parts):
    replace_parts(CLOCK.to(FixedClock(datetime(2026, 11, 23, 23, 30, tzinfo=UTC))))
    counts = Counters()
    counts.count("turns.done")
    batch = counts.take()

    assert batch is not None
    assert list(batch.sums) == [(TUESDAY, "turns.done")]


class Interrupted(int):
    """A number during whose addition another thread does something, as far as it can."""

    def __new__(cls, value: int, meanwhile: Callable[[], object]) -> Interrupted:
        number = super().__new__(cls, value)
        number.other = threading.Thread(target=meanwhile)
        return number

    other: threading.Thread

    def __radd__(self, value: int) -> int:
        self.other.start()
        self.other.join(0.05)  # it waits for us, if it is careful
        return value + int(self)


@pytest.mark.parametrize("takes", [False, True])
def test_threads_lose_no_count_and_none_twice(takes):
    counts = Counters(lambda: MONDAY)
    taken = []
    counts.count("turns.done", 5)

    def meanwhile() -> None:
        if takes:
            taken.append(counts.take())
        else:
            counts.count("turns.done")

    number = Interrupted(1, meanwhile)
    counts.count("turns.done", number)
    number.other.join()
    taken.append(counts.take())

    total = sum(sum(batch.sums.values()) for batch in taken if batch)
    assert total == (6 if takes else 7)


def test_what_waits_is_bounded_and_goes_on_counting_what_it_knows():
    counts = Counters(lambda: MONDAY, max_numbers=3)
    for n in range(5):
        counts.count(f"name.{n}")
    counts.count("name.0")
    counts.count("x" * 200)

    batch = counts.take()

    assert batch is not None
    assert batch.sums == {
        (MONDAY, "name.0"): 2,
        (MONDAY, "name.1"): 1,
        (MONDAY, "name.2"): 1,
    }
