from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest

from chat.core.reporting.charts import (
    BAR_END,
    BAR_X,
    HEIGHT,
    TOP,
    WIDTH,
    bars,
    ceiling,
    history,
    thinned,
)
from tests.ops.reports.samples import NOON


def drawn(svg: str, name: str) -> list[ET.Element]:
    """Elements of this class; fails when it is not well-formed."""
    return [one for one in ET.fromstring(svg).iter() if one.get("class") == name]  # noqa: S314


def test_bars_are_as_long_as_their_values():
    chart = bars([("a", 0, "0"), ("b", 50, "50"), ("c", 100, "100"), ("d", 1, "1")], "Titre")
    widths = [int(one.get("width", "")) for one in drawn(chart, "chart__bar")]
    assert widths == [0, (BAR_END - BAR_X) // 2, BAR_END - BAR_X, 2]


def test_bars_of_nothing_can_be_drawn():
    assert drawn(bars([("a", 0, "0")], "Titre"), "chart__bar")[0].get("width") == "0"
    assert drawn(bars([], "Titre"), "chart__bar") == []


def test_chart_tells_those_who_do_not_see_it():
    chart = bars([("moins de 2 ko", 3, "3")], "Taille")
    assert ET.fromstring(chart).get("aria-label") == "Taille. moins de 2 ko : 3"  # noqa: S314


def test_labels_are_escaped_and_nothing_has_a_style():
    chart = bars([("<script>", 1, "&")], '"')
    assert "<script>" not in chart
    assert "style" not in chart
    assert drawn(chart, "chart__label")[0].text == "<script>"


def test_line_goes_from_edge_to_edge_below_its_ceiling():
    points = [(NOON + timedelta(days=n), value) for n, value in enumerate([0, 10, 5])]
    [line] = drawn(history(points, "Titre"), "chart__line")
    places = [tuple(map(float, pair.split(","))) for pair in line.get("points", "").split()]
    assert [x for x, _ in places] == [8, WIDTH / 2, WIDTH - 8]
    assert places[1][1] == TOP
    assert places[0][1] == HEIGHT - 24


def test_one_point_makes_no_line():
    assert "<svg" not in history([(NOON, 3)], "Titre")
    assert "deux rapports" in history([], "Titre")


def test_points_at_one_moment_can_be_drawn():
    assert drawn(history([(NOON, 0), (NOON, 0)], "Titre"), "chart__line")


@pytest.mark.parametrize(
    "value, above", [(0, 1), (1, 1), (3, 5), (5, 5), (11, 20), (99, 100), (1234, 2000)]
)
def test_ceiling_is_round(value: int, above: int):
    assert ceiling(value) == above


def test_long_history_keeps_its_ends_and_its_peak():
    points = [(NOON + timedelta(days=n), n % 7) for n in range(400)]
    points[211] = (points[211][0], 99)
    kept = thinned(points, 50)
    assert len(kept) == 50
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert points[211] in kept
    assert kept == sorted(kept)


def test_short_history_is_left_alone():
    points = [(NOON, 1), (NOON, 2)]
    assert thinned(points, 2) == points
