"""Value types of a catalogue search: criteria and ranges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["width", "depth", "height"]
SIDES: tuple[Side, ...] = ("width", "depth", "height")


@dataclass(frozen=True, slots=True)
class Range:
    """Inclusive range; None: no bound."""

    at_least: int | None = None
    at_most: int | None = None

    def __bool__(self) -> bool:
        return self.at_least is not None or self.at_most is not None


NO_BOUND = Range()


@dataclass(frozen=True, slots=True)
class SizeLimit:
    """Bound on one side. ``mm``: range of its length."""

    side: Side
    mm: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductQuery:
    """Parsed search request.

    ``words``: folded, usually with the noun first. ``colours``: as ``take_colours`` names them.
    ``price`` in cents. ``seats``: number of people. ``bed_mm``: width of the mattress.
    ``footprint_mm``: two sides in either order, as in "180x90". ``category``: a slug.
    """

    words: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    price: Range = NO_BOUND
    seats: Range = NO_BOUND
    sizes: tuple[SizeLimit, ...] = ()
    footprint_mm: tuple[int, int] | None = None
    bed_mm: Range = NO_BOUND
    category: str = ""
    reference: str = ""
    cheapest_first: bool = False

    def __bool__(self) -> bool:
        return self != ProductQuery(cheapest_first=self.cheapest_first)
