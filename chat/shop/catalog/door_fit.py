"""Does it pass through the door? Geometry of a box and a hole. Pure; all lengths in mm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

#: What hands, a blanket and a wall that is not straight take away, in width and in height.
CLEARANCE_MM = 20
#: What a door of a dwelling may measure, in cm, gates and bay windows included.
DOOR_CM = (30, 600)
#: A seat is no full box: tilted, its corner passes where the box is this much too large. A rule of
#: thumb, hence only ever "to be confirmed".
SEAT_TILT_PERCENT = 15

Verdict = Literal["yes", "maybe", "no"]

#: Which face goes through, told by its two sides; the third is the way it travels.
_FACES = {
    ("width", "depth"): "le dessus en premier",
    ("width", "height"): "de face",
    ("depth", "height"): "de côté, dans sa longueur",
}


@dataclass(frozen=True, slots=True)
class Box:
    """``is_seat``: a sofa or an armchair, which one may tilt. ``is_parcel``: as packed."""

    width: int
    depth: int
    height: int
    is_seat: bool = False
    is_parcel: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """``margin_mm``: what is left in the tighter direction; negative: what is missing."""

    verdict: Verdict
    how: str
    margin_mm: int


def fits_through(box: Box, door_width: int, door_height: int) -> Passage:
    """Return whether the box passes through the opening, and which way round.

    Straight through, any of its three faces first, with ``CLEARANCE_MM`` to spare: "yes". Turned
    within the opening, or tilted as one does with a sofa: "maybe". The corridor behind the door
    and the stairs are not known here.

    Raises:
        ValueError: a length is not positive.
    """
    if min(box.width, box.depth, box.height, door_width, door_height) <= 0:
        raise ValueError("a length must be positive")
    opening = (door_width - CLEARANCE_MM, door_height - CLEARANCE_MM)
    sides = {"width": box.width, "depth": box.depth, "height": box.height}
    straight = [
        (_margin(sides[one], sides[other], opening), (one, other))
        for one, other in combinations(sides, 2)
    ]
    margin, face = max(straight)
    if margin >= 0:
        return Passage("yes", _FACES[face], margin)
    if any(_passes_turned(sides[one], sides[other], opening) for one, other in _FACES):
        return Passage("maybe", "en biais dans l'ouverture", margin)
    if box.is_seat and _passes_tilted(box, opening):
        return Passage("maybe", "en le basculant, pieds démontés", margin)
    return Passage("no", "", margin)


def _margin(one: int, other: int, opening: tuple[int, int]) -> int:
    """Return what is left in the tighter direction, the better way round."""
    width, height = opening
    return max(min(width - one, height - other), min(width - other, height - one))


def _passes_turned(one: int, other: int, opening: tuple[int, int]) -> bool:
    """Whether a rectangle fits in another when turned.

    Source: Carver, "Solution to problem E1225", American Mathematical Monthly 64 (1957).
    """
    p, q = max(one, other), min(one, other)
    a, b = max(opening), min(opening)
    if q > b or b <= 0:
        return False
    if p <= a:
        return True
    return b * (p * p + q * q) >= 2 * p * q * a + (p * p - q * q) * math.sqrt(
        max(p * p + q * q - a * a, 0)
    )


def _passes_tilted(box: Box, opening: tuple[int, int]) -> bool:
    share = (100 - SEAT_TILT_PERCENT) / 100
    smaller, larger = sorted((box.depth, box.height))
    return _margin(int(smaller * share), larger, opening) >= 0
