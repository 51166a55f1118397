"""Chat sessions in this process's memory: ``memory://``, for one process, lost with it.

Every method is one step of the event loop: nothing else runs in its middle.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from chat.errors import IdConflict, SessionFull, SessionGone, SessionNotFound
from chat.sessions.memory_record import Record, RunningTurn, seconds
from chat.sessions.store import (
    ANY_OWNER,
    ERASED_S,
    GRACE_S,
    LEASE_S,
    MAX_SESSION_BYTES,
    Accepted,
    Claim,
    Create,
    Lease,
    LeaseLost,
    Written,
)
from chat.sessions.types import Author, End, Message, Outcome, Session, new_id, now

_TAKEN_OVER = Outcome(end=End.TAKEN_OVER)


class MemoryStore:
    """``ttl_s``: life of a session after its last change."""

    backend: Literal["memory"] = "memory"

    def __init__(self, ttl_s: int) -> None:
        self._ttl_s = ttl_s
        self._records: dict[str, Record] = {}
        #: Why an id answers no more, its owner, and until when that is remembered.
        self._gone: dict[str, tuple[str, str, float]] = {}
        self._expiries: list[tuple[float, str]] = []
        #: Ids of the sessions with a question that has no end.
        self._open: set[str] = set()
        self._ended = 0

    async def accept(
        self, session_id: str, owner: str, message: Message, *, create: Create
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
            record.add(message)
        elif known.author is not Author.CUSTOMER or known.text != message.text:
            raise IdConflict
        accepted = self._ask(record, message.id, known is None)
        return replace(accepted, created=record.snapshot()) if created else accepted

    async def claim(self, session_id: str, owned: Sequence[str], new_answer_id: str) -> Claim:
        record = self._existing(session_id)
        ended = {id_: record.outcomes[id_] for id_ in owned if id_ in record.outcomes}
        if not record.pending or record.leased():
            return Claim(ended=ended)
        question = record.pending[0]
        again = record.turn is not None and record.turn.question_id == question
        if question not in owned and not again and record.head_at + GRACE_S > seconds():
            return Claim(ended=ended)
        record.turn = RunningTurn(
            question_id=question,
            answer_id=record.turn.answer_id if again and record.turn else new_answer_id,
            token=new_id(),
            until=seconds() + LEASE_S,
        )
        lease = Lease(
            session=record.snapshot(),
            question_id=question,
            answer_id=record.turn.answer_id,
            token=record.turn.token,
            again=again,
        )
        return Claim(lease=lease, ended=ended)

    async def write(self, lease: Lease, offset: int, piece: str) -> Written:
        _record, turn = self._held(lease)
        turn.draft = turn.draft[:offset] + piece.encode()
        turn.until = seconds() + LEASE_S
        return Written(stop=turn.stop, listening=0)

    async def finish(self, lease: Lease, outcome: Outcome, answer: Message | None) -> None:
        record = self._find(lease.session.id)
        if record is not None and record.outcomes.get(lease.question_id) == outcome:
            if answer is not None and record.by_id.get(answer.id) != answer:
                raise LeaseLost  # who took the turn said it in other words
            return
        record, _turn = self._held(lease)
        record.turn = None
        if answer is not None:
            record.add(answer)
        self._settle(record, lease.question_id, outcome)

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
        if question_id in record.outcomes or answering:
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
        record = self._find(session_id)
        if record is not None:
            if owner not in (ANY_OWNER, record.owner):
                raise SessionNotFound
            return record.snapshot()
        reason, its_owner, _until = self._gone.get(session_id, ("", "", 0))
        if reason and owner in (ANY_OWNER, its_owner):
            raise SessionGone(reason)
        raise SessionNotFound

    async def end(self, session_id: str, owner: str) -> bool:
        record = self._owned(session_id, owner)
        if record is None:
            return False
        if not record.gone:
            record.gone = "ended"
            self._ended += 1
        record.pending.clear()
        record.turn = None
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

    def has(self, session_id: str) -> bool:
        """Whether the session lives here, or is known here to be gone."""
        return self._find(session_id) is not None or session_id in self._gone

    def adopt(self, record: Record) -> None:
        """Go on with a session that lived elsewhere."""
        self._records[record.id] = record
        self._ended += bool(record.gone)
        heapq.heappush(self._expiries, (record.expires, record.id))

    def record(self, session_id: str) -> Record | None:
        """Return the session as it lives here."""
        return self._find(session_id)

    def expect(self, record: Record, question_ids: Sequence[str]) -> None:
        """Have these questions, which are in the transcript, wait for their answers."""
        if question_ids:
            waiting = {*record.pending, *question_ids}
            record.pending = [m.id for m in record.messages if m.id in waiting]
            self._open.add(record.id)

    def forget_gone(self) -> None:
        """Forget which conversations are over: another store knows it again."""
        self._gone.clear()

    def records(self) -> list[Record]:
        """Return every session that lives here."""
        self._purge()
        return list(self._records.values())

    def take_out(self, session_id: str) -> Record | None:
        """Forget a session, and return it for another store to go on with."""
        record = self._records.pop(session_id, None)
        self._gone.pop(session_id, None)
        if record is not None:
            self._open.discard(session_id)
            self._ended -= bool(record.gone)
        return record

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

    def _create(self, session_id: str, owner: str) -> Record:
        self._gone.pop(session_id, None)
        record = Record(id=session_id, owner=owner, epoch=new_id(), created_at=now(), expires=0.0)
        self._records[session_id] = record
        return record

    def _settle(self, record: Record, question_id: str, outcome: Outcome) -> None:
        record.settle(question_id, outcome)
        if not record.pending:
            self._open.discard(record.id)
        self._keep(record)

    def _keep(self, record: Record) -> None:
        first = record.expires == 0.0
        record.expires = seconds() + self._ttl_s
        if first:  # later renewals move the entry when it comes up, see _purge
            heapq.heappush(self._expiries, (record.expires, record.id))
        self._purge()

    def _purge(self) -> None:
        """Forget what has expired: each session stands once in the heap, at or before its end."""
        moment = seconds()
        while self._expiries and self._expiries[0][0] <= moment:
            _, id_ = heapq.heappop(self._expiries)
            record = self._records.get(id_)
            if record is None:
                if self._gone.get(id_, ("", "", 0.0))[2] <= moment:
                    self._gone.pop(id_, None)
            elif record.expires > moment:
                heapq.heappush(self._expiries, (record.expires, id_))
            else:
                self._bury(record, record.gone or "expired", self._ttl_s)

    def _bury(self, record: Record, reason: str, for_s: float) -> None:
        del self._records[record.id]
        self._open.discard(record.id)
        self._ended -= bool(record.gone)
        until = seconds() + for_s
        self._gone[record.id] = (reason, record.owner, until)
        heapq.heappush(self._expiries, (until, record.id))

    def _find(self, session_id: str) -> Record | None:
        record = self._records.get(session_id)
        if record is not None and record.expires and record.expires <= seconds():
            self._purge()
            return self._records.get(session_id)
        return record

    def _owned(self, session_id: str, owner: str) -> Record | None:
        record = self._find(session_id)
        return record if record is not None and owner in (ANY_OWNER, record.owner) else None

    def _existing(self, session_id: str) -> Record:
        record = self._find(session_id)
        if record is None:
            raise SessionNotFound
        return record

    def _held(self, lease: Lease) -> tuple[Record, RunningTurn]:
        record = self._find(lease.session.id)
        if record is None or record.turn is None or record.turn.token != lease.token:
            raise LeaseLost
        return record, record.turn
