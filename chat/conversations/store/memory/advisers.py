"""What the staff ask of the conversations in this process's memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from chat.conversations.store.adviser_store import (
    MAX_ROWS,
    MAX_SEARCHED,
    MAX_SORTED,
    Adviser,
    ConversationState,
    Counts,
    Listing,
    Row,
    SessionPage,
    StaffNote,
)
from chat.conversations.store.maintenance import MAX_BIGGEST, Orphan, Progress, ScanResult
from chat.conversations.store.memory.record import Record
from chat.conversations.store.memory.records import MemoryRecords
from chat.conversations.store.protocol import ANY_OWNER
from chat.conversations.store.session_rows import (
    chosen_states,
    folded,
    has_words,
    is_by_beginning,
    is_descending,
)
from chat.conversations.types import Author, Message, Session
from chat.core.clock import now, seconds
from chat.core.errors import (
    AssignedToAnother,
    IdConflict,
    NotAssigned,
    SessionGone,
    SessionNotFound,
)

_MAX_EXPIRED = 50


class MemoryAdviserStore(MemoryRecords):
    async def check_confirmable(self, session_id: str) -> None:
        return  # there is no other worker

    async def take_over(
        self, session_id: str, adviser: Adviser, announcement: Message
    ) -> tuple[Session, bool]:
        record = self._living(session_id)
        if record.adviser_id == adviser.id:
            record.hold_until = seconds() + self._assignment_s
            return record.snapshot(), record.taken_by == announcement.id
        if record.adviser and record.hold_until > seconds():
            raise AssignedToAnother(record.adviser)
        if announcement.id in record.by_id:  # said long ago: they have left since
            return record.snapshot(), False
        record.silence(announcement.sent_at)
        self._open.discard(session_id)
        record.adviser, record.adviser_id = adviser.name, adviser.id
        record.taken_by = announcement.id
        record.instruction = ""
        self._change_speaker(record, announcement)
        record.hold_until = record.adviser_at + self._assignment_s
        return record.snapshot(), True

    async def hand_back(
        self, session_id: str, adviser_id: str, instruction: str, announcement: Message
    ) -> bool:
        record = self._find(session_id)
        if record is None or record.gone:
            return False
        if announcement.id in record.by_id:
            return True
        has_expired = adviser_id == "" and record.hold_until <= seconds()
        if not record.adviser or not (has_expired or record.adviser_id == adviser_id):
            return False
        record.adviser = record.adviser_id = record.taken_by = ""
        record.hold_until = 0.0
        record.instruction = instruction
        self._change_speaker(record, announcement)
        return True

    async def say(self, session_id: str, adviser_id: str, message: Message) -> bool:
        record = self._living(session_id)
        known = record.by_id.get(message.id)
        if known is not None:
            if known.author is not Author.ADVISER or known.text != message.text:
                raise IdConflict
            return False
        if not record.adviser or record.adviser_id != adviser_id:
            raise NotAssigned
        record.add(message)
        record.hold_until = seconds() + self._assignment_s
        self._keep(record)
        return True

    async def renew_assignment(self, session_id: str, adviser_id: str) -> bool:
        record = self._find(session_id)
        if record is None or record.gone or not record.adviser or record.adviser_id != adviser_id:
            return False
        record.hold_until = seconds() + self._assignment_s
        return True

    async def expired_assignments(self) -> list[str]:
        self._purge()
        moment = seconds()
        left = (r.id for r in self._active() if r.adviser and r.hold_until <= moment)
        return list(islice(left, _MAX_EXPIRED))

    async def ask_for_adviser(self, session_id: str, owner: str, announcement: Message) -> bool:
        record = self._living(session_id, owner)
        if record.adviser or record.asked_at:
            return bool(record.asked_at) and announcement.id in record.by_id
        if announcement.id in record.by_id:
            return False
        record.asked_at = seconds()
        record.add(announcement)
        self._keep(record)
        return True

    async def announce(self, session_id: str, announcement: Message) -> bool:
        record = self._living(session_id)
        if announcement.id in record.by_id:
            return False
        record.add(announcement)
        self._keep(record)
        return True

    async def add_staff_note(self, session_id: str, staff_note: StaffNote) -> None:
        record = self._find(session_id)
        if record is not None:
            record.note(staff_note)

    async def staff_notes(self, session_id: str) -> list[StaffNote]:
        record = self._find(session_id)
        return list(record.staff_notes.values()) if record else []

    async def page(self, listing: Listing) -> SessionPage:
        self._purge()
        states = chosen_states(listing)
        chosen = [r for r in self._active() if r.state() in states and self._is_quiet(r, listing)]
        if listing.quiet_s is not None and is_by_beginning(listing.order):
            chosen = sorted(chosen, key=_last, reverse=True)[:MAX_SORTED]
        key = _beginning if is_by_beginning(listing.order) else _last
        chosen.sort(key=key, reverse=is_descending(listing.order))
        shown = chosen[listing.offset :][: min(listing.limit, MAX_ROWS)]
        return SessionPage(tuple(record.row(self._ttl_s) for record in shown), len(chosen))

    async def find(self, ref: str) -> str:
        self._purge()
        if ref not in self._refs:
            raise SessionNotFound
        return self._refs[ref]

    async def search(self, words: Sequence[str]) -> list[Row]:
        self._purge()
        wanted = folded(words)
        newest = sorted(self._active(), key=_last, reverse=True)[:MAX_SEARCHED] if wanted else []
        hits = (r for r in newest if has_words((m.text for m in r.messages), wanted))
        return [record.row(self._ttl_s) for record in islice(hits, MAX_ROWS)]

    async def counts(self) -> Counts:
        self._purge()
        states = Counter(record.state() for record in self._active())
        since = seconds() + self._ttl_s - 3600
        return Counts(
            active=states.total(),
            last_hour=sum(record.expires >= since for record in self._active()),
            asked=states[ConversationState.ASKED],
            held=states[ConversationState.HELD],
            answering=states[ConversationState.ANSWERING],
        )

    async def scan(self, progress: Progress | None = None) -> ScanResult:
        self._purge()
        active = list(self._active())
        if progress is not None:
            progress(len(self._records), len(self._records))
        oldest = min(active, key=_beginning, default=None)
        biggest = sorted(active, key=lambda record: record.bytes, reverse=True)[:MAX_BIGGEST]
        return ScanResult(
            active=len(active),
            ended=len(self._records) - len(active),
            bytes=sum(record.bytes for record in self._records.values()),
            oldest=oldest.row(self._ttl_s) if oldest else None,
            biggest=tuple(record.row(self._ttl_s) for record in biggest),
            orphans=dict.fromkeys(Orphan, ()),
            taken_at=now(),
        )

    async def repair(self, scan: ScanResult, progress: Progress | None = None) -> dict[Orphan, int]:
        return dict.fromkeys(Orphan, 0)  # one object holds all of a conversation

    async def expired_since(self, moment: datetime) -> int:
        self._purge()
        first = int(moment.timestamp() // 3600)
        return sum(number for hour, number in self._expired.items() if hour >= first)

    def _active(self) -> Iterator[Record]:
        return (record for record in self._records.values() if not record.gone)

    def _living(self, session_id: str, owner: str = ANY_OWNER) -> Record:
        record = self._readable(session_id, owner)
        if record.gone:
            raise SessionGone(record.gone)
        return record

    def _change_speaker(self, record: Record, announcement: Message) -> None:
        record.adviser_at = seconds()
        record.asked_at = 0.0
        record.add(announcement)
        self._keep(record)

    def _is_quiet(self, record: Record, listing: Listing) -> bool:
        if listing.quiet_s is None:
            return True
        quiet_s = seconds() - (record.expires - self._ttl_s)
        return listing.quiet_s[0] <= quiet_s <= listing.quiet_s[1]


def _last(record: Record) -> tuple[float, str]:
    return record.expires, record.id


def _beginning(record: Record) -> tuple[float, str]:
    return record.created_at.timestamp(), record.id
