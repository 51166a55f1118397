"""Dining tables, low tables."""

from __future__ import annotations

from chat.catalog.drawings.canvas import Canvas
from chat.catalog.drawings.palette import BRASS, STEEL, shaded
from chat.catalog.drawings.subject import Subject


def table(canvas: Canvas, it: Subject) -> None:
    canvas.shadow(it.width * 0.42)
    if it.has("gigogne"):
        _nested(canvas, it)
    elif it.has("rond", "bistrot"):
        _round(canvas, it)
    else:
        _long(canvas, it)


def _round(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    a, thick, flat = w / 2, max(h * 0.05, 2.5), w * 0.11
    foot = STEEL if it.has("acier", "fonte") else shaded(it.paint, -14)
    if it.has("fuseles"):
        for x, top in ((-0.5, 0.45), (0.5, 0.45), (-0.8, 0.72), (0.8, 0.72)):
            canvas.line(
                (top * a * (1 if x > 0 else -1), h - flat),
                (x * a, 0 if abs(x) > 0.6 else h * 0.1),
                ink=foot,
                width=4,
            )
    else:
        canvas.shape(
            [
                (-a * 0.12, h - flat),
                (a * 0.12, h - flat),
                (a * 0.07, h * 0.3),
                (a * 0.16, h * 0.1),
                (-a * 0.16, h * 0.1),
                (-a * 0.07, h * 0.3),
            ],
            foot,
        )
        canvas.oval(0, h * 0.07, a * 0.5, h * 0.05, foot)
    canvas.oval(0, h - flat - thick, a, flat, shaded(it.paint, -16))
    canvas.oval(0, h - flat, a, flat, shaded(it.paint, 10))
    if it.has("marbre"):
        _veins(canvas, a, h - flat, flat)
    elif it.has("extensible"):
        canvas.line((-a * 0.1, h - flat * 0.02), (a * 0.1, h - flat * 1.98))
    else:
        canvas.curve(
            (-a * 0.7, h - flat),
            ((-a * 0.3, h - flat * 0.5), (a * 0.2, h - flat * 1.3), (a * 0.72, h - flat * 0.9)),
            thin=True,
        )


def _veins(canvas: Canvas, a: float, y: float, flat: float) -> None:
    canvas.curve(
        (-a * 0.8, y),
        ((-a * 0.4, y + flat * 0.7), (-a * 0.2, y - flat * 0.5), (a * 0.2, y + flat * 0.3)),
        thin=True,
    )
    canvas.curve(
        (-a * 0.1, y - flat * 0.8),
        ((a * 0.1, y), (a * 0.5, y - flat * 0.6), (a * 0.8, y + flat * 0.2)),
        thin=True,
    )


def _long(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    low = h < 60
    rise, thick = it.depth * 0.16, h * (0.12 if low else 0.055)
    top = h - rise
    a = w / 2
    _feet(canvas, it, top - thick)
    if it.has("releva", "coffre"):
        canvas.box(-a * 0.94, h * 0.14, w * 0.94, top - thick - h * 0.14, shaded(it.paint, -8))
        canvas.line((-a * 0.94, h * 0.34), (a * 0.94, h * 0.34))
        top += 7
        for x in (-0.6, 0.6):
            canvas.line((x * a, top - 10), (x * a + 4, top - thick), ink=STEEL, width=1.5)
    back = 0.9
    canvas.shape(
        [(-a * back, top + rise), (a * back, top + rise), (a, top), (-a, top)], shaded(it.paint, 14)
    )
    canvas.box(-a, top - thick, w, thick, it.paint, r=1)
    if it.has("allonge", "extensible"):
        for x in (-0.42, 0.42):
            canvas.line((x * a * back, top + rise), (x * a, top), (x * a, top - thick))
    if it.has("ecorce"):
        canvas.line(
            (-a, top - thick),
            (-a * 0.6, top - thick * 1.25),
            (-a * 0.2, top - thick * 0.9),
            (a * 0.3, top - thick * 1.3),
            (a, top - thick),
        )
    if it.has("marbre", "ceramique"):
        _veins(canvas, a * 0.8, top + rise / 2, rise * 0.4)
    else:
        canvas.line((-a * 0.7, top + rise * 0.6), (a * 0.1, top + rise * 0.5))
        canvas.line((-a * 0.1, top + rise * 0.25), (a * 0.75, top + rise * 0.35))


def _feet(canvas: Canvas, it: Subject, under: float) -> None:
    a, h = it.width / 2, it.height
    if it.has("en x", "acier brut"):
        for x in (-0.72, 0.72):
            canvas.line((x * a - 14, under), (x * a + 14, 0), ink=STEEL, width=4)
            canvas.line((x * a + 14, under), (x * a - 14, 0), ink=STEEL, width=4)
        return
    if it.has("ceramique"):
        canvas.curve(
            (-a * 0.3, under),
            ((-a * 0.1, h * 0.4), (-a * 0.1, h * 0.3), (-a * 0.42, 0)),
            ((-a * 0.2, 0), (a * 0.2, 0), (a * 0.42, 0)),
            ((a * 0.1, h * 0.3), (a * 0.1, h * 0.4), (a * 0.3, under)),
            fill=STEEL,
        )
        return
    paint, wide = shaded(it.paint, -14), 4.5 if h > 60 else 2.6
    for x in (-0.74, 0.74):
        canvas.box(x * a - wide * 0.4, h * 0.12, wide * 0.8, under - h * 0.12, shaded(paint, -18))
    if it.has("bords bruts"):
        canvas.line((-a * 0.86, h * 0.22), (a * 0.86, h * 0.22), ink=paint, width=4)
    for x in (-0.92, 0.92):
        canvas.shape(
            [
                (x * a - wide, under),
                (x * a + wide, under),
                (x * a + wide * 0.6, 0),
                (x * a - wide * 0.6, 0),
            ],
            paint,
        )


def _nested(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    for x, top, half in ((-w * 0.16, h, w * 0.34), (w * 0.2, h * 0.74, w * 0.3)):
        for part in (-0.7, 0, 0.7):
            canvas.line(
                (x + part * half, top - 4),
                (x + part * half * 1.12, 0 if part else 3),
                ink=shaded(it.paint, -20),
                width=2.4,
            )
        canvas.oval(x, top - 6, half, 5.5, shaded(it.paint, -14))
        canvas.oval(x, top - 4, half, 5.5, shaded(it.paint, 12))
        canvas.oval(x, top - 4, half * 0.55, 2.6, "", thin=True)


def lamp_foot(canvas: Canvas, x: float, half: float) -> None:
    canvas.oval(x, 1.5, half, half * 0.16, BRASS)
