"""How memory goes on with what was begun in Redis."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from chat.errors import StoreUnavailable
from chat.sessions.copies import Copies
from chat.sessions.memory_record import Record, RunningTurn, seconds
from chat.sessions.memory_store import MemoryStore
from chat.sessions.store import LEASE_S, Lease

#: Answers that one worker writes at once, at most; what is past that is not gone on with whole.
_MAX_RUNNING = 1000


class StandIn:
    """Knows what this worker is writing, to have the whole of it in memory at once."""

    def __init__(self, memory: MemoryStore, copies: Copies) -> None:
        self._memory = memory
        self._copies = copies
        self._running: OrderedDict[str, tuple[Lease, bytearray]] = OrderedDict()

    def begin(self, lease: Lease) -> None:
        """Note that this worker answers."""
        self._running[lease.session.id] = (lease, bytearray())
        if len(self._running) > _MAX_RUNNING:
            self._running.popitem(last=False)

    def note(self, lease: Lease, offset: int, piece: str) -> None:
        """Note what it writes, as ``Store.write`` does."""
        draft = self._draft(lease)
        if offset <= len(draft):
            draft[offset:] = piece.encode()

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
        session = self._copies.get(session_id) or (lease.session if lease else None)
        if session is not None:
            self._memory.adopt(Record.of(session))
        elif session_id not in self._copies:
            raise StoreUnavailable

    def expect(self, session_id: str, owned: Sequence[str]) -> None:
        """Have the questions of this worker wait in memory as they did in Redis."""
        record = self._memory.record(session_id)
        if record is not None:
            mine = [m.id for m in record.messages if m.id in owned]
            missing = [id_ for id_ in mine if id_ not in record.outcomes]
            self._memory.expect(record, [id_ for id_ in missing if id_ not in record.pending])

    def bring(self, lease: Lease) -> None:
        """Have a turn that was begun in Redis go on in memory."""
        record = self._memory.record(lease.session.id)
        if record is None or record.turn is not None or lease.question_id in record.outcomes:
            return
        if record.adviser or lease.question_id not in record.by_id:
            return
        self.expect(record.id, [lease.question_id])
        record.turn = RunningTurn(
            question_id=lease.question_id,
            answer_id=lease.answer_id,
            token=lease.token,
            until=seconds() + LEASE_S,
            draft=bytes(self._draft(lease)),
        )

    def bring_running(self, session_id: str) -> None:
        """The same for the turn of this worker in this session, if there is one."""
        if session_id in self._running:
            self.bring(self._running[session_id][0])

    def _draft(self, lease: Lease) -> bytearray:
        running = self._running.get(lease.session.id)
        return running[1] if running and running[0].token == lease.token else bytearray()
