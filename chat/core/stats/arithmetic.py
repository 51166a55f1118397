"""Percentiles from histogram buckets, and the cost of tokens in euros. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from decimal import Decimal

PREFIX = "first_text."
#: Upper bounds in seconds, dense in the range of responsive answers.
BOUNDS_S = (
    *(0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5),
    *(2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0, math.inf),
)


def bucket_of(seconds: float) -> str:
    """Return the counter name of the bucket of a latency, e.g. ``"first_text.0.5"``."""
    bound = BOUNDS_S[bisect_left(BOUNDS_S, seconds)] if seconds <= BOUNDS_S[-2] else math.inf
    return f"{PREFIX}{bound:g}"


def percentile_s(values: Mapping[str, int], quantile: float) -> float | None:
    """Return a quantile (0.0 to 1.0) of the latency in seconds, None without any answers.

    ``values``: counters of a day by name. Interpolates linearly inside a bucket; answers beyond the
    last bound count as that bound.
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
    """Return the cost of tokens in euros, None when a price is unknown (0).

    ``…_per_m``: price of a million tokens.
    """
    if not (prompt_eur_per_m and completion_eur_per_m):
        return None
    millionths = prompt_tokens * prompt_eur_per_m + completion_tokens * completion_eur_per_m
    return millionths / 1_000_000
