"""What a worker prepares when it begins."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from chat import tasks
from chat.core.clock import CLOCK
from chat.shop import hours
from tests.runtime import FixedClock


async def test_first_question_for_opening_hours_finds_the_holidays_ready(replace_parts):
    replace_parts(CLOCK.to(FixedClock(datetime(2031, 7, 1, tzinfo=UTC))))  # no other test's year
    tasks.begin()
    await asyncio.get_running_loop().shutdown_default_executor()

    known = hours._public_holidays.cache_info()
    assert hours._public_holidays(2031)
    assert hours._public_holidays(2032)
    assert hours._public_holidays.cache_info().misses == known.misses
