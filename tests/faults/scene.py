"""What a fault that is a small story of its own is given: who is there, and how to bring guests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.faults.answers import NumberedAnswers
from tests.faults.cluster import Cluster, WorkerProcess
from tests.faults.patience import done_within
from tests.faults.records import RunRecord
from tests.faults.visitor import Visitor
from tests.faults.witness import Witness

#: Called with the addresses of the workers at which a new visitor opens a tab each, the first of
#: which gives the cookie, and with how many words are to be said. Their tabs ask nothing yet.
Welcome = Callable[[Sequence[str], int], Awaitable[Visitor]]


@dataclass(frozen=True)
class Scene:
    """``record``: where what was not as promised is noted. ``plan``: of what the model says."""

    cluster: Cluster
    witness: Witness
    record: RunRecord
    plan: NumberedAnswers
    welcome: Welcome

    def others(self, worker: WorkerProcess) -> list[WorkerProcess]:
        return [other for other in self.cluster.running if other is not worker]

    async def must(self, what: str, limit_s: float, doing: Awaitable[object]) -> bool:
        """Wait for it; note that it did not come in time. Return whether it did."""
        is_done = await done_within(limit_s, doing)
        if not is_done:
            self.record.broken.append(f"{what}: not within {limit_s:g} s")
        return is_done


async def ask(visitor: Visitor, tab: int = 0) -> str:
    """Have a guest ask the question of this tab; return its id once it was acknowledged."""
    question = visitor.script[tab][0]
    await visitor.tabs[tab].ask(question.id, question.text)
    await visitor.tabs[tab].accepted(question.id)
    return question.id
