"""``docs/faults.md`` names every invariant, scenario and planted bug of the suite."""

from __future__ import annotations

import pytest

from meuble_project.env import ROOT
from tests.documents import read_page
from tests.faults.catalogue import BY_NAME
from tests.faults.invariants import OF_A_RUN, OF_A_VISITOR, OF_A_WORKER
from tests.faults.mutants import MUTANTS

PAGE = read_page(ROOT / "docs" / "faults.md")
INVARIANTS = {*OF_A_VISITOR, *OF_A_WORKER, *OF_A_RUN, "erased"}
FAULTS = PAGE.rows(
    "fault",
    "what is injected",
    "what the user sees",
    "invariants that detect a violation",
    "scenario",
)


def scenarios_in(cell: str) -> list[str]:
    """Read ``Redis killed; … and back at once``: "…" stands for the beginning of the first."""
    first, *others = cell.split("; ")
    return [first, *(_completed(first, other) for other in others)]


def _completed(first: str, name: str) -> str:
    if not name.startswith("… "):
        return name
    words, rest = first.split(), name.split()[1:]
    names = (" ".join([*words[:count], *rest]) for count in range(1, len(words) + 1))
    return next((complete for complete in names if complete in BY_NAME), name)


def test_every_invariant_is_promised():
    rows = PAGE.rows("invariant", "what the suite checks, in the recorded events of every client")

    assert sorted(name for name, _ in rows) == sorted(INVARIANTS)


@pytest.mark.parametrize("row", FAULTS, ids=[row[0] for row in FAULTS])
def test_fault_names_invariants_that_detect_a_violation(row):
    told = row[3].split(", ")

    assert row[3] == "as above" or set(told) <= INVARIANTS


def test_every_scenario_is_explained_once():
    named = [name for row in FAULTS for name in scenarios_in(row[4])]

    assert sorted(named) == sorted(BY_NAME)


def test_every_planted_bug_has_its_scenario_and_what_catches_it():
    rows = PAGE.rows("bug", "scenario", "detected by")
    caught_by = {bug: set(names.split(", ")) for bug, _scenario, names in rows}

    planted = {(f"`{name}`", mutant.scenario) for name, mutant in MUTANTS.items()}

    assert {row[:2] for row in rows} ^ planted == set()
    assert len(rows) == len(planted)
    for name, mutant in MUTANTS.items():
        assert caught_by[f"`{name}`"] <= mutant.invariants, name
