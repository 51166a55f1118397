"""Whatever goes wrong, nothing is lost, doubled, reordered or left without an end."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.catalogue import BY_NAME
from tests.faults.conftest import Report, chosen
from tests.faults.runs import Runs

SEED = 1

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def runs(request: pytest.FixtureRequest, database) -> AsyncIterator[Runs]:
    runs = Runs(database)
    for name in chosen(request, BY_NAME):
        runs.begin(name, BY_NAME[name], [SEED], enough=bool)
    yield runs
    await runs.close()


@pytest.mark.parametrize("name", BY_NAME)
async def test_promises_hold(name: str, runs: Runs, report: Report):
    result = await runs.result(name)
    report.runs.append(result.record)
    assert not result.found, "\n".join([*map(str, result.found), result.logs])
    assert result.record.messages > 0
    assert result.record.struck == [strike.what.value for strike in BY_NAME[name].strikes]
