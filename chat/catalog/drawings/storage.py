"""Sideboards, wardrobes, chests of drawers, shelves."""

from __future__ import annotations

from chat.catalog.drawings.canvas import Canvas, Point
from chat.catalog.drawings.palette import BRASS, GLASS, INK, STEEL, WOOD, shaded
from chat.catalog.drawings.subject import Subject

_BOOKS = ("#b5523f", "#46597c", "#d3a43c", "#7d9a70", "#eee3cf", "#8d4a4f", "#6c7f92")


def cabinet(canvas: Canvas, it: Subject) -> None:
    """A sideboard or a television stand: doors side by side, on feet or hung."""
    w, h = it.width, it.height
    canvas.shadow(w * 0.46)
    if it.has("vitrine"):
        _dresser(canvas, it)
        return
    leg = h * (0.08 if it.has("murale") else 0.22)
    for x in (-0.4, 0.4):
        slant = 4 if it.has("coulissantes", "cannage") else 0
        side = 1 if x > 0 else -1
        canvas.shape(
            [
                (x * w - 3, leg),
                (x * w + 3, leg),
                (x * w + side * slant + 1.6, 0),
                (x * w + side * slant - 1.6, 0),
            ],
            shaded(it.paint, -25),
        )
    canvas.box(-w / 2, leg, w, h - leg, it.paint, r=1.5)
    canvas.box(-w / 2 - 1, h - 3, w + 2, 3, shaded(it.paint, 12))
    doors = 3 if w > 130 else 2
    each, top = (w - 8) / doors, h - leg - 10
    for at in range(doors):
        x = -w / 2 + 4 + at * each
        middle = doors == 3 and at == 1
        if middle and it.kind == "MTV" and not it.has("abattants"):
            canvas.box(x + 1, leg + 3, each - 2, top, shaded(it.paint, -40), thin=True)
            canvas.box(x + 1, leg + 3 + top / 2, each - 2, 1.5, it.paint, thin=True)
        elif middle and it.has("tiroirs"):
            for row in range(3):
                _drawer(canvas, x + 1, leg + 3 + row * top / 3, each - 2, top / 3 - 1, it.paint)
        else:
            _door(canvas, it, x + 1, leg + 3, each - 2, top, left=at < doors / 2)


def _door(
    canvas: Canvas, it: Subject, x: float, y: float, w: float, h: float, *, left: bool
) -> None:
    canvas.box(x, y, w, h, shaded(it.paint, 9), thin=True)
    if it.has("canne", "cannage"):
        m = min(w, h) * 0.12
        canvas.box(x + m, y + m, w - 2 * m, h - 2 * m, shaded(WOOD, 45), thin=True)
        canvas.hatch(_caning(x + m, y + m, w - 2 * m, h - 2 * m))
    canvas.oval(x + (w - 4 if left else 4), y + h * 0.5, 1.5, 1.5, BRASS, thin=True)


def _caning(x: float, y: float, w: float, h: float) -> list[tuple[Point, Point]]:
    """Slanting strokes both ways, cut at the frame."""
    strokes: list[tuple[Point, Point]] = []
    for at in range(1, 8):
        one, other = min(at / 4, 1), max(at / 4 - 1, 0)
        strokes.append(((x + w * other, y + h * one), (x + w * one, y + h * other)))
        strokes.append(((x + w * other, y + h * (1 - one)), (x + w * one, y + h * (1 - other))))
    return strokes


def _drawer(canvas: Canvas, x: float, y: float, w: float, h: float, paint: str) -> None:
    canvas.box(x, y, w, h, shaded(paint, 9), r=1, thin=True)
    for part in (0.3, 0.7) if w > 70 else (0.5,):
        canvas.oval(x + w * part, y + h / 2, 1.7, 1.2, BRASS, thin=True)


def _dresser(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    canvas.box(-w / 2, 3, w, h * 0.42, it.paint, r=1)
    canvas.box(-w / 2 - 2, h * 0.44, w + 4, 4, shaded(it.paint, -12))
    canvas.box(-w * 0.46, h * 0.46, w * 0.92, h * 0.52, it.paint)
    canvas.box(-w * 0.49, h * 0.97, w * 0.98, h * 0.03, shaded(it.paint, -12))
    for side in (-1, 0):
        x = side * w * 0.43
        canvas.box(x + 1.5, h * 0.49, w * 0.41, h * 0.46, GLASS, thin=True)
        for shelf in (0.62, 0.78):
            canvas.line((x + 1.5, h * shelf), (x + w * 0.42, h * shelf))
            for plate in (0.1, 0.22, 0.32):
                canvas.oval(
                    x + w * plate, h * shelf + 5, 4.5, 4.5, shaded(it.second, 25), thin=True
                )
        _door(canvas, it, side * w * 0.48 + 2, 8, w * 0.46, h * 0.36, left=side < 0)


def wardrobe(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    canvas.shadow(w / 2)
    if it.has("ouvert"):
        _open_wardrobe(canvas, it)
        return
    canvas.box(-w / 2, 3, w, h - 3, it.paint, r=1)
    canvas.box(-w / 2 - 2, h - 6, w + 4, 6, shaded(it.paint, -10))
    if it.has("miroir"):
        canvas.box(-w / 2 + 4, 9, w / 2 - 3, h - 18, shaded(it.paint, 8), thin=True)
        canvas.box(-1, 9, w / 2 - 3, h - 18, GLASS)
        for x in (0.1, 0.17):
            canvas.line((w * x, h * 0.35), (w * (x + 0.16), h * 0.75))
        canvas.line((-w * 0.04, h * 0.4), (-w * 0.04, h * 0.58), ink=BRASS, width=2.5)
        return
    each = (w - 8) / 3
    for at in range(3):
        x = -w / 2 + 4 + at * each
        canvas.box(x + 1, h * 0.2, each - 2, h * 0.74, shaded(it.paint, 8), thin=True)
        canvas.box(x + 7, h * 0.25, each - 14, h * 0.3, "", thin=True)
        canvas.box(x + 7, h * 0.6, each - 14, h * 0.28, "", thin=True)
        canvas.oval(x + (each - 5 if at != 2 else 5), h * 0.56, 1.8, 1.8, BRASS, thin=True)
    _drawer(canvas, -w / 2 + 5, 8, w - 10, h * 0.14, it.paint)


def _open_wardrobe(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    for x in (-0.5, 0, 0.5):
        canvas.line((x * w * 0.96, 0), (x * w * 0.96, h), ink=STEEL, width=3)
    for y in (0.08, 0.3, 0.52, 0.74, 0.96):
        canvas.box(0, h * y, w * 0.48, 3, it.wood, thin=True)
    canvas.box(-w * 0.48, h * 0.12, w * 0.48, 3, it.wood, thin=True)
    canvas.line((-w * 0.48, h * 0.92), (0, h * 0.92), ink=STEEL, width=2)
    for at, paint in enumerate((*_BOOKS[:5], "#c3c1bc")):
        x = -w * 0.43 + at * w * 0.072
        canvas.shape(
            [
                (x, h * 0.9),
                (x + 11, h * 0.86),
                (x + 10, h * (0.42 + 0.05 * (at % 3))),
                (x - 6, h * (0.42 + 0.05 * (at % 3))),
                (x - 6, h * 0.86),
            ],
            shaded(paint, 25),
            thin=True,
        )
    for y, count in ((0.11, 3), (0.33, 2), (0.55, 4)):
        for at in range(count):
            canvas.box(
                w * 0.06,
                h * y + at * 7,
                w * 0.26,
                6.5,
                shaded(_BOOKS[at + count - 2], 35),
                r=2,
                thin=True,
            )


def chest(canvas: Canvas, it: Subject) -> None:
    """A chest of drawers, a bedside table."""
    w, h = it.width, it.height
    canvas.shadow(w * 0.45)
    if it.has("porte aimantee"):
        canvas.box(-w / 2, 1, w, h - 4, it.paint)
        canvas.oval(0, h - 3, w / 2, w * 0.08, shaded(it.paint, 18))
        canvas.curve(
            (-w * 0.3, 3),
            ((-w * 0.3, h * 0.5), (-w * 0.3, h * 0.6), (-w * 0.3, h * 0.84)),
            thin=True,
        )
        canvas.curve(
            (w * 0.3, 3), ((w * 0.3, h * 0.5), (w * 0.3, h * 0.6), (w * 0.3, h * 0.84)), thin=True
        )
        canvas.oval(w * 0.22, h * 0.45, 1, 1, BRASS, thin=True)
        return
    leg = h * 0.2
    for x in (-0.42, 0.42):
        side = 1 if x > 0 else -1
        canvas.shape(
            [
                (x * w - 2.5, leg),
                (x * w + 2.5, leg),
                (x * w + side * 3 + 1, 0),
                (x * w + side * 3 - 1, 0),
            ],
            shaded(it.paint, -25),
        )
    canvas.box(-w / 2, leg, w, h - leg, it.paint, r=1.5)
    canvas.box(-w / 2 - 1.5, h - 3, w + 3, 3, shaded(it.paint, -12))
    inner = h - leg - 8
    if it.kind == "CHE":
        canvas.box(
            -w / 2 + 3, leg + inner * 0.5 + 2, w - 6, inner * 0.5, shaded(it.paint, -42), thin=True
        )
        canvas.box(-w * 0.3, leg + inner * 0.5 + 2, w * 0.4, 3, _BOOKS[1], thin=True)
        canvas.box(-w * 0.26, leg + inner * 0.5 + 5, w * 0.34, 2.5, _BOOKS[0], thin=True)
        _drawer(canvas, -w / 2 + 3, leg + 3, w - 6, inner * 0.46, it.paint)
        return
    if it.has("six tiroirs"):
        for row, columns in enumerate((1, 2, 3)):
            for at in range(columns):
                each = (w - 6) / columns
                _drawer(
                    canvas,
                    -w / 2 + 3 + at * each,
                    leg + 3 + row * inner / 3,
                    each - 1.5,
                    inner / 3 - 1.5,
                    it.paint,
                )
        return
    for row in range(3):
        _drawer(canvas, -w / 2 + 3, leg + 3 + row * inner / 3, w - 6, inner / 3 - 1.5, it.paint)


def bookcase(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    canvas.shadow(w / 2)
    doors = it.has("portes basses")
    columns, rows = (1, 5) if doors else (3, 4)
    canvas.box(-w / 2, 2, w, h - 2, shaded(it.paint, -30 if doors else 55))
    each, high, base = w / columns, (h - 6) / rows, 4
    for row in range(rows):
        for at in range(columns):
            shift = each / 2 if row % 2 and columns > 1 else 0
            x = -w / 2 + at * each + (shift if at < columns - 1 else 0)
            if columns > 1 and at:
                canvas.box(x - 1, base + row * high, 2, high, it.paint, thin=True)
            if (row * 2 + at) % 3 == 0 and not (doors and row < 2):
                _books(canvas, x + 4, base + row * high + 2, each * 0.5, high * 0.72, row * 2 + at)
        canvas.box(-w / 2, base + row * high - 1, w, 3, it.paint, thin=True)
    canvas.box(-w / 2 - 1, h - 3, w + 2, 3, it.paint)
    if doors:
        for side in (-1, 0):
            canvas.box(side * w / 2 + 1, 5, w / 2 - 2, high * 1.9, shaded(it.paint, 6))
            canvas.oval(-4 if side else 4, high, 1.4, 1.4, BRASS, thin=True)
    for side in (-1, 1):
        canvas.box(side * w / 2 - 1.5, 0, 3, h, it.second if not doors else it.paint, thin=True)


def _books(canvas: Canvas, x: float, y: float, w: float, h: float, seed: int) -> None:
    count = 3
    for at in range(count):
        tall = h * (0.72 + 0.07 * ((seed * 3 + at * 5) % 5))
        canvas.box(
            x + at * w / count,
            y,
            w / count - 0.8,
            tall,
            _BOOKS[(seed + at) % len(_BOOKS)],
            thin=True,
        )


def shelf(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    if it.has("echelle"):
        canvas.shadow(w / 2)
        for side in (-1, 1):
            canvas.line((side * w / 2, 0), (side * w * 0.36, h), ink=it.paint, width=4)
        for at in range(5):
            half, y = w * (0.48 - at * 0.026), h * (0.12 + at * 0.19)
            canvas.shape(
                [(-half, y + 4), (half, y + 4), (half + 2, y), (-half - 2, y)], shaded(it.paint, 14)
            )
            canvas.box(-half - 2, y - 3, 2 * half + 4, 3, it.paint, thin=True)
        _books(canvas, -w * 0.3, h * 0.31 + 4, w * 0.3, h * 0.12, 1)
        canvas.oval(w * 0.12, h * 0.5 + 9, 6, 6, "#c87b5a")
        return
    for level in range(3):
        y, half = h * (0.08 + level * 0.36), w * (0.5 - 0.06 * (level % 2))
        for end in (-0.7, 0.7):
            canvas.line((end * half, y), (end * half, y - 5), ink=STEEL, width=1.6)
        canvas.box(-half, y, 2 * half, 3, it.paint)
    _books(canvas, -w * 0.3, h * 0.08 + 3, w * 0.24, h * 0.24, 2)
    canvas.shape(
        [
            (w * 0.16, h * 0.44 + 3),
            (w * 0.3, h * 0.44 + 3),
            (w * 0.33, h * 0.58),
            (w * 0.13, h * 0.58),
        ],
        "#c87b5a",
    )
    for lean in (-6, 0, 7):
        canvas.line((w * 0.23, h * 0.58), (w * 0.23 + lean, h * 0.74), ink="#7d9a70", width=1.6)
    canvas.box(-w * 0.2, h * 0.8 + 3, w * 0.2, h * 0.17, "#f3ece0", thin=True)
    canvas.line((-w * 0.17, h * 0.84), (-w * 0.1, h * 0.93), (-w * 0.03, h * 0.84), ink=INK)
