"""Results of played conversations, and their JSON form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chat.core.json import JSON
from devtools.evaluation.checks import Check
from devtools.evaluation.observed import ObservedTurn
from devtools.evaluation.types import CATEGORIES, Conversation


@dataclass(frozen=True, slots=True)
class PlayedTurn:
    text: str
    observed: ObservedTurn
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """Result of one conversation. ``trouble``: French reason why it was not completed, or "".

    ``asked``, ``cached``: numbers of answers from the model and from the cache.
    """

    conversation: Conversation
    turns: tuple[PlayedTurn, ...]
    trouble: str = ""
    seconds: float = 0.0
    asked: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def name(self) -> str:
        return self.conversation.name

    @property
    def passed(self) -> bool:
        return not self.trouble and all(check.holds for check in self.checks)

    @property
    def checks(self) -> list[Check]:
        return [check for turn in self.turns for check in turn.checks]

    @property
    def failures(self) -> list[str]:
        """Reasons of the failures, each with the number of its turn."""
        told = [
            f"message {number} : {check.wanted} — {check.reason}"
            for number, turn in enumerate(self.turns, 1)
            for check in turn.checks
            if not check.holds
        ]
        return [*told, self.trouble] if self.trouble else told

    @property
    def answers(self) -> list[str]:
        return [turn.observed.answer for turn in self.turns]

    def to_json(self) -> JSON:
        return {
            "name": self.name,
            "category": self.conversation.category,
            "passed": self.passed,
            "trouble": self.trouble,
            "seconds": round(self.seconds, 2),
            "turns": [_turn_json(turn) for turn in self.turns],
        }


def _turn_json(turn: PlayedTurn) -> JSON:
    observed = turn.observed
    return {
        "customer": turn.text,
        "answer": observed.answer,
        "announced": list(observed.announced),
        "end": observed.end,
        "error": observed.error,
        "sources": list(observed.sources),
        "form": observed.form,
        "rows": observed.rows,
        "tools": [
            {"name": call.name, "arguments": call.arguments, "result": call.result}
            for call in observed.calls
        ],
        "checks": [
            {"kind": check.kind, "wanted": check.wanted, "reason": check.reason}
            for check in turn.checks
        ],
    }


@dataclass(frozen=True, slots=True)
class Line:
    """Summary of a category: numbers of conversations, of passed ones and of checks."""

    category: str
    conversations: int
    passed: int
    checks: int

    @property
    def failed(self) -> int:
        return self.conversations - self.passed

    @property
    def label(self) -> str:
        return CATEGORIES.get(self.category, self.category)


def lines_of(played: Sequence[Played]) -> list[Line]:
    """Return the summary of each category that was played, in the usual order."""
    lines = []
    for category in CATEGORIES:
        group = [one for one in played if one.conversation.category == category]
        if group:
            passed = sum(one.passed for one in group)
            checks = sum(len(one.checks) for one in group)
            lines.append(Line(category, len(group), passed, checks))
    return lines


def total_of(lines: Sequence[Line]) -> Line:
    return Line(
        "Total",
        sum(line.conversations for line in lines),
        sum(line.passed for line in lines),
        sum(line.checks for line in lines),
    )
