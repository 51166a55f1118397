"""Observed result of one turn, as plain values to compare with its expectations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chat.core.json import JSON


@dataclass(slots=True)
class Call:
    """Tool call of the model. ``arguments``: None if they were not a JSON object.

    ``result``: tool result sent to the model, None if there was no further request.
    """

    id: str
    name: str
    arguments: JSON | None
    result: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedTurn:
    """Result of one turn. ``end``: an ``End``; ``error``: its code, or "".

    ``announced``: messages of the application itself. ``rows``: number of rows created by the
    conversation so far. ``priority``: of its newest ticket, or "". ``form``: ticket draft with its
    "step", or None. ``sources``: kinds of sources named by the answer.
    """

    end: str
    answer: str = ""
    error: str = ""
    interrupted: bool = False
    announced: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    asked: bool = False
    rows: dict[str, int] = field(default_factory=dict)
    priority: str = ""
    sources: tuple[str, ...] = ()
    form: JSON | None = None
