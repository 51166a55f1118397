"""Geometry of moving a piece of furniture through a door opening. Pure; all lengths in mm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

#: Margin for hands, a blanket and an uneven wall, in width and in height.
CLEARANCE_MM = 20
#: Plausible width and height of a door in cm, including gates and bay windows.
DOOR_CM = (30, 600)
#: Excess size at which a tilted seat still passes, since it does not fill its bounding box. A rule
#: of thumb, so the result is only "maybe".
SEAT_TILT_PERCENT = 15

Verdict = Literal["yes", "maybe", "no"]

#: Sides of the face that goes through the opening first; the third side is the direction of travel.
_FACES = {
    ("width", "depth"): "le dessus en premier",
    ("width", "height"): "de face",
    ("depth", "height"): "de côté, dans sa longueur",
}


@dataclass(frozen=True, slots=True)
class Box:
    """Bounding box. ``is_seat``: a sofa or armchair, which can be tilted. ``is_parcel``: packed."""

    width: int
    depth: int
    height: int
    is_seat: bool = False
    is_parcel: bool = False


@dataclass(frozen=True, slots=True)
class DoorFit:
    """Result of a fit. ``margin_mm``: space left in the tighter direction, negative if lacking."""

    verdict: Verdict
    how: str
    margin_mm: int


def fits_through(box: Box, door_width: int, door_height: int) -> DoorFit:
    """Return whether a box passes through an opening, and in which orientation.

    "yes": straight, with any of its three faces first and ``CLEARANCE_MM`` to spare. "maybe":
    rotated within the opening, or tilted (seats only). The corridor behind the door and the stairs
    are not considered.

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
        return DoorFit("yes", _FACES[face], margin)
    if any(_passes_turned(sides[one], sides[other], opening) for one, other in _FACES):
        return DoorFit("maybe", "en biais dans l'ouverture", margin)
    if box.is_seat and _passes_tilted(box, opening):
        return DoorFit("maybe", "en le basculant, pieds démontés", margin)
    return DoorFit("no", "", margin)


def _margin(one: int, other: int, opening: tuple[int, int]) -> int:
    """Return the space left in the tighter direction, in the better of two orientations."""
    width, height = opening
    return max(min(width - one, height - other), min(width - other, height - one))


def _passes_turned(one: int, other: int, opening: tuple[int, int]) -> bool:
    """Return whether a rectangle fits into another when rotated.

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
