"""Sofas, armchairs, chairs, benches, poufs."""

from __future__ import annotations

from chat.catalog.drawings.canvas import Canvas, buttons
from chat.catalog.drawings.palette import BRASS, STEEL, WOOD, shaded
from chat.catalog.drawings.subject import Subject


def sofa(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    canvas.shadow(w / 2)
    if it.has("galbe", "coque"):
        _curved(canvas, it)
        return
    leg = h * (0.06 if it.has("coffre", "convertible") else 0.15)
    arm = w * (0.08 if it.seats > 1 else 0.16)
    inner = w - 2 * arm
    count = max(min(it.seats, 3), 1)
    each = inner / count
    _legs(canvas, it, w * 0.44, leg)
    canvas.box(-inner / 2 - 2, leg, inner + 4, h - leg - 5, shaded(it.paint, -14), r=7)
    for at in range(count):
        _seat(canvas, it, -inner / 2 + at * each, each)
    canvas.box(-inner / 2, leg, inner, h * 0.31 - leg, it.paint, r=2)
    if it.has("convertible"):
        canvas.line((-inner * 0.42, h * 0.19), (inner * 0.42, h * 0.19))
        canvas.oval(0, h * 0.13, 4, 1.6, shaded(it.paint, -35), thin=True)
    _arms(canvas, it, leg, arm, each)
    if it.seats > 1 and not it.has("relaxation", "cuir"):
        _cushion(canvas, -inner / 2 + each * 0.3, h * 0.5, h * 0.3, it.second)


def _seat(canvas: Canvas, it: Subject, left: float, each: float) -> None:
    h = it.height
    top, back, light = h * 0.5, shaded(it.paint, -6), shaded(it.paint, 10)
    canvas.box(left + 1, top - 3, each - 2, h - top + 3, back, r=9)
    if it.has("tetiere"):
        canvas.box(left + 5, h - 12, each - 10, 16, light, r=6)
    for part in (1, 2, 3) if it.has("cotele") else (2,) if it.has("cuir") else ():
        x = left + each * part / 4
        canvas.line((x, top + 2), (x, h - 5))
    canvas.box(left + 0.5, h * 0.31, each - 1, top - h * 0.31, light, r=6)


def _arms(canvas: Canvas, it: Subject, leg: float, arm: float, each: float) -> None:
    """Both arms, or one and a chaise."""
    w, h = it.width, it.height
    chaise = it.has("meridienne")
    if chaise:
        left, low = w / 2 - arm - each * 1.05, leg * 0.6
        wide = each * 1.1 + arm
        canvas.box(left, low, wide, h * 0.5 - low - 2, shaded(it.paint, 10), r=7)
        canvas.line((left + 3, h * 0.26), (w / 2, h * 0.26))
    for x in (-w / 2,) if chaise else (-w / 2, w / 2 - arm):
        canvas.box(x, leg, arm, h * 0.7 - leg, it.paint, r=9 if it.seats == 1 else 5)


def _cushion(canvas: Canvas, x: float, y: float, size: float, paint: str) -> None:
    paint = shaded(paint, 12)
    canvas.shape(
        [
            (x - size * 0.5, y + 1),
            (x + size * 0.42, y - 1),
            (x + size * 0.52, y + size * 0.82),
            (x - size * 0.4, y + size * 0.9),
        ],
        paint,
    )


def _legs(canvas: Canvas, it: Subject, spread: float, leg: float) -> None:
    paint = STEEL if it.has("acier") and not it.has("pieds demontables") else shaded(WOOD, -25)
    for side in (-1, 1):
        x = side * spread
        canvas.shape(
            [
                (x - 2.4, leg + 3),
                (x + 2.4, leg + 3),
                (x + side * 2.5 + 1, 0),
                (x + side * 2.5 - 1, 0),
            ],
            paint,
        )


def _curved(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    a, leg, low = w / 2, h * 0.2, h * 0.2
    gold = BRASS if it.has("laiton") else shaded(WOOD, -20)
    for x in (-0.36, -0.22, 0.22, 0.36) if it.seats == 1 else (-0.4, 0, 0.4):
        canvas.line((x * w, leg), (x * w * 1.06, 0), ink=gold, width=2.2)
    canvas.curve(
        (-a, low + h * 0.2),
        ((-a, h * 0.75), (-a * 0.72, h), (0, h)),
        ((a * 0.72, h), (a, h * 0.75), (a, low + h * 0.2)),
        ((a, low), (a * 0.8, low), (a * 0.6, low)),
        ((a * 0.2, low), (-a * 0.2, low), (-a * 0.6, low)),
        ((-a * 0.8, low), (-a, low), (-a, low + h * 0.2)),
        fill=it.paint,
    )
    petals = 5 if it.seats == 1 else 9
    for at in range(1, petals):
        x = a * 1.5 * (at / petals - 0.5)
        canvas.line((x, h * 0.5), (x * 1.12, h * (0.96 - 0.16 * (2 * at / petals - 1) ** 2)))
    canvas.curve(
        (-a * 0.78, h * 0.36),
        ((-a * 0.8, h * 0.56), (-a * 0.6, h * 0.52), (0, h * 0.52)),
        ((a * 0.6, h * 0.52), (a * 0.8, h * 0.56), (a * 0.78, h * 0.36)),
        ((a * 0.76, h * 0.26), (-a * 0.76, h * 0.26), (-a * 0.78, h * 0.36)),
        fill=shaded(it.paint, 14),
    )


def armchair(canvas: Canvas, it: Subject) -> None:
    if it.has("bascule"):
        _rocker(canvas, it)
        return
    sofa(canvas, it)
    if it.has("repose-pieds"):
        canvas.box(
            -it.width * 0.3,
            it.height * 0.05,
            it.width * 0.6,
            it.height * 0.2,
            shaded(it.paint, 16),
            r=6,
        )


def _rocker(canvas: Canvas, it: Subject) -> None:
    w, h, wood = it.width, it.height, it.wood
    canvas.shadow(w / 2)
    a = w / 2
    canvas.curve((-a * 1.15, 9), ((-a * 0.6, -2), (a * 0.6, -2), (a * 1.25, 11)))
    canvas.line(
        (-a * 1.15, 9),
        (-a * 0.6, 3.4),
        (0, 0.8),
        (a * 0.6, 3.6),
        (a * 1.25, 11),
        ink=shaded(wood, -12),
        width=3,
    )
    for x in (-0.62, 0.62):
        canvas.line((x * a * 0.9, h * 0.42), (x * a * 1.05, 3.5), ink=wood, width=3)
    canvas.shape([(-a * 0.72, h * 0.4), (a * 0.72, h * 0.4), (a * 0.66, h), (-a * 0.66, h)], wood)
    canvas.box(-a * 0.6, h * 0.46, a * 1.2, h * 0.5, it.paint, r=9)
    canvas.box(-a * 0.78, h * 0.34, a * 1.56, h * 0.15, shaded(it.paint, 15), r=6)
    for x in (-1, 1):
        canvas.box(x * a * 0.9 - 4, h * 0.56, 8, 4, wood, r=2)
        canvas.line((x * a * 0.9, h * 0.56), (x * a * 0.86, h * 0.38), ink=wood, width=2.6)


def chair(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    bar = it.has("bar")
    seat = h * (0.68 if bar else 0.55)
    frame = it.wood if it.has("hetre", "frene") else STEEL
    canvas.shadow(w / 2)
    a, soft = w / 2, it.has("velours", "cuir")
    for x, foot in ((-0.55, -0.62), (0.55, 0.62)):
        canvas.line((x * a, seat), (foot * a, h * 0.06), ink=shaded(frame, -25), width=2)
    _chair_back(canvas, it, seat, frame)
    canvas.shape(
        [(-a * 0.86, seat), (a * 0.86, seat), (a, seat - h * 0.09), (-a, seat - h * 0.09)],
        it.paint if soft else shaded(it.paint, 18),
    )
    if it.has("paill"):
        canvas.line((-a * 0.86, seat), (0, seat - h * 0.045), (a * 0.86, seat))
        canvas.line((-a, seat - h * 0.09), (0, seat - h * 0.045), (a, seat - h * 0.09))
    canvas.box(-a, seat - h * 0.13, w, h * 0.045, shaded(it.paint, -10) if soft else frame, r=2)
    for side in (-1, 1):
        canvas.line((side * a * 0.9, seat - h * 0.13), (side * a, 0), ink=frame, width=3)
    if bar:
        canvas.line((-a * 0.95, h * 0.24), (a * 0.95, h * 0.24), ink=BRASS, width=2)


def _chair_back(canvas: Canvas, it: Subject, seat: float, frame: str) -> None:
    a, h, paint = it.width / 2, it.height, it.paint
    if it.has("cintre"):
        for part in (-0.6, -0.3, 0, 0.3, 0.6):
            canvas.line((part * a, seat), (part * a * 1.05, h * 0.93), ink=frame, width=1.6)
        canvas.line(
            (-a * 0.8, seat),
            (-a * 0.86, h * 0.84),
            (-a * 0.5, h * 0.97),
            (0, h),
            (a * 0.5, h * 0.97),
            (a * 0.86, h * 0.84),
            (a * 0.8, seat),
            ink=frame,
            width=3,
        )
    elif it.has("coque", "empilable"):
        for side in (-1, 1):
            canvas.line((side * a * 0.66, seat), (side * a * 0.66, h * 0.8), ink=frame, width=2.6)
        canvas.curve(
            (-a * 0.95, h * 0.78),
            ((-a * 0.9, h * 1.02), (a * 0.9, h * 1.02), (a * 0.95, h * 0.78)),
            ((a * 0.6, h * 0.68), (-a * 0.6, h * 0.68), (-a * 0.95, h * 0.78)),
            fill=shaded(paint, 8),
        )
    elif it.has("lace"):
        canvas.box(-a * 0.85, seat + h * 0.08, a * 1.7, h * 0.34, paint, r=2)
        for part in range(5):
            y = seat + h * (0.12 + part * 0.065)
            canvas.line((-a * 0.95, y), (-a * 0.78, y + h * 0.03))
            canvas.line((a * 0.95, y), (a * 0.78, y + h * 0.03))
        for side in (-1, 1):
            canvas.line((side * a * 0.95, seat), (side * a * 0.95, h), ink=frame, width=2)
    elif it.has("bar"):
        for side in (-1, 1):
            canvas.line((side * a * 0.7, seat), (side * a * 0.78, h * 0.96), ink=frame, width=2.6)
        canvas.box(-a * 0.84, h * 0.88, a * 1.68, h * 0.1, paint, r=4)
    else:
        canvas.box(-a * 0.9, seat - h * 0.02, a * 1.8, h - seat, paint, r=14)
        canvas.line((-a * 0.3, seat + h * 0.06), (-a * 0.3, h * 0.9))
        canvas.line((a * 0.3, seat + h * 0.06), (a * 0.3, h * 0.9))


def bench(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    canvas.shadow(w / 2)
    if it.has("capitonn"):
        canvas.box(-w / 2, h * 0.4, w, h * 0.6, it.paint, r=6)
        buttons(canvas, -w / 2 + 6, h * 0.52, w - 12, h * 0.42, it.paint, 18)
        for x in (-0.44, 0.44):
            canvas.box(x * w - 3, 0, 6, h * 0.2, shaded(WOOD, -25))
        canvas.box(-w / 2, h * 0.16, w, h * 0.14, shaded(it.paint, -12), r=3)
        canvas.box(-w / 2 + 1, h * 0.3, w - 2, h * 0.17, shaded(it.paint, 14), r=7)
        return
    for x in (-0.4, 0.4):
        canvas.shape(
            [(x * w - 7, 0), (x * w - 2, 0), (x * w + 3, h * 0.86), (x * w - 4, h * 0.86)],
            shaded(it.paint, -14),
        )
        canvas.shape(
            [(x * w + 2, 0), (x * w + 7, 0), (x * w + 4, h * 0.86), (x * w - 3, h * 0.86)],
            shaded(it.paint, -8),
        )
    canvas.line((-w * 0.4, h * 0.4), (w * 0.4, h * 0.4), ink=shaded(it.paint, -20), width=4)
    canvas.shape(
        [(-w * 0.47, h), (w * 0.47, h), (w / 2, h * 0.86), (-w / 2, h * 0.86)], shaded(it.paint, 12)
    )
    canvas.box(-w / 2, h * 0.78, w, h * 0.08, it.paint)
    canvas.line((-w * 0.4, h * 0.95), (w * 0.1, h * 0.93))


def pouf(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    canvas.shadow(w * 0.42)
    if it.has("coffre"):
        canvas.box(-w / 2, 1, w, h * 0.74, it.paint, r=2)
        buttons(canvas, -w / 2 + 2, 4, w - 4, h * 0.66, it.paint, 11)
        canvas.box(-w / 2 - 0.8, h * 0.76, w + 1.6, h * 0.22, shaded(it.paint, 15), r=4)
        return
    canvas.curve(
        (-w / 2, h * 0.48),
        ((-w * 0.5, h * 1.08), (w * 0.5, h * 1.08), (w / 2, h * 0.48)),
        ((w * 0.5, -h * 0.14), (-w * 0.5, -h * 0.14), (-w / 2, h * 0.48)),
        fill=it.paint,
    )
    for at in (-0.75, -0.4, 0, 0.4, 0.75):
        x = at * w / 2
        canvas.curve(
            (x * 0.35, h * 0.91),
            ((x * 1.15, h * 0.75), (x * 1.2, h * 0.25), (x * 0.5, h * 0.05)),
            thin=True,
        )
    canvas.oval(0, h * 0.9, w * 0.09, h * 0.035, shaded(it.paint, -18), thin=True)
