"""What was seen during a run, for the invariants to judge. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.faults.view import Line, View


@dataclass(frozen=True, slots=True)
class Ending:
    """A question was told to have ended. ``how``: "done" or an error code.

    ``backend``: what the viewer had last been told of the store. ``retries``: how often its
    author had asked again by then.
    """

    question: str
    how: str
    answer_id: str = ""
    text: str = ""
    backend: str = "redis"
    retries: int = 0


@dataclass(slots=True, kw_only=True)
class TabRecord:
    """``asked``: text by id, in order. ``missed_s``: heard nothing for so long, at worst."""

    name: str
    asked: dict[str, str] = field(default_factory=dict)
    accepted: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    endings: list[Ending] = field(default_factory=list)
    view: View = field(default_factory=View)
    heard_after_erasure: list[str] = field(default_factory=list)
    #: Messages that vanished from a view while Redis served.
    vanished: list[str] = field(default_factory=list)
    internal: list[str] = field(default_factory=list)
    connections: int = 0
    progressed_at: list[float] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class VisitorRecord:
    """``finals``: the transcript by who was asked for it in the end: each worker, and Redis.

    ``traces``: where anything of an erased conversation can still be read.
    """

    name: str
    tabs: list[TabRecord]
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
    seed: int
    visitors: list[VisitorRecord] = field(default_factory=list)
    workers: list[WorkerRecord] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)
    #: Lines of the workers' logs that tell of a bug.
    tracebacks: list[str] = field(default_factory=list)

    @property
    def messages(self) -> int:
        return sum(len(tab.accepted) for visitor in self.visitors for tab in visitor.tabs)
