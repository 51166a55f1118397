"""One run of the evaluation, beside the one before: what every report is made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chat.evaluation.differences import Changed, Last, compared
from chat.evaluation.results import Played
from chat.sessions.types import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """``last``: the last run against the same model, None for the first."""

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
