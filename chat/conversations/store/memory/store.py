"""Chat sessions in this process's memory: ``memory://``, for one process, lost with it.

Every method is one step of the event loop: nothing else runs in its middle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from chat.conversations.store.adviser_store import ASSIGNMENT_S, StaffNote
from chat.conversations.store.draft_versions import (
    form_text,
    is_repeated,
    may_replace,
    version_after,
)
from chat.conversations.store.erasures import Backlog, ErasureFolder
from chat.conversations.store.memory.advisers import MemoryAdviserStore
from chat.conversations.store.memory.record import Budget, Record, RunningTurn
from chat.conversations.store.protocol import (
    ANSWER_WITHIN_S,
    ANY_OWNER,
    ERASED_S,
    LEASE_TIMES,
    MAX_ATTEMPTS,
    MAX_ORPHANS,
    MAX_SESSION_BYTES,
    WEB_OWNER,
    Accepted,
    ClaimResult,
    Create,
    Finished,
    GivenUp,
    Lease,
    LeaseLost,
    LeaseTimes,
    Written,
)
from chat.conversations.types import Author, End, Message, Outcome, Session
from chat.core.clock import now, seconds
from chat.core.errors import (
    AssistantTimeout,
    AssistantUnavailable,
    ChatError,
    IdConflict,
    SessionFull,
    SessionGone,
    SessionNotFound,
)
from chat.core.ids import new_id, ref_of
from chat.core.json import JSON

_WHOEVER = Finished(listening=None, watching=None)
_TAKEN_OVER = Outcome(end=End.TAKEN_OVER)


class MemoryStore(MemoryAdviserStore):
    """``erasures``: where intents to erase are kept. None beside Redis: what is erased in memory
    alone was an API's conversation, which has neither contact requests nor photos.
    """

    backend: Literal["memory"] = "memory"

    def __init__(
        self,
        ttl_s: int,
        assignment_s: float = ASSIGNMENT_S,
        *,
        max_sessions: int = 10_000,
        max_bytes: int = 200_000_000,
        times: LeaseTimes = LEASE_TIMES,
        erasures: ErasureFolder | None = None,
    ) -> None:
        super().__init__(ttl_s, assignment_s, max_sessions=max_sessions, max_bytes=max_bytes)
        self.times = times
        self._erasures = erasures

    async def accept(
        self,
        session_id: str,
        owner: str,
        message: Message,
        *,
        create: Create,
        answer_id: str = "",
        answer_within_s: float = ANSWER_WITHIN_S,
        arrived_at: float | None = None,
    ) -> Accepted:
        record = self._find(session_id)
        created = record is None
        if record is None or message.id not in record.by_id:
            self._refuse_erased(session_id, message.id, arrived_at)
        if record is None:
            if create == "new" and session_id in self._gone:
                raise SessionGone(self._gone[session_id][0])
            self.check_room(for_new=True)
            record = self._create(session_id, owner)
        elif record.owner != owner:
            raise SessionNotFound
        if record.gone:
            raise SessionGone(record.gone)
        known = record.by_id.get(message.id)
        if known is None:
            if record.bytes > MAX_SESSION_BYTES:
                raise SessionFull
            self.check_room(for_new=False)
            record.hear(message)
        elif known.author is not Author.CUSTOMER or known.text != message.text:
            raise IdConflict
        waiting = tuple(record.pending)
        accepted = self._ask(record, message.id, known is None, answer_within_s)
        ahead = waiting[: waiting.index(message.id)] if message.id in waiting else waiting
        is_next = answer_id and accepted.outcome is None and not waiting and record.turn is None
        return replace(
            accepted,
            created=record.snapshot() if created else None,
            ahead=ahead if accepted.outcome is None else (),
            lease=self._grant(record, message.id, answer_id, again=False) if is_next else None,
        )

    async def claim(
        self, session_id: str, owned: Sequence[str], new_answer_id: str, *, last_try: bool = True
    ) -> ClaimResult:
        record = self._existing(session_id)
        given_up = tuple(self._give_up(record))
        ended = {id_: record.outcomes[id_] for id_ in owned if id_ in record.outcomes}
        waits = ClaimResult(ended=ended, given_up=given_up)
        if not record.pending or record.leased():
            return waits
        question = record.pending[0]
        if not last_try and self._budget(record, question).attempts + 1 >= MAX_ATTEMPTS:
            return waits
        again = record.turn is not None and record.turn.question_id == question
        if question not in owned and not again and record.head_at + self.times.grace_s > seconds():
            return waits
        answer_id = record.turn.answer_id if again and record.turn else new_answer_id
        return replace(waits, lease=self._grant(record, question, answer_id, again=again))

    async def write(self, lease: Lease, offset: int, piece: str) -> Written:
        record, turn = self._held(lease)
        if offset <= len(turn.draft):  # else its beginning was kept elsewhere, and comes again
            turn.draft = turn.draft[:offset] + piece.encode()
        budget = record.budgets.get(turn.question_id)
        moment = seconds()
        turn.until = (min(moment, budget.due) if budget else moment) + self.times.lease_s
        return Written(stop=turn.stop, listening=0)

    async def finish(
        self,
        lease: Lease,
        outcome: Outcome,
        answer: Message | None,
        staff_note: StaffNote | None = None,
    ) -> Finished:
        record = self._find(lease.session.id)
        if record is not None and record.outcomes.get(lease.question_id) == outcome:
            if answer is not None and record.by_id.get(answer.id) != answer:
                raise LeaseLost  # who took the turn said it in other words
            if staff_note is not None:
                record.note(staff_note)
            return _WHOEVER
        record, _turn = self._held(lease)
        record.turn = None
        if answer is not None:
            record.add(answer)
        if staff_note is not None:
            record.note(staff_note)
        self._settle(record, lease.question_id, outcome)
        return _WHOEVER

    async def release(self, lease: Lease) -> None:
        record = self._find(lease.session.id)
        turn = record.turn if record is not None else None
        if record is None or turn is None or turn.token != lease.token or not turn.until:
            return
        budget = record.budgets.get(turn.question_id)
        if budget is not None and budget.attempts:
            record.budgets[turn.question_id] = replace(budget, attempts=budget.attempts - 1)
        turn.until = record.head_at = 0.0

    async def abandon(self, session_id: str, question_id: str, outcome: Outcome) -> None:
        record = self._existing(session_id)
        if record.outcomes.get(question_id) == outcome:
            return
        answering = record.leased() and record.turn and record.turn.question_id == question_id
        if record.gone or question_id in record.outcomes or answering:
            raise LeaseLost
        self._settle(record, question_id, outcome)

    async def outcome(self, session_id: str, question_id: str) -> Outcome | None:
        return self._existing(session_id).outcomes.get(question_id)

    async def stop(self, session_id: str, owner: str) -> bool:
        record = self._owned(session_id, owner)
        if record is None or record.turn is None or not record.leased():
            return False
        record.turn.stop = True
        return True

    async def load(self, session_id: str, owner: str) -> Session:
        return self._readable(session_id, owner).snapshot()

    async def put_form(
        self, session_id: str, owner: str, form: JSON | None, *, expected_version: int
    ) -> bool:
        form_text(form)
        record = self._living(session_id, owner)
        change = (record.form, record.form_version, form, expected_version)
        if is_repeated(*change):
            return True
        if not may_replace(*change):
            return False
        record.form, record.form_version = form, version_after(form, expected_version)
        self._keep(record)
        return True

    async def end(self, session_id: str, owner: str) -> bool:
        record = self._owned(session_id, owner)
        if record is None:
            return False
        if not record.gone:
            record.gone = "ended"
            self._ended += 1
        record.drop_pending()
        record.turn = None
        record.asked_at = record.hold_until = 0.0
        record.instruction = ""
        record.form = None
        self._open.discard(session_id)
        return True

    async def erase(self, session_id: str, owner: str) -> bool:
        record = self._owned(session_id, owner)
        if self._erasures is not None and (record or self._was_theirs(session_id, owner)):
            self._erasures.note(ref_of(session_id))
        if record is None:
            return False
        self._remember_erased(record, ERASED_S)
        self._bury(record, "erased", ERASED_S)
        return True

    async def take_erasures(self, limit: int = 10) -> list[str]:
        return self._erasures.take(limit) if self._erasures else []

    async def erasure_done(self, ref: str) -> None:
        if self._erasures:
            self._erasures.done(ref)

    async def erasure_backlog(self) -> Backlog:
        return self._erasures.backlog() if self._erasures else Backlog(0, None)

    async def count(self) -> int:
        self._purge()
        return len(self._records) - self._ended

    async def orphans(self) -> dict[str, int]:
        self._purge()
        moment = seconds() - self.times.grace_s
        left = (self._records[id_] for id_ in self._open)
        ours = [r for r in left if not r.leased() and (r.turn or r.head_at < moment)]
        return {record.id: self._attempts(record) for record in ours[:MAX_ORPHANS]}

    async def ping(self) -> None:
        return

    def _attempts(self, record: Record) -> int:
        """How often the first question was begun; 0 once its deadline passed."""
        if not record.pending:
            return 0
        budget = self._budget(record, record.pending[0])
        return budget.attempts if budget.due > seconds() else 0

    def _was_theirs(self, session_id: str, owner: str) -> bool:
        """Whether this caller may have left something in a conversation that is not there."""
        if self._find(session_id) is not None:
            return False
        _reason, its_owner, _until = self._gone.get(session_id, ("", WEB_OWNER, 0.0))
        return owner in (ANY_OWNER, its_owner)

    def _ask(self, record: Record, question_id: str, fresh: bool, within_s: float) -> Accepted:
        """Have a stored question answered, unless it was or an adviser does."""
        outcome = record.outcomes.get(question_id)
        if outcome is not None and outcome.end is not End.FAILED:
            return Accepted(fresh=fresh, outcome=outcome, adviser=record.adviser)
        self._keep(record)
        if record.adviser:
            record.outcomes[question_id] = _TAKEN_OVER
            return Accepted(fresh=fresh, outcome=_TAKEN_OVER, adviser=record.adviser)
        record.outcomes.pop(question_id, None)
        if not record.pending:
            record.head_at = seconds()
        if question_id not in record.pending:
            record.pending.append(question_id)
            record.budgets[question_id] = Budget(due=seconds() + within_s)
        self._open.add(record.id)
        left_s = self._budget(record, question_id).due - seconds()
        return Accepted(fresh=fresh, outcome=None, adviser="", left_s=left_s)

    def _budget(self, record: Record, question_id: str) -> Budget:
        return record.budgets.get(question_id) or Budget(due=seconds() + ANSWER_WITHIN_S)

    def _give_up(self, record: Record) -> Iterator[GivenUp]:
        """End the first questions at whose answer nobody may try any more."""
        while record.pending and not record.leased():
            question_id = record.pending[0]
            budget = self._budget(record, question_id)
            is_late = budget.due <= seconds()
            if not is_late and budget.attempts < MAX_ATTEMPTS:
                return
            error: type[ChatError] = AssistantTimeout if is_late else AssistantUnavailable
            is_begun = record.turn is not None and record.turn.question_id == question_id
            answer_id = record.cut_draft(now()) if is_begun else ""
            end = End.INTERRUPTED if answer_id else End.FAILED
            outcome = Outcome(end=end, answer_id=answer_id, code=error.code)
            self._settle(record, question_id, outcome)
            yield GivenUp(question_id=question_id, outcome=outcome, attempts=budget.attempts)

    def _grant(self, record: Record, question_id: str, answer_id: str, *, again: bool) -> Lease:
        """Give the right to answer."""
        budget = self._budget(record, question_id)
        budget = record.budgets[question_id] = replace(budget, attempts=budget.attempts + 1)
        record.turn = RunningTurn(
            question_id=question_id,
            answer_id=answer_id,
            token=new_id(),
            until=seconds() + self.times.lease_s,
        )
        loop_time = asyncio.get_running_loop().time()
        return Lease(
            session=record.snapshot(),
            question_id=question_id,
            answer_id=answer_id,
            token=record.turn.token,
            again=again,
            granted_at=loop_time,
            deadline=loop_time + budget.due - seconds(),
            attempt=budget.attempts,
        )

    def _settle(self, record: Record, question_id: str, outcome: Outcome) -> None:
        self._end(record, question_id, outcome)
        self._keep(record)
