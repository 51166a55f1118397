from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.worker_process import WorkerProcess

StartWorker = Callable[..., WorkerProcess]


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """One worker for the tests of a module that leave it as it was."""
    process = WorkerProcess(tmp_path_factory.mktemp("worker") / "log.txt")
    yield process
    process.end()


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Start a worker with other numbers than those of production; it ends with the test."""
    processes: list[WorkerProcess] = []

    def start(**options: Any) -> WorkerProcess:
        processes.append(WorkerProcess(tmp_path / f"log{len(processes)}.txt", **options))
        return processes[-1]

    yield start
    for process in processes:
        process.end()
