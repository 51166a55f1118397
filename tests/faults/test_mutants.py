"""Each planted bug is caught: a suite that misses them would prove nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.catalogue import BY_NAME
from tests.faults.conftest import Report, chosen
from tests.faults.invariants import Violation
from tests.faults.mutants import MUTANTS
from tests.faults.runs import Runs

#: A bug that needs an unlucky moment may take more than one try.
SEEDS = (1, 2, 3)

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def runs(request: pytest.FixtureRequest, database) -> AsyncIterator[Runs]:
    runs = Runs(database)
    for name in chosen(request, MUTANTS):
        scenario = BY_NAME[MUTANTS[name].scenario]
        runs.begin(name, scenario, SEEDS, MUTANTS[name].is_caught_by, patches=(name,))
    yield runs
    await runs.close()


@pytest.mark.parametrize("name", MUTANTS)
async def test_planted_bug_is_caught(name: str, runs: Runs, report: Report):
    mutant = MUTANTS[name]
    found: list[Violation] = (await runs.result(name)).found
    caught_by = sorted({v.invariant for v in found} & mutant.invariants)
    assert caught_by, f"expected one of {sorted(mutant.invariants)}, found {found}"
    report.mutants.append((name, mutant.scenario, ", ".join(caught_by)))
