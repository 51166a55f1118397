"""The conversations of one process: found by id, forgotten when their life ends."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from chat.conversations.store.adviser_store import ASSIGNMENT_S
from chat.conversations.store.maintenance import EXPIRED_KEPT_S
from chat.conversations.store.memory.record import Record, RunningTurn
from chat.conversations.store.protocol import ANY_OWNER, Lease, LeaseLost
from chat.conversations.types import End, Message, Outcome
from chat.core.clock import now, seconds
from chat.core.errors import SessionGone, SessionNotFound, StoreFull
from chat.core.ids import new_id, ref_of

#: About what Python takes for a session, a message and a staff note beside their text.
_SESSION_BYTES, _MESSAGE_BYTES, _STAFF_NOTE_BYTES = 5_000, 600, 800
#: Ids of conversations that are over, at most; the oldest is forgotten first.
_MAX_GONE = 100_000


@dataclass(frozen=True, slots=True)
class Erased:
    """``at``: event loop time. ``messages``: their ids. ``until``: seconds since 1970."""

    at: float
    messages: frozenset[str]
    until: float


class MemoryRecords:
    """``ttl_s``: life of a session after its last change. ``assignment_s``: see ``ASSIGNMENT_S``.

    ``max_sessions``, ``max_bytes``: from then on nothing new is said here; what was acknowledged
    stays, and its answers are still stored.
    """

    def __init__(
        self,
        ttl_s: int,
        assignment_s: float = ASSIGNMENT_S,
        *,
        max_sessions: int = 10_000,
        max_bytes: int = 200_000_000,
    ) -> None:
        self._ttl_s = ttl_s
        self._assignment_s = assignment_s
        self._max_sessions = max_sessions
        self._max_bytes = max_bytes
        self._weights: dict[str, int] = {}
        self._total_bytes = 0
        self._records: dict[str, Record] = {}
        self._refs: dict[str, str] = {}
        #: Why an id answers no more, its owner, and until when that is remembered.
        self._gone: dict[str, tuple[str, str, float]] = {}
        #: What was erased under an id.
        self._erased: dict[str, Erased] = {}
        self._expiries: list[tuple[float, str]] = []
        #: Ids of the sessions with a question that has no end.
        self._open: set[str] = set()
        self._ended = 0
        #: How many expired, by hours since 1970.
        self._expired: Counter[int] = Counter()

    def has(self, session_id: str) -> bool:
        """Whether the session lives here, or is known here to be gone."""
        return self._find(session_id) is not None or session_id in self._gone

    def adopt(self, record: Record) -> None:
        """Go on with a session that lived elsewhere."""
        self._records[record.id] = record
        self._refs[ref_of(record.id)] = record.id
        self._ended += bool(record.gone)
        self._weigh(record)
        heapq.heappush(self._expiries, (record.expires, record.id))

    def check_room(self, *, for_new: bool) -> None:
        """Return when one more message may be taken, or one more session (``for_new``).

        Raises:
            StoreFull:
        """
        self._purge()
        is_crowded = for_new and len(self._records) >= self._max_sessions
        if is_crowded or self._total_bytes >= self._max_bytes:
            raise StoreFull

    def _weigh(self, record: Record) -> None:
        """Note about how many bytes of memory the session takes now."""
        own = _SESSION_BYTES + _STAFF_NOTE_BYTES * len(record.staff_notes)
        weight = own + record.bytes + _MESSAGE_BYTES * len(record.messages)
        self._total_bytes += weight - self._weights.get(record.id, 0)
        self._weights[record.id] = weight

    def record(self, session_id: str) -> Record | None:
        """Return the session as it lives here."""
        return self._find(session_id)

    def expect(self, record: Record, question_ids: Sequence[str]) -> None:
        """Have these questions, which are in the transcript, wait for the assistant's answers."""
        if record.adviser:
            record.outcomes |= dict.fromkeys(question_ids, Outcome(end=End.TAKEN_OVER))
        elif question_ids:
            waiting = {*record.pending, *question_ids}
            record.pending = [m.id for m in record.messages if m.id in waiting]
            self._open.add(record.id)

    def hear(self, session_id: str, message: Message) -> None:
        """Add what another worker said in a session that both went on with: at most one answer to
        each question, behind all, and anything else by time.
        """
        record = self._find(session_id)
        if record is None or record.gone or not record.elsewhere or message.id in record.by_id:
            return
        if not message.reply_to:
            record.add_by_time(message)
            self._weigh(record)
        elif record.may_end(message.reply_to):
            record.add(message)
            end = End.INTERRUPTED if message.interrupted else End.DONE
            self._end(record, message.reply_to, Outcome(end=end, answer_id=message.id))

    def hear_failure(self, session_id: str, question_id: str, code: str) -> None:
        """Note that another worker ended a question of such a session without an answer."""
        record = self._find(session_id)
        if record is None or record.gone or not record.elsewhere:
            return
        if question_id in record.by_id and record.may_end(question_id):
            self._end(record, question_id, Outcome(end=End.FAILED, code=code))

    def _end(self, record: Record, question_id: str, outcome: Outcome) -> None:
        record.settle(question_id, outcome)
        if not record.pending:
            self._open.discard(record.id)
        self._weigh(record)

    def forget_gone(self) -> None:
        """Forget which conversations are over: another store knows it again."""
        self._gone.clear()

    def records(self) -> list[Record]:
        """Return every session that lives here."""
        self._purge()
        return list(self._records.values())

    def take_out(self, session_id: str) -> Record | None:
        """Forget a session, and return it for another store to go on with."""
        self._gone.pop(session_id, None)
        return self._remove(session_id)

    def _create(self, session_id: str, owner: str) -> Record:
        self._gone.pop(session_id, None)
        record = Record(id=session_id, owner=owner, epoch=new_id(), created_at=now(), expires=0.0)
        self._records[session_id] = record
        self._refs[ref_of(session_id)] = session_id
        return record

    def _keep(self, record: Record) -> None:
        self._weigh(record)
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
                if id_ in self._erased and self._erased[id_].until <= moment:
                    del self._erased[id_]
            elif record.expires > moment:
                heapq.heappush(self._expiries, (record.expires, id_))
            else:
                self._note_expiry(record)
                self._bury(record, record.gone or "expired", self._ttl_s)

    def _note_expiry(self, record: Record) -> None:
        if record.gone:
            return
        hour = int(seconds() // 3600)
        self._expired[hour] += 1
        for old in [past for past in self._expired if past < hour - EXPIRED_KEPT_S // 3600]:
            del self._expired[old]

    def _remember_erased(self, record: Record, for_s: float) -> None:
        before = self._erased.get(record.id)
        ids = frozenset(record.by_id) | (before.messages if before else frozenset())
        at = asyncio.get_running_loop().time()
        self._erased[record.id] = Erased(at, ids, seconds() + for_s)

    def _refuse_erased(self, session_id: str, message_id: str, arrived_at: float | None) -> None:
        """Refuse a message that was erased, or that came before what is under this id was.

        Raises:
            SessionGone:
        """
        erased = self._erased.get(session_id)
        if erased is None or erased.until <= seconds():
            self._erased.pop(session_id, None)
            return
        if message_id in erased.messages or (arrived_at is not None and arrived_at < erased.at):
            raise SessionGone("erased")

    def _bury(self, record: Record, reason: str, for_s: float) -> None:
        self._remove(record.id)
        until = seconds() + for_s
        self._gone[record.id] = (reason, record.owner, until)
        if len(self._gone) > _MAX_GONE:
            del self._gone[next(iter(self._gone))]
        heapq.heappush(self._expiries, (until, record.id))

    def _remove(self, session_id: str) -> Record | None:
        record = self._records.pop(session_id, None)
        self._total_bytes -= self._weights.pop(session_id, 0)
        if record is not None:
            self._refs.pop(ref_of(session_id), None)
            self._open.discard(session_id)
            self._ended -= bool(record.gone)
        return record

    def _find(self, session_id: str) -> Record | None:
        record = self._records.get(session_id)
        if record is not None and record.expires and record.expires <= seconds():
            self._purge()
            return self._records.get(session_id)
        return record

    def _owned(self, session_id: str, owner: str) -> Record | None:
        record = self._find(session_id)
        return record if record is not None and owner in (ANY_OWNER, record.owner) else None

    def _readable(self, session_id: str, owner: str) -> Record:
        record = self._find(session_id)
        if record is not None:
            if owner not in (ANY_OWNER, record.owner):
                raise SessionNotFound
            return record
        reason, its_owner, _until = self._gone.get(session_id, ("", "", 0))
        if reason and owner in (ANY_OWNER, its_owner):
            raise SessionGone(reason)
        raise SessionNotFound

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
