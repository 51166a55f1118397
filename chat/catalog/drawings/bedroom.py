"""Beds and mattresses, seen from their foot."""

from __future__ import annotations

from chat.catalog.drawings.canvas import Canvas, buttons
from chat.catalog.drawings.palette import LINEN, STEEL, shaded
from chat.catalog.drawings.subject import Subject


def bed(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    canvas.shadow(w / 2)
    low = 40.0
    if it.has("cabane"):
        _house(canvas, it)
    elif it.has("acier laque"):
        for x in (-0.5, 0.5):
            canvas.line((x * w, 0), (x * w, h), ink=STEEL, width=3)
        for y in (0.72, 0.86, 1.0):
            canvas.line((-w / 2, h * y), (w / 2, h * y), ink=STEEL, width=3)
    elif it.has("gigogne"):
        canvas.box(-w / 2, 6, w, h - 6, shaded(it.paint, -6), r=3)
    else:
        canvas.box(-w / 2, 6, w, h - 6, it.paint, r=6 if it.has("tissu", "velours") else 2)
        if it.has("capitonn"):
            buttons(canvas, -w / 2 + 6, low + 22, w - 12, h - low - 26, it.paint, 20)
        elif it.has("tissu"):
            for x in (-0.25, 0, 0.25):
                canvas.line((x * w, low + 26), (x * w, h - 2))
        else:
            canvas.line((-w * 0.48, h * 0.8), (w * 0.48, h * 0.8))
    _bedding(canvas, it, low)


def _bedding(canvas: Canvas, it: Subject, low: float) -> None:
    """Pillows, the mattress and a cover that hangs over the foot."""
    w, half = it.width, it.width * 0.46
    pillows = (0.0,) if w < 120 else (-0.5, 0.5)
    for at in pillows:
        wide = half * (0.8 if len(pillows) > 1 else 1.3)
        canvas.box(at * half - wide / 2, low + 6, wide, 19, "#fbf7ee", r=8)
        canvas.line((at * half - wide * 0.3, low + 21), (at * half - wide * 0.1, low + 17))
    cover = shaded(it.second if it.second != it.paint else "#a9b897", 25)
    canvas.curve(
        (-half - 2, low - 16),
        ((-half - 3, low + 4), (-half, low + 12), (-half * 0.8, low + 12)),
        ((-half * 0.3, low + 14), (half * 0.3, low + 14), (half * 0.8, low + 12)),
        ((half, low + 12), (half + 3, low + 4), (half + 2, low - 16)),
        fill=LINEN,
    )
    canvas.curve(
        (-half - 3, 15),
        ((-half - 4, low), (-half, low + 4), (-half * 0.8, low + 4)),
        ((-half * 0.3, low + 6), (half * 0.3, low + 6), (half * 0.8, low + 4)),
        ((half, low + 4), (half + 4, low), (half + 3, 15)),
        ((half * 0.5, 12), (-half * 0.5, 18), (-half - 3, 15)),
        fill=cover,
    )
    for x in (-0.55, -0.1, 0.4):
        canvas.curve(
            (x * half, low),
            ((x * half + 3, low - 9), (x * half - 3, low - 14), (x * half + 2, low - 20)),
            thin=True,
        )
    frame = STEEL if it.has("acier laque") else it.paint
    canvas.box(-w / 2, 6, w, 13 if it.has("coffre", "gigogne") else 10, shaded(frame, 6), r=1.5)
    if it.has("coffre"):
        canvas.line((-w * 0.46, 16), (w * 0.46, 16))
        canvas.oval(0, 11, 7, 1.6, shaded(it.paint, -30), thin=True)
    if it.has("gigogne"):
        canvas.box(-w * 0.47, 3, w * 0.94, 12, shaded(it.paint, -8), r=1)
        canvas.oval(0, 9, 6, 1.6, shaded(it.paint, -40), thin=True)
        return
    for x in (-0.45, 0.45):
        canvas.box(x * w - 3, 0, 6, 6, shaded(frame, -30), thin=True)


def _house(canvas: Canvas, it: Subject) -> None:
    w, h = it.width, it.height
    a, eaves = w / 2, h * 0.66
    for x in (-1, 1):
        canvas.line(
            (x * a * 0.7, 20), (x * a * 0.7, eaves), (0, h * 0.93), ink=shaded(it.wood, 15), width=4
        )
        canvas.line((x * a, 0), (x * a, eaves), (0, h), ink=it.wood, width=5)
    canvas.line((-a, eaves), (a, eaves), ink=it.wood, width=3)
    for at in range(5):
        hung = -a + w * (at + 0.5) / 5
        canvas.line(
            (hung, eaves),
            (hung, eaves - 9 - 5 * (at % 2)),
            ink=("#c87b5a", "#a9b897", "#d3a43c")[at % 3],
            width=4,
        )


def mattress(canvas: Canvas, it: Subject) -> None:
    w, deep, h = it.width, it.depth * 0.34, it.height
    a, skew = w / 2, w * 0.14
    canvas.shadow(w * 0.52)
    canvas.shape(
        [
            (-a - skew / 2, h),
            (a - skew / 2, h),
            (a + skew / 2, h + deep),
            (-a + skew / 2, h + deep),
        ],
        shaded(it.paint, 30),
    )
    for row in range(1, 4):
        y, slide = h + deep * row / 4, skew * (row / 4 - 0.5)
        canvas.line((-a + slide, y), (a + slide, y))
    for at in range(1, 6):
        x = -a + w * at / 6
        canvas.line((x - skew / 2, h), (x + skew / 2, h + deep))
    canvas.shape(
        [(a - skew / 2, 0), (a + skew / 2, deep), (a + skew / 2, h + deep), (a - skew / 2, h)],
        shaded(it.paint, -14),
    )
    canvas.box(-a - skew / 2, 0, w, h, shaded(it.paint, -4), r=3)
    band = {"ressorts": "#6c7f92", "latex": "#d3a43c"}
    paint = next((paint for word, paint in band.items() if it.has(word)), "#a9b897")
    canvas.box(-a - skew / 2, h * 0.4, w, h * 0.2, paint, thin=True)
    if it.has("ressorts"):
        for at in range(9):
            canvas.oval(-a - skew / 2 + w * (at + 0.5) / 9, h * 0.5, 2.6, 5, "", thin=True)
