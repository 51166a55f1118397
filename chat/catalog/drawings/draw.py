"""From a product to its drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chat.catalog.drawings import bedroom, decor, seating, storage, tables
from chat.catalog.drawings.canvas import Canvas
from chat.catalog.drawings.subject import Subject, subject_of

#: By the middle of the reference; with how much room it takes beside its width and its height.
_PAINTERS: dict[str, tuple[Callable[[Canvas, Subject], None], float, float]] = {
    "CAP": (seating.sofa, 1.0, 1.05),
    "FAU": (seating.armchair, 1.25, 1.04),
    "POU": (seating.pouf, 1.4, 1.4),
    "CHS": (seating.chair, 1.1, 1.02),
    "BAN": (seating.bench, 1.0, 1.0),
    "TAB": (tables.table, 1.0, 1.05),
    "TBA": (tables.table, 1.05, 1.6),
    "MTV": (storage.cabinet, 1.02, 1.0),
    "BUF": (storage.cabinet, 1.02, 1.0),
    "BIB": (storage.bookcase, 1.03, 1.0),
    "ARM": (storage.wardrobe, 1.04, 1.0),
    "COM": (storage.chest, 1.1, 1.05),
    "CHE": (storage.chest, 1.3, 1.15),
    "ETA": (storage.shelf, 1.1, 1.0),
    "LIT": (bedroom.bed, 1.05, 1.05),
    "MAT": (bedroom.mattress, 1.3, 3.9),
    "LAM": (decor.lamp, 1.3, 1.12),
    "MIR": (decor.mirror, 1.1, 1.02),
    "COU": (decor.cushion, 1.3, 1.2),
    "VAS": (decor.vase, 1.6, 1.35),
    "TAP": (decor.rug, 1.05, 34.0),
}
#: No drawing is larger: a page of the catalogue shows dozens.
MAX_BYTES = 3_000


def draw(row: Mapping[str, Any]) -> str | None:
    """Return the SVG of a checked row of the catalogue, or None for a kind nobody can draw."""
    known = _PAINTERS.get(row["reference"][4:7])
    if known is None or not all(row.get(f"{side}_mm") for side in ("width", "depth", "height")):
        return None
    painter, wide, high = known
    it = subject_of(row)
    width = max(it.width, it.depth) if it.has("articule") else it.width
    height = 105 if it.kind == "TAP" else it.height * high
    canvas = Canvas(width * wide, height)
    painter(canvas, it)
    return canvas.svg(row["name"])
