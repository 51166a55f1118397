from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import LEASE_S
from chat.core import clock, runtime
from chat.core.clock import CLOCK
from tests.builders import question
from tests.runtime import FixedClock

NEW_YEAR_S_EVE = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


def test_clock_of_a_worker_is_the_machine_s():
    before = datetime.now(UTC)
    moment = clock.now()
    assert before <= moment <= datetime.now(UTC)
    assert moment.utcoffset() == timedelta(0)


def test_fixed_clock_stands_still_until_it_is_moved():
    fixed = FixedClock(NEW_YEAR_S_EVE.astimezone(timezone(timedelta(hours=5))))
    with runtime.override(CLOCK.to(fixed)):
        assert clock.now() == clock.now() == NEW_YEAR_S_EVE
        assert clock.now().utcoffset() == timedelta(0)
        fixed.advance(1.5)
        assert clock.now() == NEW_YEAR_S_EVE + timedelta(seconds=1.5)
    assert clock.now() < NEW_YEAR_S_EVE or clock.now() > NEW_YEAR_S_EVE + timedelta(days=1)


@pytest.mark.parametrize(
    "moment, day",
    [
        (NEW_YEAR_S_EVE, date(2027, 1, 1)),
        (NEW_YEAR_S_EVE - timedelta(hours=1), date(2026, 12, 31)),
        (datetime(2026, 7, 14, 22, 30, tzinfo=UTC), date(2026, 7, 15)),
    ],
)
def test_today_is_the_day_in_paris(moment, day):
    with runtime.override(CLOCK.to(FixedClock(moment))):
        assert clock.today() == day


async def test_lease_in_memory_ends_by_the_worker_s_clock():
    fixed = FixedClock(datetime.now(UTC))
    with runtime.override(CLOCK.to(fixed)):
        store = MemoryStore(86_400)
        await store.accept("camille", "web", question(), create="always", answer_id="a1")
        fixed.advance(LEASE_S - 0.5)
        assert await store.orphans() == {}
        fixed.advance(1)
        assert await store.orphans() == {"camille": 1}
