"""What a customer looks for, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["width", "depth", "height"]
SIDES: tuple[Side, ...] = ("width", "depth", "height")


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends count; None: no bound."""

    at_least: int | None = None
    at_most: int | None = None

    def __bool__(self) -> bool:
        return self.at_least is not None or self.at_most is not None


NO_BOUND = Range()


@dataclass(frozen=True, slots=True)
class SizeLimit:
    """``mm``: how long the side may be."""

    side: Side
    mm: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A request understood.

    ``words`` are folded, the noun first as a rule. ``colours`` as ``take_colours`` names them.
    ``price`` in cents. ``seats``: how many people. ``bed_mm``: the width of the mattress.
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
        return self != Wanted(cheapest_first=self.cheapest_first)
