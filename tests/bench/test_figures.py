from __future__ import annotations

import pytest

from chat.bench.figures import noise, percentile, ratio, shares


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7.0], 0.95, 7.0),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([3.0, 1.0, 2.0], 1.0, 3.0),
        ([1.0, 2.0], 0.5, 1.5),
        ([float(n) for n in range(101)], 0.95, 95.0),
    ],
)
def test_percentile_lies_between_the_neighbours(values, share, expected):
    assert percentile(values, share) == pytest.approx(expected)


def test_percentile_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], None), ([5.0], None), ([4.0, 5.0, 6.0], 0.4), ([5.0, 5.0], 0.0), ([0.0, 0.0], 0.0)],
)
def test_noise_is_the_spread_over_the_median(values, expected):
    assert noise(values) == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("value", "to", "expected"),
    [(3.0, 2.0, 1.5), (3.0, None, None), (None, 2.0, None), (3.0, 0.0, None)],
)
def test_ratio_needs_both_sides(value, to, expected):
    assert ratio(value, to) == expected


@pytest.mark.parametrize(
    ("total", "parts", "expected"), [(10, 1, [10]), (10, 3, [4, 3, 3]), (1, 2, [1])]
)
def test_shares_differ_by_one_at_most(total, parts, expected):
    assert shares(total, parts) == expected
