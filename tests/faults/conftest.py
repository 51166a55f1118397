from __future__ import annotations

import shutil
from collections.abc import Container
from pathlib import Path

import pytest

from tests.faults.cluster import migrated_database
from tests.faults.records import RunRecord, figures, stalls_of


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
def _redis_installed(request: pytest.FixtureRequest) -> None:
    if "database" in request.fixturenames and shutil.which("redis-server") is None:
        request.getfixturevalue("redis_server")  # which skips, or fails in CI


def chosen(request: pytest.FixtureRequest, names: Container[str]) -> list[str]:
    """Return which of these parameters the tests of this run have, in their order."""
    found = (getattr(item, "callspec", None) for item in request.session.items)
    named = [spec.params.get("name") for spec in found if spec is not None]
    return [name for name in named if isinstance(name, str) and name in names]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    report = config.stash[_REPORT]
    if report.runs:
        terminalreporter.section("faults")
        terminalreporter.line(figures(report.runs))
        terminalreporter.section("largest stall of a worker's event loop")
        for run in report.runs:
            terminalreporter.line(f"{run.scenario} | {stalls_of(run)}")
    if report.mutants:
        terminalreporter.section("planted bugs: mutant | fault | invariant that caught it")
        for row in report.mutants:
            terminalreporter.line(" | ".join(row))
