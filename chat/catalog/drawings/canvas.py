"""A sheet on which things are drawn in centimetres and come out as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from chat.catalog.drawings.palette import INK, shaded

WIDTH, HEIGHT, FLOOR = 400, 300, 252
_LARGEST_WIDTH, _LARGEST_HEIGHT = 310, 208

_THIN = ' stroke-width="1.2"'

Point = tuple[float, float]


class Canvas:
    """Centimetres from the middle of the floor, up and to the right."""

    def __init__(self, width: float, height: float) -> None:
        self.scale = min(_LARGEST_WIDTH / width, _LARGEST_HEIGHT / height)
        self._parts: list[str] = []

    def box(
        self, x: float, y: float, w: float, h: float, fill: str, *, r: float = 0, thin: bool = False
    ) -> None:
        """A rectangle from its lower left corner; ``r``: how round its corners are."""
        radius = f' rx="{_n(min(r, w / 2, h / 2) * self.scale)}"' if r else ""
        left, top = self._at((x, y + h))
        size = f'width="{_n(w * self.scale)}" height="{_n(h * self.scale)}"'
        self._add(f'<rect x="{left}" y="{top}" {size}{radius}', fill, thin=thin)

    def shape(self, points: Sequence[Point], fill: str, *, thin: bool = False) -> None:
        self._add(f'<path d="M{self._points(points)}z"', fill, thin=thin)

    def line(self, *points: Point, ink: str = "", width: float = 0) -> None:
        """A line through these points; ``width`` in cm, hair-thin without."""
        stroke = f' stroke="{ink}"' if ink else ""
        thick = f' stroke-width="{_n(width * self.scale)}"' if width else ' stroke-width="1.2"'
        self._parts.append(f'<path d="M{self._points(points)}" fill="none"{stroke}{thick}/>')

    def curve(
        self, start: Point, *bends: tuple[Point, Point, Point], fill: str = "", thin: bool = False
    ) -> None:
        """A path of cubic curves, each given by two handles and its end."""
        steps = "".join(f"C{self._points(bend)}" for bend in bends)
        ending = "z" if fill else ""
        self._add(f'<path d="M{self._points([start])}{steps}{ending}"', fill, thin=thin)

    def oval(
        self, x: float, y: float, rx: float, ry: float, fill: str, *, thin: bool = False
    ) -> None:
        left, top = self._at((x, y))
        size = f'rx="{_n(rx * self.scale)}" ry="{_n(ry * self.scale)}"'
        self._add(f'<ellipse cx="{left}" cy="{top}" {size}', fill, thin=thin)

    def hatch(self, segments: Sequence[tuple[Point, Point]]) -> None:
        """Hair-thin strokes, in one path."""
        steps = "".join(f"M{self._points(segment)}" for segment in segments)
        self._parts.append(f'<path d="{steps}" stroke-width="1.2"/>')

    def dots(self, points: Sequence[Point], ink: str, size: float) -> None:
        steps = "".join(f"M{','.join(self._at(point))}h0" for point in points)
        self._parts.append(
            f'<path d="{steps}" stroke="{ink}" stroke-width="{_n(size * self.scale)}"/>'
        )

    def shadow(self, half_width: float) -> None:
        rx = _n(half_width * self.scale + 12)
        self._parts.insert(
            0,
            f'<ellipse cx="200" cy="{FLOOR}" rx="{rx}" ry="7" fill="{INK}" opacity=".13"'
            ' stroke="none"/>',
        )

    def svg(self, title: str) -> str:
        """Return the whole picture; its title is what a screen reader says."""
        name = title.replace("&", "&amp;").replace("<", "&lt;")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
            f' fill="none" stroke="{INK}" stroke-width="2.2" stroke-linejoin="round"'
            f' stroke-linecap="round"><title>{name}</title>{"".join(self._parts)}</svg>\n'
        )

    def _add(self, start: str, fill: str, *, thin: bool) -> None:
        painted = f' fill="{fill}"' if fill else ""
        self._parts.append(f"{start}{painted}{_THIN if thin else ''}/>")

    def _at(self, point: Point) -> tuple[str, str]:
        return _n(WIDTH / 2 + point[0] * self.scale), _n(FLOOR - point[1] * self.scale)

    def _points(self, points: Sequence[Point]) -> str:
        return " ".join(",".join(self._at(point)) for point in points)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def buttons(
    canvas: Canvas, x: float, y: float, w: float, h: float, paint: str, step: float
) -> None:
    """Tufting: buttons in staggered rows."""
    rows = max(2, round(h / step))
    points = []
    for row in range(rows):
        odd = row % 2
        count = max(2, round(w / step)) - odd
        height = y + h * (row + 0.5) / rows
        points += [(x + w * (at + 0.5 + odd / 2) / (count + odd), height) for at in range(count)]
    canvas.dots(points, shaded(paint, -35), step * 0.16)
