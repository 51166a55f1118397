"""What was seen during a run, for the invariants to judge. Plain values."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.stalls import Stall
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

    ``progressed_at``: when it heard a word of an answer, or saw an end that it had missed.
    ``spoke_at``: when it heard a word of an answer on its way.
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
    spoke_at: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class VisitorRecord:
    """``finals``: the transcript by who was asked for it in the end: each worker, and Redis.

    ``traces``: where anything of an erased conversation can still be read. ``unsettled``: pages
    that did not come to rest. ``taken_over_at``: when an adviser was told that she has it.
    """

    name: str
    tabs: list[TabRecord] = field(default_factory=list)
    finals: dict[str, View] = field(default_factory=dict)
    stored: list[Line] = field(default_factory=list)
    erased: bool = False
    traces: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    taken_over_at: float | None = None

    def excuse_what_came_back(self) -> None:
        """Excuse messages that were shown, then not, but were kept in the end.

        And answers told from memory that another one, to the same question, replaced in a merge.
        """
        kept = {line.id for line in self.stored}
        answered = {line.reply_to for line in self.stored if line.reply_to}
        for tab in self.tabs:
            told = {end.answer_id: end.question for end in tab.endings if end.answer_id}
            tab.vanished = [
                id_ for id_ in tab.vanished if id_ not in kept and told.get(id_) not in answered
            ]


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
    """``errors``: lines of the workers' logs that tell of a bug. ``late``: promises of seconds
    that were not kept. ``broken``: other promises, see ``kept_going`` in ``invariants.py``.

    ``numbered``: whether every answer is one of ``answers.py``. ``undisturbed``: whether nothing
    was struck and nobody stopped an answer. ``calls``: how often the model was asked each question.
    ``stalls``: of event loops. ``leaks``: where a secret was written.
    """

    seed: int
    scenario: str = ""
    visitors: list[VisitorRecord] = field(default_factory=list)
    workers: list[WorkerRecord] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    stalls: list[Stall] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    numbered: bool = True
    undisturbed: bool = False

    @property
    def longest_step_s(self) -> float:
        """Processor time of the longest step of a worker's event loop; 0.1 or less is not noted."""
        return max((stall.busy_s for stall in self.stalls), default=0.0)

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
    def replaced(self) -> int:
        """Answers that memory told and a merge replaced by another to the same question."""
        kept = {line.id: line.text for visitor in self.visitors for line in visitor.stored}
        told = {
            (ending.answer_id, ending.text)
            for visitor in self.visitors
            for tab in visitor.tabs
            for ending in tab.endings
            if ending.how == "done" and not visitor.erased
        }
        return sum(kept.get(answer_id) != text for answer_id, text in told)

    @property
    def doubled(self) -> int:
        stored = (Counter(line.id for line in visitor.stored) for visitor in self.visitors)
        return sum(times - 1 for counted in stored for times in counted.values())


def stalls_of(run: RunRecord) -> str:
    """``"0.31 s late, longest step 0.12 s of processor time"``, of whichever worker it was."""
    late_s = max((stall.late_s for stall in run.stalls), default=0.0)
    return f"{late_s:.2f} s late, longest step {run.longest_step_s:.2f} s of processor time"


def figures(runs: Sequence[RunRecord]) -> str:
    """``"812 messages, 31 faults, 0 lost, 0 doubled, …; recovery 0.2 s (median), …"``"""
    messages = sum(run.messages for run in runs)
    faults = sum(len(run.struck) for run in runs)
    lost, doubled = sum(run.lost for run in runs), sum(run.doubled for run in runs)
    replaced = sum(run.replaced for run in runs)
    text = f"{messages} messages, {faults} faults, {lost} lost, {doubled} doubled"
    text += f", {replaced} answers replaced in a merge"
    recoveries = [since for run in runs for since in run.recoveries_s]
    if recoveries:
        median = statistics.median(recoveries)
        text += f"; recovery {median:.2f} s (median), {max(recoveries):.1f} s (worst)"
    if step_s := max((run.longest_step_s for run in runs), default=0.0):
        text += f"; longest step of an event loop {step_s:.2f} s"
    return text
