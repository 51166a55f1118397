from __future__ import annotations

import json

import pytest

from chat.bench.rows import verdict_words
from chat.bench.targets import Target, Verdict, judge
from tests.bench.builders import a_row, a_run

LEAST = Target(2.2, "at least", "ratio")
MOST = Target(15, "at most")


@pytest.mark.parametrize(
    ("target", "value", "ratio", "expected"),
    [
        (LEAST, 1.0, 2.2, Verdict.HOLDS),
        (LEAST, 100.0, 2.1, Verdict.FAILS),
        (LEAST, 100.0, None, Verdict.OPEN),
        (MOST, 15.0, 99.0, Verdict.HOLDS),
        (MOST, 15.1, 0.1, Verdict.FAILS),
        (MOST, None, None, Verdict.OPEN),
        (None, 1.0, 1.0, Verdict.OPEN),
    ],
)
def test_judge_looks_at_what_the_target_means(target, value, ratio, expected):
    assert judge(target, value, ratio) == expected


@pytest.mark.parametrize(
    ("target", "unit", "expected"),
    [(LEAST, "/s", "≥ 2.2 × floor"), (MOST, "ms", "≤ 15 ms"), (Target(0, "at most"), "", "≤ 0")],
)
def test_target_says_itself(target, unit, expected):
    assert target.words(unit) == expected


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
        a_row(target=Target(1, "at least")),
        a_row(name="first text", ours=(20.0,), target=MOST),
        a_row(name="no target"),
    )
    assert verdict_words(run) == "1 target holds, 1 missed: first text."


def test_run_that_is_not_whole_does_not_hold():
    run = a_run(a_row(target=Target(1, "at least")), broken={"count": "no worker"})
    assert verdict_words(run) == "1 target holds, none is missed. Not measured: count."
    assert run.to_json()["holds"] is False


def test_run_as_json_tells_every_round():
    run = a_run(a_row(ours=(1.0, 3.0), floor=(4.0,), before=(0.5,)))
    told = json.loads(json.dumps(run.to_json()))
    assert told["holds"] is True
    row = told["rows"][0]
    assert (row["ours"], row["floor"], row["before"]) == (2.0, 4.0, 0.5)
    assert row["rounds"] == {"ours": [1.0, 3.0], "floor": [4.0], "before": [0.5]}
