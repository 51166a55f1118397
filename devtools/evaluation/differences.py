"""Differences from the last run against the same model, which is stored as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chat.core.json import JSON
from devtools.evaluation.results import Played

_VERSION = 1
#: Ignored in comparisons: concurrent conversations get ticket numbers in random order.
_TICKET_NUMBER = re.compile(r"SAV-\d{4}-\d{5}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """Changes by conversation. ``texts``: by name, the turns (from 1) whose answer differs."""

    newly_failing: tuple[str, ...] = ()
    newly_passing: tuple[str, ...] = ()
    texts: dict[str, tuple[int, ...]]
    new: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.newly_failing or self.newly_passing or self.texts or self.new)


@dataclass(frozen=True, slots=True)
class Last:
    """The last run. ``made_at``: as stored. ``results``: by name of the conversation."""

    made_at: str
    results: dict[str, JSON]


def compared(played: Sequence[Played], last: Last) -> Changed:
    """Return the differences of the conversations that were played now."""
    known = [(one, last.results[one.name]) for one in played if one.name in last.results]
    texts = {one.name: _changed_turns(_answers(one), before["answers"]) for one, before in known}
    return Changed(
        newly_failing=tuple(o.name for o, before in known if before["passed"] and not o.passed),
        newly_passing=tuple(o.name for o, before in known if not before["passed"] and o.passed),
        texts={name: turns for name, turns in texts.items() if turns},
        new=tuple(one.name for one in played if one.name not in last.results),
    )


def _answers(one: Played) -> list[str]:
    return [_TICKET_NUMBER.sub("SAV-…", answer) for answer in one.answers]


def _changed_turns(now: Sequence[str], before: Sequence[str]) -> tuple[int, ...]:
    longest = max(len(now), len(before))
    pairs = ((n < len(now) and n < len(before) and now[n] == before[n]) for n in range(longest))
    return tuple(n for n, same in enumerate(pairs, 1) if not same)


def read_last(path: Path, model: str) -> Last | None:
    """Return the last run against this model; None if there is none, or the file is invalid."""
    try:
        run = json.loads(path.read_text("utf-8"))["models"][model]
        results = {
            str(name): {"passed": bool(one["passed"]), "answers": list(map(str, one["answers"]))}
            for name, one in run["results"].items()
        }
        return Last(str(run["made_at"]), results)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def keep_run(path: Path, model: str, played: Sequence[Played], made_at: str) -> None:
    """Store the results of a run; conversations that were not played keep their last result.

    Raises:
        OSError: the file could not be written.
    """
    before = read_last(path, model)
    results = before.results if before else {}
    results |= {one.name: {"passed": one.passed, "answers": _answers(one)} for one in played}
    models = _models(path) | {model: {"made_at": made_at, "results": results}}
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"version": _VERSION, "models": models}, ensure_ascii=False, indent=1)
    part = path.with_suffix(".part")
    part.write_text(text, "utf-8")
    part.replace(path)


def _models(path: Path) -> JSON:
    try:
        models = json.loads(path.read_text("utf-8"))["models"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return models if isinstance(models, dict) else {}
