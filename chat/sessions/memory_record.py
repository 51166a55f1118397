"""One conversation in memory, with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from chat.sessions.types import Draft, End, Message, Outcome, Session, now


def seconds() -> float:
    return now().timestamp()


@dataclass(slots=True, kw_only=True)
class RunningTurn:
    """The answer being written."""

    question_id: str
    answer_id: str
    token: str
    until: float
    draft: bytes = b""
    stop: bool = False


@dataclass(slots=True, kw_only=True)
class Record:
    """Times are seconds since 1970. ``gone``: "", "ended"."""

    id: str
    owner: str
    epoch: str
    created_at: datetime
    expires: float
    messages: list[Message] = field(default_factory=list)
    by_id: dict[str, Message] = field(default_factory=dict)
    adviser: str = ""
    pending: list[str] = field(default_factory=list)
    head_at: float = 0.0
    turn: RunningTurn | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    gone: str = ""
    bytes: int = 0
    #: Whether the other store may know it too: it was read there, not begun here.
    elsewhere: bool = False

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
            gone="ended" if session.ended else "",
            outcomes=outcomes_of(session),
            elsewhere=True,
        )
        for message in session.messages:
            record.add(message)
        return record

    def add(self, message: Message) -> None:
        self.bytes += len(message.text.encode()) + 200  # about what it takes as JSON
        self.messages.append(message)
        self.by_id[message.id] = message

    def settle(self, question_id: str, outcome: Outcome) -> None:
        self.outcomes[question_id] = outcome
        if question_id in self.pending:
            self.pending.remove(question_id)
        self.head_at = seconds()

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
        )


def outcomes_of(session: Session) -> dict[str, Outcome]:
    """Return how the questions of a session ended, as far as its transcript tells."""
    outcomes = {id_: Outcome(end=End.FAILED, code=code) for id_, code in session.failed.items()}
    for message in session.messages:
        if message.reply_to:
            end = End.INTERRUPTED if message.interrupted else End.DONE
            outcomes[message.reply_to] = Outcome(end=end, answer_id=message.id)
    return outcomes
