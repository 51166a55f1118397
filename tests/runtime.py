"""Workers of tests, fresh or started anew, and the clock that a test gives them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from chat.core import runtime
from chat.core.runtime import Runtime


@contextmanager
def started_worker(like: Runtime | None = None) -> Iterator[Runtime]:
    """Have a worker that has built nothing yet, and close it at the end.

    ``like``: what was given or overridden there is given here as well, and closed by its maker.
    """
    fresh = Runtime() if like is None else like.restarted()
    try:
        with runtime.process(fresh):
            yield fresh
    finally:
        fresh.close()


@contextmanager
def restarted_worker() -> Iterator[Runtime]:
    """Have the worker start anew: it knows nothing of before, and reads its settings again.

    What the test replaced stays replaced. For settings that change, or memory that is to be lost,
    after a part was built. Tasks of before still run and see the new worker.
    """
    with started_worker(runtime.current()) as fresh:
        yield fresh


class FixedClock:
    """Stands still at this aware moment until the test moves it: ``CLOCK.to(FixedClock(moment))``.

    The spans of asyncio and of ``time.monotonic`` pass all the same.
    """

    def __init__(self, moment: datetime) -> None:
        self._moment = moment.astimezone(UTC)

    def now(self) -> datetime:
        return self._moment

    def advance(self, seconds: float) -> None:
        self._moment += timedelta(seconds=seconds)
