"""Charts as SVG, drawn here: no script, no font, no third party. Pure.

Colours are the page's: shapes carry classes and ``currentColor``, and no ``style``, which the
site's CSP forbids. Widths suit a telephone; a page shows several side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chat.reports.phrases import moment, number

WIDTH = 360
#: Of a row of bars; and where the bars begin and may end.
ROW = 26
BAR_X, BAR_END = 132, 312
#: Of a chart over time, with what surrounds its lines.
HEIGHT, TOP, BOTTOM, LEFT, RIGHT = 150, 14, 24, 8, 8
#: Points of a line, at most: more cannot be told apart.
MAX_POINTS = 120


def bars(rows: Sequence[tuple[str, int, str]], title: str) -> SafeString:
    """Horizontal bars: label, value, and the value as it is shown."""
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
                *(WIDTH, n * ROW + 17, shown),
            )
            for n, (label, value, shown) in enumerate(rows)
        ),
    )
    told = ", ".join(f"{label} : {shown}" for label, _, shown in rows)
    return _svg(f"{title}. {told}", max(1, len(rows)) * ROW, drawn)


def _bar_width(value: int, longest: int) -> int:
    """Whole units; whatever is not nothing can be seen."""
    width = round((BAR_END - BAR_X) * value / longest)
    return max(width, 2) if value else 0


def history(points: Sequence[tuple[datetime, int]], title: str) -> SafeString:
    """A line over time, oldest point first, from zero to a round number above the highest."""
    if len(points) < 2:
        return format_html(
            '<p class="chart__none">{}</p>', "Il faut deux rapports pour tracer une évolution."
        )
    shown = thinned(points)
    top = ceiling(max(value for _, value in shown))
    begin, end = shown[0][0], shown[-1][0]
    span_s = (end - begin).total_seconds() or 1
    places = [
        (
            round(LEFT + (WIDTH - LEFT - RIGHT) * (when - begin).total_seconds() / span_s, 1),
            round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top, 1),
        )
        for when, value in shown
    ]
    told = f"{title}. Du {moment(begin)} au {moment(end)} : de {number(shown[0][1])}"
    return _svg(
        f"{told} à {number(shown[-1][1])}, au plus {number(max(v for _, v in shown))}.",
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
    """Return the next of 1, 2, 5, 10, 20, 50… that is not below the value."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if factor * step >= value:
                return factor * step
        step *= 10


def thinned(
    points: Sequence[tuple[datetime, int]], at_most: int = MAX_POINTS
) -> list[tuple[datetime, int]]:
    """Return at most so many points, the first, the last and the highest of each stretch."""
    if len(points) <= at_most:
        return list(points)
    inner = points[1:-1]
    cuts = [round(n * len(inner) / (at_most - 2)) for n in range(at_most - 1)]
    peaks = [max(inner[a:b], key=lambda point: point[1]) for a, b in pairwise(cuts)]
    return [points[0], *peaks, points[-1]]
