"""What the local assistant was told to do wrong, and what it was asked."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any

from chat.simulator.faults import BadFault, Fault, Kind, parse_fault, read_directives
from chat.simulator.request import JSON

MAX_FAULTS = 100
MAX_RECORDED = 100


@dataclass(frozen=True, slots=True)
class Pace:
    """``delay_ms`` before the headers, ``first_token_ms`` more before the first token.

    ``tokens_per_s``: 0 is as fast as possible.
    """

    delay_ms: int = 0
    first_token_ms: int = 200
    tokens_per_s: float = 40

    def changed_by(self, fault: Fault) -> Pace:
        return Pace(
            self.delay_ms if fault.delay_ms is None else fault.delay_ms,
            self.first_token_ms if fault.first_token_ms is None else fault.first_token_ms,
            self.tokens_per_s if fault.tokens_per_s is None else fault.tokens_per_s,
        )


@dataclass(slots=True)
class Planned:
    """A fault and how many times it still happens; None: until it is taken away."""

    fault: Fault
    left: int | None

    def to_json(self) -> JSON:
        return {**asdict(self.fault), "times": self.left}


@dataclass
class FaultPlan:
    """The faults that will happen, in the order they were added.

    Each request takes the first one meant for it.
    """

    planned: list[Planned] = field(default_factory=list)

    def add(self, kind: str, *, times: int | None = 1, **settings: Any) -> None:
        """Plan a fault: ``add("cut", after=5)``, ``add("error", status=503, times=None)``.

        Raises:
            BadFault: it makes no sense, or too many are planned already.
        """
        self.add_json({"kind": kind, "times": times, **settings})

    def add_json(self, data: object) -> Planned:
        if len(self.planned) >= MAX_FAULTS:
            raise BadFault(f"at most {MAX_FAULTS} faults may be planned")
        planned = Planned(*parse_fault(data))
        self.planned.append(planned)
        return planned

    def clear(self) -> None:
        self.planned.clear()

    def take(self, asked: str) -> Fault | None:
        """Return what goes wrong with a request that asks this, and count it."""
        for planned in self.planned:
            if planned.fault.match not in asked:
                continue
            if planned.left is not None:
                planned.left -= 1
                if planned.left == 0:
                    self.planned.remove(planned)
            return planned.fault
        return None


@dataclass
class RequestLog:
    """How many completions were asked for, and the last ``keep`` bodies.

    Kept bodies hold what customers wrote: 0 is the default outside tests.
    """

    keep: int = 0
    count: int = 0
    bodies: deque[JSON] = field(init=False)

    def __post_init__(self) -> None:
        self.bodies = deque(maxlen=min(self.keep, MAX_RECORDED))

    def note(self, body: JSON) -> None:
        self.count += 1
        self.bodies.append(body)

    def clear(self) -> None:
        self.count = 0
        self.bodies.clear()


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one request is treated. ``unknown``: directives that were not understood.

    ``hostile``: whatever is asked is obeyed, as ``hostile.py`` has it.
    """

    pace: Pace
    fault: Fault | None = None
    unknown: tuple[str, ...] = ()
    hostile: bool = False


def behaviour_for(asked: str, pace: Pace, plan: FaultPlan, *, hostile: bool = False) -> Behaviour:
    """Return how to treat a request. What its message directs comes before what was planned."""
    directives = read_directives(asked)
    chosen: Fault | None = None
    for fault in directives.faults:
        pace = pace.changed_by(fault)
        chosen = chosen if fault.kind is Kind.SLOW else fault
    if chosen is None and (planned := plan.take(asked)) is not None:
        pace = pace.changed_by(planned)
        chosen = None if planned.kind is Kind.SLOW else planned
    return Behaviour(pace, chosen, directives.unknown, hostile)
