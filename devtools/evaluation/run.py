"""Results of one run of the evaluation and of the last one, the input of every report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chat.core.json import JSON
from devtools.evaluation.differences import Changed, Last, compared
from devtools.evaluation.results import Played


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Run of the evaluation. ``last``: last run against the same model, None for the first."""

    played: tuple[Played, ...]
    model: str
    made_at: datetime
    seconds: float
    last: Last | None = None

    @property
    def changed(self) -> Changed:
        return compared(self.played, self.last) if self.last else Changed(texts={})

    @property
    def passed(self) -> bool:
        return all(one.passed for one in self.played)

    def to_json(self) -> JSON:
        changed = self.changed
        return {
            "model": self.model,
            "passed": sum(one.passed for one in self.played),
            "failed": sum(not one.passed for one in self.played),
            "checks": sum(len(one.checks) for one in self.played),
            "changed": {
                "newly_failing": changed.newly_failing,
                "newly_passing": changed.newly_passing,
                "texts": changed.texts,
                "new": changed.new,
            },
            "conversations": [one.to_json() for one in self.played],
        }
