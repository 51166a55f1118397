"""Percentiles out of buckets, euros out of tokens. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from decimal import Decimal

PREFIX = "first_text."
#: Upper bounds in seconds. Close together where an answer that feels quick ends.
BOUNDS_S = (
    *(0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5),
    *(2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0, math.inf),
)


def bucket_of(seconds: float) -> str:
    """Return the name under which such an answer is counted, e.g. ``"first_text.0.5"``."""
    bound = BOUNDS_S[bisect_left(BOUNDS_S, seconds)] if seconds <= BOUNDS_S[-2] else math.inf
    return f"{PREFIX}{bound:g}"


def percentile_s(values: Mapping[str, int], quantile: float) -> float | None:
    """Return the seconds within which this part of the answers came, None when there were none.

    ``values``: numbers of a day by name. Inside a bucket answers are taken as spread evenly; those
    beyond the last bound count as that bound.
    """
    counts = [values.get(f"{PREFIX}{bound:g}", 0) for bound in BOUNDS_S]
    rank = quantile * sum(counts)
    if rank <= 0:
        return None
    below, lower = 0, 0.0
    for bound, count in zip(BOUNDS_S, counts, strict=True):
        if count and below + count >= rank:
            if math.isinf(bound):
                return lower
            return lower + (bound - lower) * (rank - below) / count
        below, lower = below + count, bound
    return BOUNDS_S[-2]  # rank went past the sum by rounding


def cost_eur(
    prompt_tokens: int,
    completion_tokens: int,
    prompt_eur_per_m: Decimal,
    completion_eur_per_m: Decimal,
) -> Decimal | None:
    """Return the euros that these tokens cost, None when a price is not known (0).

    ``…_per_m``: of a million tokens.
    """
    if not (prompt_eur_per_m and completion_eur_per_m):
        return None
    millionths = prompt_tokens * prompt_eur_per_m + completion_tokens * completion_eur_per_m
    return millionths / 1_000_000
