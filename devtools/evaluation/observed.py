"""What was seen of one turn: plain values, held against what was expected."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chat.sessions.types import JSON


@dataclass(slots=True)
class Call:
    """A tool that the model called. ``arguments``: None where they were no JSON object.

    ``result``: what the model was told of it, None where it never asked again.
    """

    id: str
    name: str
    arguments: JSON | None
    result: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """``end``: an ``End`` of the turn; ``error``: its code, or "". ``announced``: what the
    application said by itself. ``rows``: how many the conversation has made by now.
    ``priority``: of its newest ticket, or "". ``form``: the request being prepared, with its
    "step", or None. ``sources``: kinds that the answer names.
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
