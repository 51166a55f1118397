"""Bar and line charts as inline SVG, without script, font or third-party code. Pure.

Colours come from the page: shapes have classes and ``currentColor``, and no ``style`` attribute,
which the site's CSP forbids. The width fits a telephone; a page shows several side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chat.core.reporting.french import moment, number

WIDTH = 360
#: Height of one bar's row; x coordinates of the start and of the longest end of the bars.
ROW = 26
BAR_X, BAR_END = 132, 312
#: Height and margins of a line chart.
HEIGHT, TOP, BOTTOM, LEFT, RIGHT = 150, 14, 24, 8, 8
#: Maximum number of points of a line; more are not distinguishable.
MAX_POINTS = 120


def bars(rows: Sequence[tuple[str, int, str]], title: str) -> SafeString:
    """Draw horizontal bars. ``rows``: label, value, formatted value."""
    longest = max((value for _, value, _ in rows), default=0) or 1
    drawn = format_html_join(
        "",
        '<text class="chart__label" x="0" y="{}">{}</text>'
        '<rect class="chart__track" x="{}" y="{}" width="{}" height="12" rx="3"'
        ' fill="currentColor" fill-opacity="0.08"/>'
        '<rect class="chart__bar" x="{}" y="{}" width="{}" height="12" rx="3" fill="currentColor"/>'
        '<text class="chart__value" x="{}" y="{}" text-anchor="end">{}</text>',
        (
            (
                *(n * ROW + 17, label),
                *(BAR_X, n * ROW + 7, BAR_END - BAR_X),
                *(BAR_X, n * ROW + 7, _bar_width(value, longest)),
                *(WIDTH, n * ROW + 17, formatted),
            )
            for n, (label, value, formatted) in enumerate(rows)
        ),
    )
    description = ", ".join(f"{label} : {formatted}" for label, _, formatted in rows)
    return _svg(f"{title}. {description}", max(1, len(rows)) * ROW, drawn)


def _bar_width(value: int, longest: int) -> int:
    """Return the width in whole units, at least 2 for a value above zero."""
    width = round((BAR_END - BAR_X) * value / longest)
    return max(width, 2) if value else 0


def history(points: Sequence[tuple[datetime, int]], title: str) -> SafeString:
    """Draw a line over time. ``points``: oldest first; the axis ends at a round number."""
    if len(points) < 2:
        return format_html(
            '<p class="chart__none">{}</p>', "Il faut deux rapports pour tracer une évolution."
        )
    drawn = thinned(points)
    top = ceiling(max(value for _, value in drawn))
    begin, end = drawn[0][0], drawn[-1][0]
    span_s = (end - begin).total_seconds() or 1
    places = [
        (
            round(LEFT + (WIDTH - LEFT - RIGHT) * (when - begin).total_seconds() / span_s, 1),
            round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top, 1),
        )
        for when, value in drawn
    ]
    description = f"{title}. Du {moment(begin)} au {moment(end)} : de {number(drawn[0][1])}"
    return _svg(
        f"{description} à {number(drawn[-1][1])}, au plus {number(max(v for _, v in drawn))}.",
        HEIGHT,
        _axes(top, begin, end) + _line(places),
    )


def _axes(top: int, begin: datetime, end: datetime) -> SafeString:
    floor = HEIGHT - BOTTOM
    grid = format_html_join(
        "",
        '<line class="chart__grid" x1="{}" x2="{}" y1="{}" y2="{}" stroke="currentColor"'
        ' stroke-opacity="0.18"/>',
        ((LEFT, WIDTH - RIGHT, y, y) for y in (TOP, (TOP + floor) // 2, floor)),
    )
    words = (
        (LEFT, TOP - 4, "start", number(top)),
        (LEFT, HEIGHT - 6, "start", _day(begin)),
        (WIDTH - RIGHT, HEIGHT - 6, "end", _day(end)),
    )
    return grid + format_html_join(
        "", '<text class="chart__label" x="{}" y="{}" text-anchor="{}">{}</text>', words
    )


def _line(places: Sequence[tuple[float, float]]) -> SafeString:
    path = " ".join(f"{x},{y}" for x, y in places)
    floor = HEIGHT - BOTTOM
    x, y = places[-1]
    return format_html(
        '<polygon class="chart__area" points="{},{} {} {},{}" fill="currentColor"'
        ' fill-opacity="0.12"/>'
        '<polyline class="chart__line" points="{}" fill="none" stroke="currentColor"'
        ' stroke-width="2" stroke-linejoin="round"/>'
        '<circle class="chart__dot" cx="{}" cy="{}" r="3.5" fill="currentColor"/>',
        *(places[0][0], floor, path, x, floor),
        *(path, x, y),
    )


def _svg(label: str, height: int, drawn: SafeString) -> SafeString:
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}" font-size="12"'
        ' fill="currentColor">{}</svg>',
        *(WIDTH, height, label, drawn),
    )


def _day(when: datetime) -> str:
    return f"{timezone.localtime(when):%d/%m/%Y}"


def ceiling(value: int) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50… that is not below the value."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if factor * step >= value:
                return factor * step
        step *= 10


def thinned(
    points: Sequence[tuple[datetime, int]], at_most: int = MAX_POINTS
) -> list[tuple[datetime, int]]:
    """Reduce to ``at_most`` points: the first, the last and the highest of each interval."""
    if len(points) <= at_most:
        return list(points)
    inner = points[1:-1]
    cuts = [round(n * len(inner) / (at_most - 2)) for n in range(at_most - 1)]
    peaks = [max(inner[a:b], key=lambda point: point[1]) for a, b in pairwise(cuts)]
    return [points[0], *peaks, points[-1]]
