"""Chat sessions in this process's memory: ``memory://``, for one process, lost with it.

Every method is one step of the event loop: nothing else runs in its middle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from chat.errors import IdConflict, SessionFull, SessionGone, SessionNotFound
from chat.sessions.desk import Aside
from chat.sessions.forms import form_text, is_repeated, may_replace, version_after
from chat.sessions.memory_desk import MemoryDesk
from chat.sessions.memory_record import Record, RunningTurn, seconds
from chat.sessions.store import (
    ERASED_S,
    GRACE_S,
    LEASE_S,
    MAX_SESSION_BYTES,
    Accepted,
    Claim,
    Create,
    Finished,
    Lease,
    LeaseLost,
    Written,
)
from chat.sessions.types import JSON, Author, End, Message, Outcome, Session, new_id

_WHOEVER = Finished(listening=None, watching=None)
_TAKEN_OVER = Outcome(end=End.TAKEN_OVER)


class MemoryStore(MemoryDesk):
    backend: Literal["memory"] = "memory"

    async def accept(
        self,
        session_id: str,
        owner: str,
        message: Message,
        *,
        create: Create,
        answer_id: str = "",
    ) -> Accepted:
        record = self._find(session_id)
        created = record is None
        if record is None:
            if create == "new" and session_id in self._gone:
                raise SessionGone(self._gone[session_id][0])
            record = self._create(session_id, owner)
        elif record.owner != owner:
            raise SessionNotFound
        if record.gone:
            raise SessionGone(record.gone)
        known = record.by_id.get(message.id)
        if known is None:
            if record.bytes > MAX_SESSION_BYTES:
                raise SessionFull
            record.hear(message)
        elif known.author is not Author.CUSTOMER or known.text != message.text:
            raise IdConflict
        waiting = tuple(record.pending)
        accepted = self._ask(record, message.id, known is None)
        ahead = waiting[: waiting.index(message.id)] if message.id in waiting else waiting
        is_next = answer_id and accepted.outcome is None and not waiting and record.turn is None
        return replace(
            accepted,
            created=record.snapshot() if created else None,
            ahead=ahead if accepted.outcome is None else (),
            lease=self._grant(record, message.id, answer_id, again=False) if is_next else None,
        )

    async def claim(self, session_id: str, owned: Sequence[str], new_answer_id: str) -> Claim:
        record = self._existing(session_id)
        ended = {id_: record.outcomes[id_] for id_ in owned if id_ in record.outcomes}
        if not record.pending or record.leased():
            return Claim(ended=ended)
        question = record.pending[0]
        again = record.turn is not None and record.turn.question_id == question
        if question not in owned and not again and record.head_at + GRACE_S > seconds():
            return Claim(ended=ended)
        answer_id = record.turn.answer_id if again and record.turn else new_answer_id
        return Claim(lease=self._grant(record, question, answer_id, again=again), ended=ended)

    async def write(self, lease: Lease, offset: int, piece: str) -> Written:
        _record, turn = self._held(lease)
        if offset <= len(turn.draft):  # else its beginning was kept elsewhere, and comes again
            turn.draft = turn.draft[:offset] + piece.encode()
        turn.until = seconds() + LEASE_S
        return Written(stop=turn.stop, listening=0)

    async def finish(
        self,
        lease: Lease,
        outcome: Outcome,
        answer: Message | None,
        aside: Aside | None = None,
    ) -> Finished:
        record = self._find(lease.session.id)
        if record is not None and record.outcomes.get(lease.question_id) == outcome:
            if answer is not None and record.by_id.get(answer.id) != answer:
                raise LeaseLost  # who took the turn said it in other words
            if aside is not None:
                record.note(aside)
            return _WHOEVER
        record, _turn = self._held(lease)
        record.turn = None
        if answer is not None:
            record.add(answer)
        if aside is not None:
            record.note(aside)
        self._settle(record, lease.question_id, outcome)
        return _WHOEVER

    async def release(self, lease: Lease) -> None:
        record = self._find(lease.session.id)
        if record is not None and record.turn is not None and record.turn.token == lease.token:
            record.turn.until = 0.0
            record.head_at = 0.0

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
        record.pending.clear()
        record.turn = None
        record.asked_at = record.hold_until = 0.0
        record.instruction = ""
        record.form = None
        self._open.discard(session_id)
        return True

    async def erase(self, session_id: str, owner: str) -> bool:
        record = self._owned(session_id, owner)
        if record is None:
            return False
        self._bury(record, "erased", ERASED_S)
        return True

    async def count(self) -> int:
        self._purge()
        return len(self._records) - self._ended

    async def orphans(self) -> list[str]:
        self._purge()
        moment = seconds() - GRACE_S
        left = (self._records[id_] for id_ in self._open)
        return [r.id for r in left if not r.leased() and r.head_at < moment][:50]

    async def ping(self) -> None:
        return

    def _ask(self, record: Record, question_id: str, fresh: bool) -> Accepted:
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
        self._open.add(record.id)
        return Accepted(fresh=fresh, outcome=None, adviser="")

    def _grant(self, record: Record, question_id: str, answer_id: str, *, again: bool) -> Lease:
        """Give the right to answer."""
        record.turn = RunningTurn(
            question_id=question_id,
            answer_id=answer_id,
            token=new_id(),
            until=seconds() + LEASE_S,
        )
        return Lease(
            session=record.snapshot(),
            question_id=question_id,
            answer_id=answer_id,
            token=record.turn.token,
            again=again,
        )

    def _settle(self, record: Record, question_id: str, outcome: Outcome) -> None:
        record.settle(question_id, outcome)
        if not record.pending:
            self._open.discard(record.id)
        self._keep(record)
