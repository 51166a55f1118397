"""Numbers drawn from many measurements. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median as median


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share (0 to 1) lies, between neighbours if need be.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def noise(values: Sequence[float]) -> float | None:
    """How far rounds lie apart, as a share of their median; None for a single round."""
    if len(values) < 2:
        return None
    middle = median(values)
    return (max(values) - min(values)) / abs(middle) if middle else 0.0


def ratio(value: float | None, to: float | None) -> float | None:
    """``value / to``; None where there is nothing to compare with."""
    return value / to if value is not None and to else None


def shares(total: int, parts: int) -> list[int]:
    """Cut a number in whole parts that differ by one at most, leaving out empty ones."""
    whole, rest = divmod(total, parts)
    return [share for n in range(parts) if (share := whole + (n < rest))]
