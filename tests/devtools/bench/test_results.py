from __future__ import annotations

import json

import pytest

from devtools.bench.results import Verdict, p95
from tests.devtools.bench.builders import a_row, a_run

LEAST = "≥ 2.2 × floor"
MOST = "≤ 15 ms"


@pytest.mark.parametrize(
    ("target", "ours", "floor", "expected"),
    [
        (LEAST, (2.2,), (1.0,), Verdict.HOLDS),
        (LEAST, (210.0,), (100.0,), Verdict.FAILS),
        (LEAST, (100.0,), (), Verdict.OPEN),
        (MOST, (15.0,), (99.0,), Verdict.HOLDS),
        (MOST, (15.1,), (99.0,), Verdict.FAILS),
        (MOST, (), (), Verdict.OPEN),
        ("≤ 0", (0.0,), (), Verdict.HOLDS),
        ("≤ 1.5 ×", (1.6,), (1.0,), Verdict.FAILS),
        ("", (1.0,), (1.0,), Verdict.OPEN),
    ],
)
def test_target_means_our_figure_or_its_ratio_to_the_floor(target, ours, floor, expected):
    assert a_row(ours=ours, floor=floor, target=target).verdict == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7.0], 7.0),
        ([1.0, 2.0], 1.95),
        ([3.0, 1.0, 2.0], 2.9),
        ([float(n) for n in range(101)], 95.0),
    ],
)
def test_p95_lies_between_the_neighbours(values, expected):
    assert p95(values) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), None),
        ((5.0,), None),
        ((4.0, 5.0, 6.0), 0.4),
        ((5.0, 5.0), 0.0),
        ((-1.0, 0.0, 1.0), 0.0),
    ],
)
def test_noise_is_the_spread_over_the_median(values, expected):
    assert a_row(ours=values).noise == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("ours", "floor", "expected"),
    [((3.0,), (2.0,), 1.5), ((3.0,), (), None), ((), (2.0,), None), ((3.0,), (0.0,), None)],
)
def test_ratio_needs_both_sides(ours, floor, expected):
    assert a_row(ours=ours, floor=floor).ratio == expected


def test_row_takes_the_median_of_its_rounds():
    row = a_row(ours=(260.0, 220.0, 300.0), floor=(100.0, 130.0, 90.0), target=LEAST)
    assert (row.value, row.floor_value, row.ratio) == (260.0, 100.0, 2.6)
    assert row.noise == pytest.approx(0.4)
    assert row.verdict == Verdict.HOLDS


def test_row_without_figures_is_not_judged():
    row = a_row(ours=(), target=MOST)
    assert (row.value, row.ratio, row.verdict) == (None, None, Verdict.OPEN)


def test_row_that_this_run_cannot_tell_is_not_judged():
    row = a_row(ours=(99.0,), target=MOST, unjudged="two cores")
    assert row.verdict == Verdict.OPEN


def test_run_says_which_targets_are_missed():
    run = a_run(
        a_row(target="≥ 1 /s"),
        a_row(name="first text", ours=(20.0,), target=MOST),
        a_row(name="no target"),
    )
    assert run.verdict == "1 target holds, 1 missed: first text."


def test_run_that_is_not_whole_does_not_hold():
    run = a_run(a_row(target="≥ 1 /s"), broken={"count": "no worker"})
    assert run.verdict == "1 target holds, none is missed. Not measured: count."
    assert run.to_json()["holds"] is False


def test_run_as_json_tells_every_round():
    run = a_run(a_row(ours=(1.0, 3.0), floor=(4.0,), before=(0.5,)))
    told = json.loads(json.dumps(run.to_json()))
    assert told["holds"] is True
    row = told["rows"][0]
    assert (row["ours"], row["floor"], row["before"]) == (2.0, 4.0, 0.5)
    assert row["rounds"] == {"ours": [1.0, 3.0], "floor": [4.0], "before": [0.5]}
