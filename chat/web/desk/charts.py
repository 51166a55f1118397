"""Small charts as numbers for ``admin/desk/_chart.html`` to draw. Pure; whole pixels only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

WIDTH = 280
HEIGHT = 64
GAP = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day. ``height`` 0 and an empty ``text``: nothing is known of it."""

    x: int
    y: int
    width: int
    height: int
    day: date
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """``most``: the highest value as it is read; "" when there is none but zeros."""

    name: str
    title: str
    bars: tuple[Bar, ...]
    most: str
    width: int = WIDTH
    height: int = HEIGHT


def chart(
    name: str,
    title: str,
    values: Sequence[tuple[date, float | None]],
    text_of: Callable[[float], str],
) -> Chart:
    """Draw one bar a day, the highest as high as the chart; what is not zero is seen."""
    highest = max((value for _, value in values if value is not None), default=0)
    step = WIDTH // max(1, len(values))
    bars = []
    for at, (day, value) in enumerate(values):
        height = 0
        if value and highest > 0:
            height = max(2, round(HEIGHT * value / highest))
        bars.append(
            Bar(
                x=at * step,
                y=HEIGHT - height,
                width=step - GAP,
                height=height,
                day=day,
                text="" if value is None else text_of(value),
            )
        )
    most = text_of(highest) if highest > 0 else ""
    return Chart(name=name, title=title, bars=tuple(bars), most=most)
