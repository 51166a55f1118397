"""What was seen during a run, for the invariants to judge. Plain values."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.view import Line, View


@dataclass(frozen=True, slots=True)
class Ending:
    """A question was told to have ended. ``how``: "done" or an error code.

    ``backend``: what the viewer had last been told of the store.
    """

    question: str
    how: str
    answer_id: str = ""
    text: str = ""
    backend: str = "redis"


@dataclass(slots=True, kw_only=True)
class TabRecord:
    """``asked``: text by id, in order. ``retried``: what its customer asked again after a failure.

    ``vanished``: messages that were taken back while Redis served. ``blanked``: how often a
    conversation was shown as if nothing had been said. ``internal``: bugs it was told.
    """

    name: str
    asked: dict[str, str] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    endings: list[Ending] = field(default_factory=list)
    view: View = field(default_factory=View)
    heard_after_erasure: list[str] = field(default_factory=list)
    retried: set[str] = field(default_factory=set)
    vanished: list[str] = field(default_factory=list)
    blanked: int = 0
    internal: list[str] = field(default_factory=list)
    connections: int = 0
    progressed_at: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class VisitorRecord:
    """``finals``: the transcript by who was asked for it in the end: each worker, and Redis.

    ``traces``: where anything of an erased conversation can still be read. ``unsettled``: pages
    that did not come to rest.
    """

    name: str
    tabs: list[TabRecord] = field(default_factory=list)
    finals: dict[str, View] = field(default_factory=dict)
    stored: list[Line] = field(default_factory=list)
    erased: bool = False
    erasure_refused: bool = False
    traces: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class WorkerRecord:
    """One that lived through the run. Memory in MiB."""

    name: str
    before_mib: float
    peak_mib: float
    files_before: int
    files_after: int
    sockets_after: int
    allowed_mib: float


@dataclass(slots=True, kw_only=True)
class RunRecord:
    """``errors``: lines of the workers' logs that tell of a bug.

    ``numbered``: whether every answer is one of ``answers.py``.
    """

    seed: int
    visitors: list[VisitorRecord] = field(default_factory=list)
    workers: list[WorkerRecord] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    numbered: bool = True

    @property
    def messages(self) -> int:
        return sum(len(tab.accepted) for visitor in self.visitors for tab in visitor.tabs)

    @property
    def lost(self) -> int:
        lost = 0
        for visitor in self.visitors:
            stored = {line.id for line in visitor.stored}
            accepted = {id_ for tab in visitor.tabs for id_ in tab.accepted}
            lost += 0 if visitor.erased else len(accepted - stored)
        return lost

    @property
    def doubled(self) -> int:
        stored = (Counter(line.id for line in visitor.stored) for visitor in self.visitors)
        return sum(times - 1 for counted in stored for times in counted.values())


def figures(runs: Sequence[RunRecord]) -> str:
    """``"812 messages, 31 faults, 0 lost, 0 doubled; recovery 0.21 s (median), 6.4 s (worst)"``"""
    messages = sum(run.messages for run in runs)
    faults = sum(len(run.struck) for run in runs)
    lost, doubled = sum(run.lost for run in runs), sum(run.doubled for run in runs)
    text = f"{messages} messages, {faults} faults, {lost} lost, {doubled} doubled"
    recoveries = [since for run in runs for since in run.recoveries_s]
    if recoveries:
        median = statistics.median(recoveries)
        text += f"; recovery {median:.2f} s (median), {max(recoveries):.1f} s (worst)"
    return text
