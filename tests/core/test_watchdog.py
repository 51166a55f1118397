"""A loop that stands still is counted and logged with the place where it stood."""

from __future__ import annotations

import asyncio
import re
import signal
import time

import pytest
from prometheus_client import REGISTRY

from chat.core import watchdog

STALL_S = 0.3

#: pytest's own time limit would have the signal.
pytestmark = pytest.mark.timeout(60, method="thread")


def hold_the_interpreter_lock(seconds: float) -> None:
    """Match an expression that takes exponential time: no thread of Python runs meanwhile."""
    text = "a" * 18
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        re.match(r"(a+)+b", text)


def sleep_in_the_loop(seconds: float) -> None:
    time.sleep(seconds)


def stalls() -> float:
    return REGISTRY.get_sample_value("chat_loop_stalls_total") or 0.0


async def a_beat(count: float) -> None:
    async with asyncio.timeout(10):
        while stalls() <= count:
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _free_signal():
    before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("stand_still", [hold_the_interpreter_lock, sleep_in_the_loop])
async def test_a_stall_is_counted_and_logged_with_its_stack(stand_still, caplog):
    before = stalls()
    watching = asyncio.create_task(watchdog.watch_loop(STALL_S))
    await asyncio.sleep(0)

    stand_still(watchdog.BEAT_S + 3 * STALL_S)
    await a_beat(before)
    watching.cancel()

    [record] = [record for record in caplog.records if record.name == "chat.core.watchdog"]
    assert "the event loop stood still" in record.getMessage()
    assert stand_still.__name__ in record.stack
    assert stalls() == before + 1


async def test_many_short_steps_are_no_stall(caplog):
    before = stalls()
    watching = asyncio.create_task(watchdog.watch_loop(5.0))
    until = time.monotonic() + 2 * watchdog.BEAT_S
    while time.monotonic() < until:
        sleep_in_the_loop(0.005)
        await asyncio.sleep(0)
    watching.cancel()

    assert stalls() == before
    assert not caplog.records


async def test_a_signal_that_another_program_uses_is_left_to_it(caplog):
    def theirs(*_: object) -> None: ...

    signal.signal(signal.SIGALRM, theirs)
    before = stalls()
    watching = asyncio.create_task(watchdog.watch_loop(STALL_S))
    await asyncio.sleep(0)

    sleep_in_the_loop(watchdog.BEAT_S + 3 * STALL_S)
    await a_beat(before)
    watching.cancel()
    await asyncio.wait({watching})

    assert signal.getsignal(signal.SIGALRM) is theirs
    assert watchdog.UNKNOWN in caplog.records[0].stack


async def test_the_signal_is_free_again_once_nobody_watches():
    watching = asyncio.create_task(watchdog.watch_loop(STALL_S))
    await asyncio.sleep(0)
    assert signal.getitimer(signal.ITIMER_REAL)[0] > 0

    watching.cancel()
    await asyncio.wait({watching})

    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
