"""What a drawing is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chat.catalog.drawings.palette import WOOD, paint_of
from chat.catalog.words import folded


@dataclass(frozen=True, slots=True)
class Subject:
    """A product to draw; sizes in cm. ``said``: all that is said of it, folded."""

    kind: str
    said: str
    width: float
    depth: float
    height: float
    seats: int
    paint: str
    second: str
    wood: str

    def has(self, *words: str) -> bool:
        return any(word in self.said for word in words)


def subject_of(row: Mapping[str, Any]) -> Subject:
    """Return the subject that a checked row of the catalogue describes."""
    texts = [row["name"], *row.get("features", ()), *row.get("materials", ())]
    said = folded(" ".join(texts))
    paints = [paint_of(colour) for colour in row.get("colours", ())] or [WOOD]
    woods = [paint_of(material) for material in row.get("materials", ()) if "bois" in material]
    oak = next((p for p in map(paint_of, row.get("materials", ())) if p), "")
    return Subject(
        kind=row["reference"][4:7],
        said=said,
        width=row["width_mm"] / 10,
        depth=row["depth_mm"] / 10,
        height=row["height_mm"] / 10,
        seats=row.get("seats") or 1,
        paint=paints[0] or oak or WOOD,
        second=next((p for p in paints[1:] if p), paints[0] or WOOD),
        wood=next(iter(woods), "") or oak or WOOD,
    )
