"""Background tasks are restarted, counted and named; one never stops another."""

from __future__ import annotations

import asyncio
import logging

import pytest
from prometheus_client import REGISTRY

from chat.core.errors import StoreUnavailable
from chat.core.supervisor import DRAIN, Periodic, Service, Supervisor


class Task:
    """Fails as long as ``error`` is set; ``until`` waits for a number of runs."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.runs = 0
        self._more = asyncio.Condition()

    async def __call__(self) -> None:
        async with self._more:
            self.runs += 1
            self._more.notify_all()
        if self.error is not None:
            raise self.error

    async def until(self, runs: int) -> None:
        async with asyncio.timeout(10), self._more:
            await self._more.wait_for(lambda: self.runs >= runs)


def failures_counted(task: str) -> float:
    return REGISTRY.get_sample_value("chat_background_failures_total", {"task": task}) or 0.0


@pytest.mark.parametrize("error", [KeyError("group"), asyncio.CancelledError()])
async def test_a_periodic_task_that_fails_runs_again_and_stops_no_other(error, caplog):
    bad, good = Task(error), Task()
    supervisor = Supervisor(
        [Periodic("bad", 0.001, bad), Periodic("good", 0.001, good)], first_pause_s=0.001
    )
    before = failures_counted("bad")

    supervisor.ensure_started()
    await bad.until(4)
    runs = good.runs
    await good.until(runs + 2)

    assert supervisor.failing() == ["bad"]
    assert failures_counted("bad") - before >= 3
    assert "background task bad failed (1 in a row)" in caplog.text
    await supervisor.stop()


async def test_a_task_that_works_again_is_no_longer_named():
    task = Task(ValueError())
    supervisor = Supervisor([Periodic("task", 0.001, task)], first_pause_s=0.001)
    supervisor.ensure_started()
    await task.until(4)
    assert supervisor.failing() == ["task"]

    task.error = None
    await task.until(task.runs + 2)

    assert supervisor.failing() == []
    await supervisor.stop()


async def test_an_absent_store_is_no_failure_and_is_said_once(caplog):
    task = Task(StoreUnavailable())
    supervisor = Supervisor([Periodic("task", 0.001, task)], first_pause_s=0.001)

    supervisor.ensure_started()
    await task.until(5)

    assert supervisor.failing() == []
    assert caplog.text.count("the session store did not answer") == 1
    await supervisor.stop()


async def test_a_run_that_hangs_is_cancelled_and_counts_as_a_failure():
    runs = Task()

    async def hang() -> None:
        await runs()
        await asyncio.Event().wait()

    supervisor = Supervisor(
        [Periodic("hangs", 0.001, hang)], first_pause_s=0.001, longest_run_s=0.01
    )
    supervisor.ensure_started()
    await runs.until(4)

    assert supervisor.failing() == ["hangs"]
    await supervisor.stop()


@pytest.mark.parametrize("error", [None, OSError(), asyncio.CancelledError()])
async def test_a_service_that_ends_or_fails_is_started_again(error):
    service = Task(error)
    supervisor = Supervisor([Service("service", service)], first_pause_s=0.001)

    supervisor.ensure_started()
    await service.until(4)

    assert supervisor.failing() == ["service"]
    await supervisor.stop()


async def test_stopping_lets_services_finish():
    ended: list[str] = []
    began = asyncio.Event()

    async def service() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("written down")

    supervisor = Supervisor([Service("service", service)])
    supervisor.ensure_started()
    await began.wait()

    await supervisor.stop()

    assert ended == ["written down"]
    assert supervisor.failing() == []


async def test_tasks_are_started_once_on_a_loop_and_anew_on_another():
    task = Task()
    started: list[int] = []
    supervisor = Supervisor([Periodic("task", 0.001, task)], on_start=lambda: started.append(1))
    old = asyncio.new_event_loop()

    async def start():
        return supervisor.ensure_started()

    assert await asyncio.to_thread(lambda: old.run_until_complete(start()))
    assert supervisor.ensure_started()
    assert not supervisor.ensure_started()
    await task.until(2)

    assert len(started) == 2
    await supervisor.stop()
    for left in asyncio.all_tasks(old):
        left.cancel()
    await asyncio.to_thread(old.run_until_complete, asyncio.sleep(0))
    old.close()


async def test_a_stopping_worker_takes_no_new_work():
    new_work, other = Task(), Task()
    DRAIN.get().begin()
    supervisor = Supervisor(
        [
            Periodic("new_work", 0.001, new_work, while_draining=False),
            Periodic("other", 0.001, other),
        ]
    )

    supervisor.ensure_started()
    await other.until(5)

    assert new_work.runs == 0
    await supervisor.stop()


async def test_a_failure_leaves_its_traceback_in_the_log(caplog):
    task = Task(KeyError("group"))
    supervisor = Supervisor([Periodic("task", 0.001, task)], first_pause_s=0.001)
    with caplog.at_level(logging.ERROR):
        supervisor.ensure_started()
        await task.until(2)

    assert caplog.records[0].exc_info is not None
    await supervisor.stop()
