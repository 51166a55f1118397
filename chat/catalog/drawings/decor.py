"""Lamps, rugs, mirrors, cushions, vases."""

from __future__ import annotations

from chat.catalog.drawings.canvas import Canvas
from chat.catalog.drawings.palette import BRASS, GLASS, STEEL, shaded
from chat.catalog.drawings.subject import Subject

_LIGHT = "#f7dfa0"


def lamp(canvas: Canvas, it: Subject) -> None:
    if it.has("suspension"):
        _pendant(canvas, it)
    elif it.has("articule"):
        _desk_lamp(canvas, it)
    elif it.has("lampadaire"):
        _arc_lamp(canvas, it)
    else:
        _mushroom(canvas, it)


def _arc_lamp(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    canvas.shadow(w * 0.5)
    canvas.box(-w * 0.5, 0, 36, 12, "#f5f0e6", r=3)
    canvas.curve((-w * 0.5 + 4, 6), ((-w * 0.46, 9), (-w * 0.4, 3), (-w * 0.5 + 32, 7)), thin=True)
    left = -w * 0.5 + 18
    arc = ((left, h * 0.7), (-w * 0.1, h * 1.12), (w * 0.42, h * 0.82))
    canvas.curve((left - 1.2, 12), arc)
    canvas.curve((left + 1.2, 12), ((left + 3, h * 0.68), (-w * 0.09, h * 1.1), arc[2]))
    canvas.line((w * 0.42, h * 0.82), (w * 0.42, h * 0.77))
    rim = h * 0.64
    top = ((w * 0.18, h * 0.78), (w * 0.66, h * 0.78), (w * 0.66, rim))
    bottom = ((w * 0.5, rim - 4), (w * 0.34, rim - 4), (w * 0.18, rim))
    canvas.curve((w * 0.18, rim), top, bottom, fill=STEEL)
    canvas.oval(w * 0.42, rim - 2, 20, 4, _LIGHT, thin=True)


def _mushroom(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    canvas.shadow(w * 0.5)
    canvas.oval(0, 1.6, w * 0.3, 1.8, BRASS)
    canvas.curve(
        (-w * 0.14, 2),
        ((-w * 0.05, h * 0.2), (-w * 0.08, h * 0.3), (-w * 0.16, h * 0.5)),
        ((-w * 0.05, h * 0.5), (w * 0.05, h * 0.5), (w * 0.16, h * 0.5)),
        ((w * 0.08, h * 0.3), (w * 0.05, h * 0.2), (w * 0.14, 2)),
        fill=BRASS,
    )
    canvas.curve(
        (-w / 2, h * 0.48),
        ((-w * 0.46, h * 1.14), (w * 0.46, h * 1.14), (w / 2, h * 0.48)),
        ((w * 0.3, h * 0.4), (-w * 0.3, h * 0.4), (-w / 2, h * 0.48)),
        fill=shaded(_LIGHT, 45),
    )
    canvas.curve(
        (-w * 0.34, h * 0.66),
        ((-w * 0.3, h * 0.82), (-w * 0.2, h * 0.9), (-w * 0.08, h * 0.92)),
        thin=True,
    )


def _pendant(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height * 1.4
    canvas.line((0, h), (0, it.height * 0.98))
    top, a = it.height, w / 2
    canvas.curve(
        (-a * 0.2, top),
        ((-a * 0.9, top * 0.95), (-a, top * 0.5), (-a, top * 0.2)),
        ((-a * 0.5, top * 0.08), (a * 0.5, top * 0.08), (a, top * 0.2)),
        ((a, top * 0.5), (a * 0.9, top * 0.95), (a * 0.2, top)),
        fill=it.paint,
    )
    for part in (-0.75, -0.45, -0.15, 0.15, 0.45, 0.75):
        canvas.curve(
            (part * a * 0.3, top),
            ((part * a * 1.1, top * 0.8), (part * a, top * 0.5), (part * a * 1.1, top * 0.14)),
            thin=True,
        )
    for y in (0.35, 0.55, 0.75):
        half = a * (1.0 - (y - 0.3) * 0.45)
        canvas.curve(
            (-half, top * y),
            ((-half * 0.5, top * (y - 0.1)), (half * 0.5, top * (y - 0.1)), (half, top * y)),
            thin=True,
        )
    canvas.oval(0, top * 0.15, a * 0.35, top * 0.05, _LIGHT, thin=True)


def _desk_lamp(canvas: Canvas, it: Subject) -> None:
    h, w = it.height, it.depth
    canvas.shadow(w * 0.3)
    canvas.oval(-w * 0.2, 2, 12, 3, it.paint)
    canvas.line((-w * 0.2, 3), (-w * 0.36, h * 0.5), (w * 0.16, h * 0.92), ink=it.paint, width=2)
    canvas.line((-w * 0.16, 4), (-w * 0.31, h * 0.48))
    for x, y in ((-0.36, 0.5), (0.16, 0.92)):
        canvas.oval(x * w, y * h, 2.4, 2.4, BRASS)
    canvas.shape(
        [
            (w * 0.16, h * 0.98),
            (w * 0.28, h * 0.94),
            (w * 0.52, h * 0.68),
            (w * 0.2, h * 0.6),
            (w * 0.1, h * 0.86),
        ],
        it.paint,
    )
    canvas.oval(w * 0.37, h * 0.63, 7, 3, _LIGHT, thin=True)


def rug(canvas: Canvas, it: Subject) -> None:
    if it.has("rond"):
        for at in range(7):
            canvas.oval(
                0,
                48,
                it.width * (0.5 - at * 0.07),
                50 * (1 - at * 0.14),
                shaded(it.second if at % 3 == 1 else it.paint, 16 if at % 2 else 0),
                thin=at > 0,
            )
        return
    a, far, deep = it.width / 2, it.width * 0.36, 100.0
    canvas.shape([(-a, 0), (a, 0), (far, deep), (-far, deep)], it.paint)

    def on(x: float, y: float) -> tuple[float, float]:
        half = a + (far - a) * y
        return x * half, y * deep

    if it.has("main"):
        for row in range(3):
            for column in range(3):
                x, y = -0.62 + column * 0.62, 0.18 + row * 0.32
                canvas.shape(
                    [on(x, y - 0.14), on(x + 0.2, y), on(x, y + 0.14), on(x - 0.2, y)],
                    "",
                    thin=True,
                )
                canvas.shape(
                    [on(x, y - 0.06), on(x + 0.08, y), on(x, y + 0.06), on(x - 0.08, y)],
                    it.second,
                    thin=True,
                )
        for part in range(15):
            x = -1 + part / 7
            canvas.line((x * a, 0), (x * a, -5))
        return
    for row in range(1, 6):
        y, shade = row / 6, shaded(it.second, 10 * (row % 3))
        canvas.curve(
            on(-0.98, y),
            (on(-0.5, y + 0.13), on(-0.4, y - 0.1), on(0, y)),
            (on(0.4, y + 0.12), on(0.5, y - 0.1), on(0.98, y)),
            (on(0.6, y - 0.15), on(0.4, y + 0.02), on(0, y - 0.06)),
            (on(-0.4, y - 0.14), on(-0.6, y + 0.06), on(-0.98, y)),
            fill=shade,
            thin=True,
        )


def mirror(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    if it.has("carreaux") or w != h:
        canvas.box(-w / 2, 0, w, h, STEEL, r=1)
        for column in range(3):
            for row in range(4):
                canvas.box(
                    -w / 2 + 3 + column * (w - 4) / 3,
                    3 + row * (h - 4) / 4,
                    (w - 4) / 3 - 2,
                    (h - 4) / 4 - 2,
                    shaded(GLASS, 12 * ((row + column) % 3)),
                    thin=True,
                )
        return
    canvas.oval(0, h / 2, w / 2, h / 2, it.paint)
    canvas.oval(0, h / 2, w * 0.45, h * 0.45, GLASS)
    for x in (-0.2, -0.1):
        canvas.line((w * x, h * 0.34), (w * (x + 0.24), h * 0.74))


def cushion(canvas: Canvas, it: Subject) -> None:
    a, h = it.width / 2, it.height
    canvas.shadow(a * 0.8)
    canvas.curve(
        (-a, 1),
        ((-a * 0.86, h * 0.3), (-a * 0.86, h * 0.7), (-a, h)),
        ((-a * 0.4, h * 0.93), (a * 0.4, h * 0.93), (a, h)),
        ((a * 0.86, h * 0.7), (a * 0.86, h * 0.3), (a, 1)),
        ((a * 0.4, h * 0.06), (-a * 0.4, h * 0.06), (-a, 1)),
        fill=it.paint,
    )
    if it.has("cotele"):
        for part in range(-6, 7):
            canvas.line((part * a * 0.13, h * 0.07), (part * a * 0.13, h * 0.93))
        return
    canvas.curve(
        (-a * 0.8, h * 0.1),
        ((-a * 0.72, h * 0.4), (-a * 0.72, h * 0.6), (-a * 0.8, h * 0.9)),
        thin=True,
    )
    canvas.curve(
        (a * 0.8, h * 0.1),
        ((a * 0.72, h * 0.4), (a * 0.72, h * 0.6), (a * 0.8, h * 0.9)),
        thin=True,
    )
    for x, y in ((-0.9, 0.9), (0.9, 0.9), (-0.9, 0.1), (0.9, 0.1)):
        canvas.line(
            (x * a * 0.86, h * (0.5 + (y - 0.5) * 0.86)),
            (x * a * 0.6, h * (0.5 + (y - 0.5) * 0.55)),
        )


def vase(canvas: Canvas, it: Subject) -> None:
    a, h = it.width / 2, it.height * 0.72
    canvas.shadow(a * 0.7)
    if it.has("verre"):
        canvas.oval(0, a * 0.98, a, a * 0.98, shaded(it.paint, 35))
        canvas.box(-a * 0.26, a * 1.85, a * 0.52, h - a * 1.6, shaded(it.paint, 35), r=1)
        for x, y in ((-0.4, 0.7), (0.3, 1.2), (0.1, 0.5)):
            canvas.oval(x * a, y * a, a * 0.07, a * 0.07, "", thin=True)
    else:
        canvas.curve(
            (-a * 0.4, 0),
            ((-a * 1.3, h * 0.5), (-a, h * 0.85), (-a * 0.3, h)),
            ((-a * 0.1, h * 0.97), (a * 0.1, h * 0.97), (a * 0.3, h)),
            ((a, h * 0.85), (a * 1.3, h * 0.5), (a * 0.4, 0)),
            ((a * 0.2, -h * 0.02), (-a * 0.2, -h * 0.02), (-a * 0.4, 0)),
            fill=it.paint,
        )
        for y in (0.42, 0.5):
            canvas.curve(
                (-a * 0.86, h * y),
                ((-a * 0.4, h * (y - 0.05)), (a * 0.4, h * (y - 0.05)), (a * 0.86, h * y)),
                thin=True,
            )
    top = it.height * 1.3
    canvas.curve((0, h), ((-1, h * 1.3), (2, top * 0.8), (a * 0.5, top)))
    for y, side in ((1.2, -1), (1.4, 1), (1.58, -1), (1.72, 1)):
        canvas.oval(
            side * a * 0.32 + 1, h * y, a * 0.22, a * 0.12, shaded("#7d9a70", 10), thin=True
        )
