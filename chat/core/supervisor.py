"""Background tasks of one worker, and its graceful stop.

A supervised task that fails is logged, counted and restarted with exponential backoff; a task that
keeps failing is listed by ``failing``, which ``/readyz`` shows. One task never stops another.
``Drain`` refuses new work and waits for running work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from chat.core import metrics
from chat.core.errors import StoreUnavailable
from chat.core.runtime import Part

logger = logging.getLogger(__name__)

#: Pause before a failed task runs again: doubled after each failure in a row, up to the longest.
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
#: Consecutive failures after which a task counts as failing.
KEEPS_FAILING = 3
#: Run time after which the earlier failures of a service are reset.
RECOVERED_S = 60.0
#: Timeout of one run of a periodic task; a cancelled run counts as a failure.
LONGEST_RUN_S = 120.0


@dataclass(frozen=True, slots=True)
class Periodic:
    """Periodic task; ``interval_s`` is from the end of one run to the start of the next.

    ``while_draining``: whether it also runs while the worker is stopping. ``StoreUnavailable`` is
    not a failure: the run is skipped, since Redis may be unavailable for long.
    """

    name: str
    interval_s: float
    run: Callable[[], Awaitable[object]]
    while_draining: bool = True


@dataclass(frozen=True, slots=True)
class Service:
    """Permanent task: ``run`` ends only when cancelled, and is restarted if it returns or fails."""

    name: str
    run: Callable[[], Awaitable[object]]


class Supervisor:
    """Runs the tasks on one event loop at a time; a second loop starts them again.

    ``on_start``: called on the event loop before the first task runs.
    """

    def __init__(
        self,
        tasks: Sequence[Periodic | Service],
        *,
        on_start: Callable[[], None] | None = None,
        first_pause_s: float = FIRST_PAUSE_S,
        longest_run_s: float = LONGEST_RUN_S,
    ) -> None:
        self._tasks = tasks
        self._on_start = on_start
        self._first_pause_s = first_pause_s
        self._longest_run_s = longest_run_s
        self._failures: dict[str, _Failures] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: asyncio.Task[None] | None = None

    def ensure_started(self) -> bool:
        """Start the tasks on the running event loop unless they run there.

        Return whether this call started them.
        """
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return False
        self._loop = loop
        self._failures.clear()
        if self._on_start is not None:
            self._on_start()
        self._running = loop.create_task(self._run_all(), name="background")
        return True

    def is_started(self) -> bool:
        """Whether the tasks were started on the running event loop."""
        return self._loop is asyncio.get_running_loop()

    async def run(self) -> None:
        """Run the tasks until this coroutine is cancelled."""
        if self.ensure_started() and self._running is not None:
            await self._running

    async def stop(self) -> None:
        """Cancel the tasks and wait until they have ended."""
        running, self._running, self._loop = self._running, None, None
        if running is not None:
            running.cancel()
            await asyncio.wait({running})

    def failing(self) -> list[str]:
        """Return the names of the tasks that keep failing, in alphabetical order."""
        if self._loop is None:
            return []
        now = self._loop.time()
        return sorted(
            name
            for name, failures in self._failures.items()
            if failures.in_a_row >= KEEPS_FAILING
            and now - failures.last_at < self._pause_s(name) + RECOVERED_S
        )

    async def _run_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for task in self._tasks:
                if isinstance(task, Periodic):
                    group.create_task(self._repeat(task), name=task.name)
                else:
                    group.create_task(self._keep_alive(task), name=task.name)

    async def _repeat(self, task: Periodic) -> None:
        is_store_away = False
        while True:
            await asyncio.sleep(max(task.interval_s, self._pause_s(task.name)))
            if DRAIN.get().is_begun and not task.while_draining:
                continue
            try:
                async with asyncio.timeout(self._longest_run_s):
                    await task.run()
            except StoreUnavailable:
                if not is_store_away:
                    logger.warning("%s waits: the session store did not answer", task.name)
                is_store_away = True
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - see the module
                _raise_if_cancelled(error)
                self._note_failure(task.name, error)
            else:
                is_store_away = False
                self._failures.pop(task.name, None)

    async def _keep_alive(self, service: Service) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            began_at = clock()
            try:
                await service.run()
                ended: BaseException = RuntimeError("the service ended by itself")
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - see the module
                _raise_if_cancelled(error)
                ended = error
            if clock() - began_at >= RECOVERED_S:
                self._failures.pop(service.name, None)
            self._note_failure(service.name, ended)
            await asyncio.sleep(self._pause_s(service.name))

    def _note_failure(self, name: str, error: BaseException) -> None:
        failures = self._failures.setdefault(name, _Failures())
        failures.in_a_row += 1
        failures.last_at = asyncio.get_running_loop().time()
        metrics.background_failures.labels(task=name).inc()
        logger.error(
            "background task %s failed (%d in a row), it runs again in %.1f s",
            *(name, failures.in_a_row, self._pause_s(name)),
            exc_info=error,
        )

    def _pause_s(self, name: str) -> float:
        """Return the backoff of a task after its consecutive failures; 0.0 without any."""
        failures = self._failures.get(name)
        if failures is None:
            return 0.0
        doublings = min(failures.in_a_row - 1, 10)
        return min(LONGEST_PAUSE_S, self._first_pause_s * 2.0**doublings)


@dataclass(slots=True)
class _Failures:
    """Consecutive failures of a task. ``last_at``: event loop time of the last one."""

    in_a_row: int = 0
    last_at: float = 0.0


class TaskSet:
    """One-off tasks of one event loop, referenced until they end so that none is collected."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Start a task. ``work`` must handle its own errors."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until all tasks that were started so far have ended.

        Raises:
            Exception: the exception of one of them.
        """
        await asyncio.gather(*self._tasks)


def _raise_if_cancelled(error: BaseException) -> None:
    """Re-raise ``error`` if this task was cancelled; a ``CancelledError`` of its own is a bug."""
    current = asyncio.current_task()
    if isinstance(error, asyncio.CancelledError) and current is not None and current.cancelling():
        raise error


class Drain:
    """Drain state of one worker and the number of its running jobs.

    ``is_begun``: whether the worker is stopping and takes no new work.
    """

    def __init__(self, *, is_begun: bool = False) -> None:
        self.is_begun = is_begun
        self._busy = 0
        self._idle: asyncio.Event | None = None

    def begin(self) -> None:
        """Refuse new work from now on. Cannot be undone."""
        self.is_begun = True

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count as running work while inside."""
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
            if not self._busy and self._idle is not None:
                self._idle.set()

    async def wait_idle(self, timeout_s: float) -> bool:
        """Wait until no work runs, for ``timeout_s`` at most. Return False on timeout."""
        if self._busy:
            self._idle = asyncio.Event()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._idle.wait()
            except TimeoutError:
                return False
        return True


#: The drain state of this worker.
DRAIN: Part[Drain] = Part("drain", Drain)
