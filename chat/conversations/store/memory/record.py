"""One conversation in memory, with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from chat.conversations.store.adviser_store import (
    ASSIGNMENT_S,
    MAX_STAFF_NOTES,
    ConversationState,
    Row,
    StaffNote,
)
from chat.conversations.store.session_rows import is_cut, language_after, language_in
from chat.conversations.types import Author, Draft, End, Message, Outcome, Session, place_by_time
from chat.core.clock import seconds
from chat.core.ids import ref_of
from chat.core.json import JSON

#: Fields of a hash in Redis, as they are.
RawFields = dict[bytes, bytes]

_TAKEN_OVER = Outcome(end=End.TAKEN_OVER)


@dataclass(slots=True, kw_only=True)
class RunningTurn:
    """The answer being written."""

    question_id: str
    answer_id: str
    token: str
    until: float
    draft: bytes = b""
    stop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a question without an end has left: its deadline, and the attempts begun so far."""

    due: float
    attempts: int = 0


@dataclass(slots=True, kw_only=True)
class Record:
    """Times are seconds since 1970, 0 for never. ``gone``: "", "ended".

    ``hold_until``: when the adviser counts as away. ``adviser_at``: when one came or left last.
    ``taken_by``: id of the announcement of the adviser who has it. ``cut``: see
    ``ConversationState.INTERRUPTED``. ``staff_notes``, ``budgets`` of the pending questions: by id.
    ``extra``, ``raw_fields``: what another release wrote into the document and its hash besides.
    """

    id: str
    owner: str
    epoch: str
    created_at: datetime
    expires: float
    messages: list[Message] = field(default_factory=list)
    by_id: dict[str, Message] = field(default_factory=dict)
    adviser: str = ""
    adviser_id: str = ""
    hold_until: float = 0.0
    adviser_at: float = 0.0
    taken_by: str = ""
    asked_at: float = 0.0
    instruction: str = ""
    language: str = ""
    cut: bool = False
    staff_notes: dict[str, StaffNote] = field(default_factory=dict)
    form: JSON | None = None
    form_version: int = 0
    pending: list[str] = field(default_factory=list)
    budgets: dict[str, Budget] = field(default_factory=dict)
    head_at: float = 0.0
    turn: RunningTurn | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    gone: str = ""
    bytes: int = 0
    #: Whether the other store may know it too: it was read there, not begun here.
    elsewhere: bool = False
    extra: JSON | None = None
    raw_fields: RawFields = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session) -> Record:
        """A session as it was last read elsewhere, to go on with here; nothing waits in it."""
        record = cls(
            id=session.id,
            owner=session.owner,
            epoch=session.epoch,
            created_at=session.created_at,
            expires=session.expires_at.timestamp(),
            adviser=session.adviser,
            adviser_id=session.adviser_id,
            hold_until=seconds() + ASSIGNMENT_S if session.has_adviser else 0.0,
            asked_at=session.asked_at.timestamp() if session.asked_at else 0.0,
            instruction=session.instruction,
            language=language_in(session.messages),
            gone="ended" if session.ended else "",
            outcomes=outcomes_of(session),
            form=session.form,
            form_version=session.form_version,
            extra=session.extra,
            elsewhere=True,
        )
        for message in session.messages:
            record.add(message)
        record.cut = record.last_was_cut()
        return record

    def add(self, message: Message) -> None:
        self._insert(len(self.messages), message)

    def add_by_time(self, message: Message) -> None:
        """Add what was said to another worker, where it belongs by time: it may be heard late."""
        at = place_by_time(self.messages, message)
        if message.author is Author.CUSTOMER and at == len(self.messages):
            self.language = language_after(self.language, message.text)
        self._insert(at, message)

    def _insert(self, at: int, message: Message) -> None:
        self.bytes += len(message.text.encode()) + 200  # about what it takes as JSON
        self.messages.insert(at, message)
        self.by_id[message.id] = message

    def hear(self, message: Message) -> None:
        """Add what the customer says."""
        self.language = language_after(self.language, message.text)
        self.add(message)

    def note(self, staff_note: StaffNote) -> None:
        """Keep it, once, in place of the oldest when there are too many."""
        self.staff_notes.setdefault(staff_note.id, staff_note)
        while len(self.staff_notes) > MAX_STAFF_NOTES:
            del self.staff_notes[next(iter(self.staff_notes))]

    def silence(self, moment: datetime) -> None:
        """Cut the answer being written, and have no question wait for the assistant."""
        turn = self.turn
        for question_id in self.pending:
            self.outcomes[question_id] = _TAKEN_OVER
        self.drop_pending()
        self.cut = False
        answer_id = self.cut_draft(moment)
        if turn is not None and answer_id:
            self.outcomes[turn.question_id] = Outcome(end=End.TAKEN_OVER, answer_id=answer_id)

    def drop_pending(self) -> None:
        """Have no question wait."""
        self.pending = []
        self.budgets = {}

    def cut_draft(self, moment: datetime) -> str:
        """End the answer being written; return the id under which what was kept of it is stored as
        an interrupted message, "" when there was nothing to store.
        """
        turn, self.turn = self.turn, None
        draft = turn.draft.decode(errors="ignore") if turn else ""
        if turn is None or not draft or turn.answer_id in self.by_id:
            return ""
        answer = Message(
            author=Author.ASSISTANT,
            id=turn.answer_id,
            text=draft,
            sent_at=moment,
            interrupted=True,
            reply_to=turn.question_id,
        )
        self.add(answer)
        return answer.id

    def settle(self, question_id: str, outcome: Outcome) -> None:
        self.outcomes[question_id] = outcome
        if question_id in self.pending:
            self.pending.remove(question_id)
        self.budgets.pop(question_id, None)
        self.head_at = seconds()
        self.cut = is_cut(outcome)

    def may_end(self, question_id: str) -> bool:
        """Whether another worker may give this question its end: neither is it answered here, nor
        did it end but for a failure, nor has an adviser come.
        """
        outcome = self.outcomes.get(question_id)
        is_begun = self.turn is not None and self.turn.question_id == question_id
        is_over = outcome is not None and outcome.end is not End.FAILED
        return not (self.adviser or is_begun or is_over)

    def last_was_cut(self) -> bool:
        """Whether the last question, as far as the outcomes tell, ended by itself too early, and
        no adviser has come since.
        """
        asked = (m for m in reversed(self.messages) if m.author is Author.CUSTOMER)
        last = next(asked, None)
        if last is None or last.sent_at.timestamp() < self.adviser_at:
            return False
        return is_cut(self.outcomes.get(last.id))

    def state(self) -> ConversationState:
        if self.asked_at:
            return ConversationState.ASKED
        if self.adviser:
            return ConversationState.HELD
        if self.pending:
            return ConversationState.ANSWERING
        return ConversationState.INTERRUPTED if self.cut else ConversationState.IDLE

    def row(self, ttl_s: float) -> Row:
        return Row(
            id=self.id,
            ref=ref_of(self.id),
            owner=self.owner,
            began_at=self.created_at,
            last_at=datetime.fromtimestamp(self.expires - ttl_s, UTC),
            expires_at=datetime.fromtimestamp(self.expires, UTC),
            messages=len(self.messages),
            bytes=self.bytes,
            language=self.language,
            state=self.state(),
            adviser=self.adviser,
            adviser_id=self.adviser_id,
            asked_at=_moment(self.asked_at),
            storage="memory",
        )

    def leased(self) -> bool:
        return self.turn is not None and self.turn.until > seconds()

    def snapshot(self) -> Session:
        turn = self.turn
        return Session(
            id=self.id,
            owner=self.owner,
            epoch=self.epoch,
            created_at=self.created_at,
            expires_at=datetime.fromtimestamp(self.expires, UTC),
            messages=tuple(self.messages),
            adviser=self.adviser,
            adviser_id=self.adviser_id,
            asked_at=_moment(self.asked_at),
            instruction=self.instruction,
            waiting=tuple(self.pending),
            failed={
                id_: outcome.code
                for id_, outcome in self.outcomes.items()
                if outcome.end is End.FAILED
            },
            draft=Draft(id=turn.answer_id, text=turn.draft.decode(errors="ignore"))
            if turn and turn.draft
            else None,
            ended=self.gone == "ended",
            form=self.form,
            form_version=self.form_version,
            extra=self.extra,
        )


def _moment(at: float) -> datetime | None:
    return datetime.fromtimestamp(at, UTC) if at else None


def outcomes_of(session: Session) -> dict[str, Outcome]:
    """Return how the questions of a session ended, as far as its transcript tells."""
    outcomes = {id_: Outcome(end=End.FAILED, code=code) for id_, code in session.failed.items()}
    for message in session.messages:
        if message.reply_to:
            end = End.INTERRUPTED if message.interrupted else End.DONE
            outcomes[message.reply_to] = Outcome(end=end, answer_id=message.id)
    return outcomes
