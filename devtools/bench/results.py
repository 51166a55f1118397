"""Results of a bench run: one row per measurement, with target and verdict. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from statistics import median, quantiles
from typing import Any

#: Values by measurement and side, one per round. Sides: "ours", "floor" and "before".
Rounds = defaultdict[tuple[str, str], list[float]]


class Verdict(StrEnum):
    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "not judged"  # no target, or this run cannot tell


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement. ``ours``, ``floor``, ``before``: one value per round.

    ``target``: ``≥ 2.2 × floor``, ``≤ 15 ms``, or "". ``criterion``: acceptance criterion.
    ``unjudged``: reason why this run has no verdict, or "".
    """

    part: str
    name: str
    unit: str
    ours: Sequence[float]
    floor: Sequence[float] = ()
    before: Sequence[float] = ()
    _: KW_ONLY
    target: str = ""
    criterion: bool = False
    unjudged: str = ""
    note: str = ""

    @property
    def value(self) -> float | None:
        return median(self.ours) if self.ours else None

    @property
    def floor_value(self) -> float | None:
        return median(self.floor) if self.floor else None

    @property
    def before_value(self) -> float | None:
        return median(self.before) if self.before else None

    @property
    def ratio(self) -> float | None:
        """Ratio of ours to the floor; None if either is missing."""
        ours, floor = self.value, self.floor_value
        return ours / floor if ours is not None and floor else None

    @property
    def noise(self) -> float | None:
        """Spread of the rounds relative to their median, the larger of both sides; None for one
        round.
        """
        sides = [side for side in (self.ours, self.floor) if len(side) > 1]
        middles = [(side, abs(median(side))) for side in sides]
        spreads = [(max(side) - min(side)) / middle if middle else 0.0 for side, middle in middles]
        return max(spreads, default=None)

    @property
    def verdict(self) -> Verdict:
        if not self.target or self.unjudged:
            return Verdict.OPEN
        sign, limit, *unit = self.target.split()
        meant = self.ratio if unit == ["×", "floor"] else self.value
        if meant is None:
            return Verdict.OPEN
        holds = meant >= float(limit) if sign == "≥" else meant <= float(limit)
        return Verdict.HOLDS if holds else Verdict.FAILS

    def to_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "name": self.name,
            "unit": self.unit,
            "ours": self.value,
            "floor": self.floor_value,
            "before": self.before_value,
            "ratio": self.ratio,
            "noise": self.noise,
            "target": self.target or None,
            "verdict": self.verdict.value,
            "unjudged": self.unjudged,
            "criterion": self.criterion,
            "note": self.note,
            "rounds": {"ours": self.ours, "floor": self.floor, "before": self.before},
        }


def compared(rounds: Rounds, part: str, name: str, unit: str, figure: str, **given: Any) -> Row:
    """Return the row of a measurement, with the values of all measured sides."""
    sides = [rounds[figure, side] for side in ("ours", "floor", "before")]
    return Row(part, name, unit, *sides, **given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Results of one run. ``machine``: description of the machine. ``profile``: share of a worker's
    CPU time by package. ``broken``: reason of failure by name of a part without rows.
    """

    began_at: str
    lasted_s: float
    size: str
    machine: Mapping[str, str]
    rows: Sequence[Row]
    remarks: Sequence[str] = ()
    profile: Mapping[str, float] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> list[Row]:
        return [row for row in self.rows if row.verdict is Verdict.FAILS]

    @property
    def held(self) -> list[Row]:
        return [row for row in self.rows if row.verdict is Verdict.HOLDS]

    @property
    def holds(self) -> bool:
        return not self.failed and not self.broken

    @property
    def verdict(self) -> str:
        """``12 targets hold, 1 missed: turns per second, 500 conversations.``"""
        held = len(self.held)
        kept = f"{held} target{'s' if held != 1 else ''} hold{'' if held != 1 else 's'}"
        missed = "; ".join(row.name for row in self.failed)
        told = f"{len(self.failed)} missed: {missed}" if missed else "none is missed"
        unknown = f" Not measured: {', '.join(self.broken)}." if self.broken else ""
        return f"{kept}, {told}.{unknown}"

    def to_json(self) -> dict[str, Any]:
        return {
            "began_at": self.began_at,
            "lasted_s": round(self.lasted_s, 1),
            "size": self.size,
            "machine": dict(self.machine),
            "holds": self.holds,
            "broken": dict(self.broken),
            "rows": [row.to_json() for row in self.rows],
            "remarks": list(self.remarks),
            "profile": dict(self.profile),
        }


def p95(values: Sequence[float]) -> float:
    """Return the 95th percentile, interpolated."""
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]
