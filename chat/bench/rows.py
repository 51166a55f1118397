"""What a run found: one row for each figure. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chat.bench.figures import median, noise, ratio
from chat.bench.targets import Target, Verdict, judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure, measured once or more. ``ours``, ``floor``, ``before``: one value a round.

    ``criterion``: it is one of the requester's own.
    ``unjudged``: why this run cannot tell whether the target holds, or "".
    """

    part: str
    name: str
    unit: str
    ours: tuple[float, ...]
    floor: tuple[float, ...] = ()
    before: tuple[float, ...] = ()
    target: Target | None = None
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
        return ratio(self.value, self.floor_value)

    @property
    def noise(self) -> float | None:
        """The larger of both sides' spread between rounds."""
        found = [one for one in (noise(self.ours), noise(self.floor)) if one is not None]
        return max(found, default=None)

    @property
    def verdict(self) -> Verdict:
        if self.unjudged:
            return Verdict.OPEN
        return judge(self.target, self.value, self.ratio)

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
            "target": self.target.words(self.unit) if self.target else None,
            "verdict": self.verdict.value,
            "unjudged": self.unjudged,
            "criterion": self.criterion,
            "note": self.note,
            "rounds": {"ours": self.ours, "floor": self.floor, "before": self.before},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All of one run. ``machine``: what it ran on, by name. ``profile``: see ``profiled.py``.

    ``broken``: why a part has no rows, by its name.
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

    def to_json(self) -> dict[str, Any]:
        return {
            "began_at": self.began_at,
            "lasted_s": round(self.lasted_s, 1),
            "size": self.size,
            "machine": dict(self.machine),
            "holds": not self.failed and not self.broken,
            "broken": dict(self.broken),
            "rows": [row.to_json() for row in self.rows],
            "remarks": list(self.remarks),
            "profile": dict(self.profile),
        }


def verdict_words(run: Run) -> str:
    """``12 targets hold, 1 does not: turns per second, 500 conversations.``"""
    held = len(run.held)
    kept = f"{held} target{'s' if held != 1 else ''} hold{'' if held != 1 else 's'}"
    missed = "; ".join(row.name for row in run.failed)
    told = f"{len(run.failed)} missed: {missed}" if missed else "none is missed"
    unknown = f" Not measured: {', '.join(run.broken)}." if run.broken else ""
    return f"{kept}, {told}.{unknown}"
