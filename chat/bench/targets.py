"""What a figure should be, and whether it is. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Verdict(StrEnum):
    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "not judged"  # no target, or this run cannot tell


@dataclass(frozen=True, slots=True)
class Target:
    """``of``: whether our figure is meant, or its ratio to the floor's."""

    limit: float
    kind: Literal["at least", "at most"]
    of: Literal["ours", "ratio"] = "ours"

    def words(self, unit: str) -> str:
        """``≥ 2.2 × floor``, ``≤ 15 ms``."""
        sign = "≥" if self.kind == "at least" else "≤"
        meant = "× floor" if self.of == "ratio" else unit
        return f"{sign} {self.limit:g} {meant}".rstrip()


def judge(target: Target | None, value: float | None, ratio: float | None) -> Verdict:
    """Say whether the target holds; a figure that is not there is not judged."""
    if target is None:
        return Verdict.OPEN
    meant = value if target.of == "ours" else ratio
    if meant is None:
        return Verdict.OPEN
    holds = meant >= target.limit if target.kind == "at least" else meant <= target.limit
    return Verdict.HOLDS if holds else Verdict.FAILS
