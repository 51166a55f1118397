from __future__ import annotations

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.stats.counters import BOUNDS_S, bucket_of, cost_eur, percentile_s


@pytest.mark.parametrize(
    "seconds, name",
    [
        (0.0, "first_text.0.05"),
        (0.05, "first_text.0.05"),
        (0.051, "first_text.0.1"),
        (0.5, "first_text.0.5"),
        (0.9, "first_text.1"),
        (7.6, "first_text.10"),
        (60.0, "first_text.60"),
        (60.1, "first_text.inf"),
        (1e9, "first_text.inf"),
    ],
)
def test_answer_falls_into_one_bucket(seconds, name):
    assert bucket_of(seconds) == name


@pytest.mark.parametrize(
    "values, quantile, seconds",
    [
        ({}, 0.5, None),
        ({"turns.done": 5}, 0.5, None),
        ({"first_text.0.05": 10}, 0.5, 0.025),
        ({"first_text.0.05": 1}, 0.95, 0.0475),
        ({"first_text.0.5": 100}, 0.5, 0.45),
        ({"first_text.0.5": 50, "first_text.1": 50}, 0.5, 0.5),
        ({"first_text.0.5": 50, "first_text.1": 50}, 0.95, 0.975),
        ({"first_text.0.1": 90, "first_text.3": 10}, 0.95, 2.5),
        ({"first_text.inf": 3}, 0.5, 60.0),
        ({"first_text.1": 1, "first_text.inf": 1}, 0.95, 60.0),
    ],
)
def test_percentile_is_read_back_between_the_bounds(values, quantile, seconds):
    assert percentile_s(values, quantile) == pytest.approx(seconds)


@given(
    st.lists(st.floats(0, 60), min_size=1, max_size=60),
    st.sampled_from([0.5, 0.95, 0.99, 1.0]),
)
def test_percentile_is_in_the_bucket_of_the_true_one(times, quantile):
    values: dict[str, int] = {}
    for seconds in times:
        values[bucket_of(seconds)] = values.get(bucket_of(seconds), 0) + 1
    true_s = sorted(times)[math.ceil(quantile * len(times)) - 1]
    upper = next(bound for bound in BOUNDS_S if true_s <= bound)
    lower = max((bound for bound in BOUNDS_S if bound < upper), default=0.0)

    read = percentile_s(values, quantile)

    assert read is not None
    assert lower - 1e-9 <= read <= upper + 1e-9


@pytest.mark.parametrize(
    "prompt, completion, prices, euros",
    [
        (0, 0, ("0", "0"), None),
        (1000, 1000, ("0", "2"), None),
        (1000, 1000, ("2", "0"), None),
        (0, 0, ("0.5", "2"), "0"),
        (1_000_000, 0, ("0.15", "0.60"), "0.15"),
        (0, 2_000_000, ("0.15", "0.60"), "1.20"),
        (1_234_567, 89_012, ("0.15", "0.60"), "0.23859225"),
    ],
)
def test_cost_of_tokens(prompt, completion, prices, euros):
    cost = cost_eur(prompt, completion, *map(Decimal, prices))

    assert cost == (None if euros is None else Decimal(euros))
