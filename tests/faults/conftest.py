from __future__ import annotations

import shutil
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.cluster import migrated_database
from tests.faults.records import RunRecord


class Report:
    """What the suite did, for the summary of the run."""

    def __init__(self) -> None:
        self.runs: list[RunRecord] = []
        self.mutants: list[tuple[str, str, str]] = []


_REPORT = pytest.StashKey[Report]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_REPORT] = Report()


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    return request.config.stash[_REPORT]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once; workers of all clusters share it."""
    return migrated_database(tmp_path_factory.mktemp("faults"))


@pytest.fixture(autouse=True)
def _redis_installed(request: pytest.FixtureRequest) -> Iterator[None]:
    if "database" in request.fixturenames and shutil.which("redis-server") is None:
        request.getfixturevalue("redis_server")  # which skips, or fails in CI
    yield


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    report = config.stash[_REPORT]
    if report.runs:
        terminalreporter.section("faults")
        terminalreporter.line(figures(report.runs))
    if report.mutants:
        terminalreporter.section("planted bugs: mutant | fault | invariant that caught it")
        for row in report.mutants:
            terminalreporter.line(" | ".join(row))


def figures(runs: list[RunRecord]) -> str:
    """``"812 messages, 31 faults, 0 lost, 0 doubled; recovery 0.21 s (median), 6.4 s (worst)"``"""
    messages = sum(run.messages for run in runs)
    faults = sum(len(run.struck) for run in runs)
    lost, doubled = (sum(getattr(run, name) for run in runs) for name in ("lost", "doubled"))
    text = f"{messages} messages, {faults} faults, {lost} lost, {doubled} doubled"
    recoveries = [since for run in runs for since in run.recoveries_s]
    if recoveries:
        median = statistics.median(recoveries)
        text += f"; recovery {median:.2f} s (median), {max(recoveries):.1f} s (worst)"
    return text
