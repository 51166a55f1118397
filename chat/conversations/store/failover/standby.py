"""What memory continues with when Redis fails: copies of sessions, leases and drafts. Bounded."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chat.conversations.store.memory.record import Budget, Record, RunningTurn
from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import ANSWER_WITHIN_S, Lease
from chat.conversations.types import Message, Session, place_by_time
from chat.core.clock import seconds
from chat.core.errors import StoreUnavailable
from chat.core.ids import ref_of

MAX_SESSIONS = 5_000
MAX_CHARS = 20_000_000


class SessionCache:
    """Copies of sessions. Least recently used sessions go first, past either bound."""

    def __init__(self, max_sessions: int = MAX_SESSIONS, max_chars: int = MAX_CHARS) -> None:
        self._max_sessions = max_sessions
        self._max_chars = max_chars
        #: None: known not to exist.
        self._sessions: OrderedDict[str, Session | None] = OrderedDict()
        self._chars: dict[str, int] = {}
        self._total_chars = 0

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._sessions

    def get(self, session_id: str) -> Session | None:
        """Return the copy; None when there is none, or the session is known not to exist."""
        return self._sessions.get(session_id)

    def put(self, session_id: str, session: Session | None) -> None:
        self.drop(session_id)
        chars = sum(len(message.text) for message in session.messages) if session else 0
        self._sessions[session_id] = session
        self._chars[session_id] = chars
        self._total_chars += chars
        while len(self._sessions) > self._max_sessions or self._total_chars > self._max_chars:
            self.drop(next(iter(self._sessions)))

    def find(self, ref: str) -> str | None:
        """Return the id of the session that ``ref_of`` gives this, if there is a copy of it."""
        copied = (id_ for id_, session in self._sessions.items() if session is not None)
        return next((id_ for id_ in copied if ref_of(id_) == ref), None)

    def add(
        self, session_id: str, message: Message, *, at: int | None = None, **changes: Any
    ) -> None:
        """Note one more message of a session of which there is a copy, and what it changed.

        ``at``: before the message of that index; None: behind all.
        """
        session = self._sessions.get(session_id)
        if session is None or any(known.id == message.id for known in session.messages):
            return
        messages = list(session.messages)
        messages.insert(len(messages) if at is None else at, message)
        self._sessions[session_id] = replace(session, messages=tuple(messages), **changes)
        self._sessions.move_to_end(session_id)
        self._chars[session_id] += len(message.text)
        self._total_chars += len(message.text)

    def hear(self, session_id: str, message: Message) -> None:
        """Note a message that another worker stored: at most one answer to each question, behind
        all, and anything else by time, since it may be heard late.
        """
        session = self._sessions.get(session_id)
        question_id = message.reply_to
        if session is None or (question_id and not _is_unanswered(session, question_id)):
            return
        is_whole = session.draft is not None and session.draft.id == message.id
        self.add(
            session_id,
            message,
            at=None if question_id else place_by_time(session.messages, message),
            waiting=tuple(id_ for id_ in session.waiting if id_ != question_id),
            failed={id_: code for id_, code in session.failed.items() if id_ != question_id},
            draft=None if is_whole else session.draft,
        )

    def hear_failure(self, session_id: str, question_id: str, code: str) -> None:
        """Note that another worker ended a question without an answer."""
        session = self._sessions.get(session_id)
        if session is None or not _is_unanswered(session, question_id):
            return
        if any(message.id == question_id for message in session.messages):
            waiting = tuple(id_ for id_ in session.waiting if id_ != question_id)
            failed = {**session.failed, question_id: code}
            self.change(session_id, waiting=waiting, failed=failed, draft=None)

    def change(self, session_id: str, **changes: Any) -> None:
        """Note what changed of a session of which there is a copy, but for its messages."""
        session = self._sessions.get(session_id)
        if session is not None:
            self._sessions[session_id] = replace(session, **changes)

    def drop(self, session_id: str) -> None:
        if session_id in self._sessions:
            del self._sessions[session_id]
            self._total_chars -= self._chars.pop(session_id)


def _is_unanswered(session: Session, question_id: str) -> bool:
    """Whether the assistant may still answer a question, as far as the copy tells."""
    answered = any(message.reply_to == question_id for message in session.messages)
    return not (session.has_adviser or answered)


#: Answers that one worker writes at once, at most; what is past that is not gone on with whole.
_MAX_RUNNING = 1000
#: Questions of one worker whose deadlines are remembered, the newest.
_MAX_BUDGETS = 5000
#: Two readings of one deadline differ by less, those of two questions by more.
_SAME_S = 1.0


class Standby:
    """Knows what this worker is writing, to have the whole of it in memory at once."""

    def __init__(self, memory: MemoryStore, session_cache: SessionCache) -> None:
        self._memory = memory
        self._session_cache = session_cache
        self._running: OrderedDict[str, tuple[Lease, bytearray]] = OrderedDict()
        #: By the id of the session and that of the question.
        self._budgets: OrderedDict[tuple[str, str], Budget] = OrderedDict()

    def asked(self, session_id: str, question_id: str, due: float) -> None:
        """Note until when a question of this worker may be tried."""
        known = self._budgets.get((session_id, question_id))
        if known is None or abs(known.due - due) > _SAME_S:  # not yet, or asked again
            self._remember(session_id, question_id, Budget(due=due))

    def ended(self, session_id: str, question_id: str) -> None:
        """Forget that."""
        self._budgets.pop((session_id, question_id), None)

    def begin(self, lease: Lease) -> None:
        """Note that this worker answers."""
        self._remember(lease.session.id, lease.question_id, _budget_of(lease))
        self._running[lease.session.id] = (lease, bytearray())
        if len(self._running) > _MAX_RUNNING:
            self._running.popitem(last=False)

    def note(self, lease: Lease, offset: int, piece: str) -> None:
        """Note what it writes, as ``Store.write`` does."""
        draft = self._draft(lease)
        if offset <= len(draft):
            draft[offset:] = piece.encode()

    def answers(self, session_id: str) -> bool:
        """Whether this worker is writing an answer in this session."""
        return session_id in self._running

    def over(self, lease: Lease) -> None:
        """Forget what it wrote."""
        running = self._running.get(lease.session.id)
        if running is not None and running[0].token == lease.token:
            del self._running[lease.session.id]

    def adopt(self, session_id: str, lease: Lease | None) -> None:
        """Go on in memory with this worker's copy.

        Raises:
            StoreUnavailable: it has none.
        """
        session = self._session_cache.get(session_id) or (lease.session if lease else None)
        if session is not None:
            self._memory.adopt(Record.of(session))
        elif session_id not in self._session_cache:
            raise StoreUnavailable

    def expect(self, session_id: str, owned: Sequence[str]) -> None:
        """Have the questions of this worker wait in memory as they did in Redis."""
        record = self._memory.record(session_id)
        if record is not None:
            mine = [m.id for m in record.messages if m.id in owned]
            missing = [id_ for id_ in mine if id_ not in record.outcomes]
            self._memory.expect(record, [id_ for id_ in missing if id_ not in record.pending])
            for id_ in record.pending:
                record.budgets.setdefault(id_, self._budget(record, id_))

    def bring(self, lease: Lease) -> None:
        """Have a turn that was begun in Redis go on in memory."""
        record = self._memory.record(lease.session.id)
        if record is None or record.turn is not None or lease.question_id in record.outcomes:
            return
        if record.adviser or lease.question_id not in record.by_id:
            return
        self.expect(record.id, [lease.question_id])
        record.turn = self._turn(lease)

    def whole(self, session_id: str, lease: Lease | None, owned: Sequence[str]) -> Record | None:
        """Return all that this worker knows of a session, None when it has no copy.

        ``owned``: questions for whose answers this worker waits.
        """
        session = self._session_cache.get(session_id) or (lease.session if lease else None)
        if session is None:
            return None
        record = Record.of(session)
        running = self._running.get(session_id)
        asked = {question_id for id_, question_id in self._budgets if id_ == session_id}
        asked.update(owned, [running[0].question_id] if running else [])
        if not record.adviser:
            open_ = [id_ for id_ in record.by_id if id_ in asked and id_ not in record.outcomes]
            record.pending = open_
            record.budgets = {id_: self._budget(record, id_) for id_ in open_}
        if running is not None and running[0].question_id in record.pending:
            record.turn = self._turn(running[0])
        return record

    def _turn(self, lease: Lease) -> RunningTurn:
        return RunningTurn(
            question_id=lease.question_id,
            answer_id=lease.answer_id,
            token=lease.token,
            until=seconds() + self._memory.times.lease_s,
            draft=bytes(self._draft(lease)),
        )

    def _remember(self, session_id: str, question_id: str, budget: Budget) -> None:
        self._budgets[session_id, question_id] = budget
        if len(self._budgets) > _MAX_BUDGETS:
            self._budgets.popitem(last=False)

    def _budget(self, record: Record, question_id: str) -> Budget:
        """As it was in Redis; else as if the question had been asked once, when it was sent."""
        sent_at = record.by_id[question_id].sent_at.timestamp()
        first = Budget(due=min(seconds(), sent_at) + ANSWER_WITHIN_S)
        return self._budgets.get((record.id, question_id), first)

    def bring_running(self, session_id: str) -> None:
        """The same for the turn of this worker in this session, if there is one."""
        if session_id in self._running:
            self.bring(self._running[session_id][0])

    def _draft(self, lease: Lease) -> bytearray:
        running = self._running.get(lease.session.id)
        return running[1] if running and running[0].token == lease.token else bytearray()


def _budget_of(lease: Lease) -> Budget:
    left_s = lease.deadline - asyncio.get_running_loop().time()
    return Budget(due=seconds() + left_s, attempts=lease.attempt)
