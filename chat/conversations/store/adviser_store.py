"""The adviser store: assignments of conversations, staff notes, lists, search.

Every operation is atomic and may be repeated after an unknown result, as those of
``store.Store``; all raise ``StoreUnavailable`` when the store does not answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from chat.conversations.types import Message, Session, Unreadable, moment_of_text, unknown_fields
from chat.core.clock import now
from chat.core.ids import isoformat, new_id
from chat.core.json import JSON

#: An adviser who is not heard of for this long has left: the assistant answers again.
ASSIGNMENT_S = 180.0
#: Staff notes kept of one conversation, the newest.
MAX_STAFF_NOTES = 300
#: Rows of one page of the list, at most.
MAX_ROWS = 100
#: Conversations that are sorted for one page when no index has their order.
MAX_SORTED = 1000
#: Conversations whose words are read for one search, the newest.
MAX_SEARCHED = 1000


@dataclass(frozen=True, slots=True)
class Adviser:
    """``id``: primary key of the user as text. ``name``: what customers are shown."""

    id: str
    name: str


def desk_key(session_id: str) -> str:
    """What the staff listen to and customers never hear: no session has a colon in its id."""
    return f"desk:{session_id}"


class StaffNoteKind(StrEnum):
    NOTE = "note"  # an adviser's private words
    EVENT = "event"  # somebody took over, handed back, left, ended, exported
    TURN = "turn"  # numbers of one answer, in ``data``


_STAFF_NOTE_KINDS: dict[str, StaffNoteKind] = {kind.value: kind for kind in StaffNoteKind}
_STAFF_NOTE_FIELDS = frozenset(("id", "kind", "text", "author", "data", "at"))


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffNote:
    """Something written beside the conversation, for the staff only.

    ``author``: name of who wrote or did it, "" for the application. ``data`` of a turn:
    ``{"question_id", "answer_id", "ending", "first_text_ms", "total_ms", "tools": [name],
    "prompt_tokens", "completion_tokens", "guarded"}``, numbers None when unknown.
    ``extra``: as that of a ``Message``; a kind that is not known here counts as an event.
    """

    kind: StaffNoteKind
    text: str = ""
    author: str = ""
    data: JSON = field(default_factory=dict)
    id: str = field(default_factory=new_id)
    at: datetime = field(default_factory=now)
    extra: JSON | None = field(default=None, hash=False)

    def to_json(self) -> JSON:
        data = {
            "id": self.id,
            "kind": self.kind.value,
            "text": self.text,
            "author": self.author,
            "data": self.data,
            "at": isoformat(self.at),
        }
        return data | self.extra if self.extra else data

    @classmethod
    def from_json(cls, data: JSON) -> StaffNote:
        """Read what ``to_json`` wrote, also of another release.

        Raises:
            Unreadable, or what ``decoding`` turns into it:
        """
        extra = unknown_fields(data, _STAFF_NOTE_FIELDS)
        kind = _STAFF_NOTE_KINDS.get(data["kind"])
        if kind is None:
            kind, extra = StaffNoteKind.EVENT, {**(extra or {}), "kind": data["kind"]}
        id_, text, author, told = data["id"], data["text"], data["author"], data["data"]
        if not all(isinstance(value, str) for value in (id_, text, author)):
            raise Unreadable("not a text")
        if not isinstance(told, dict):
            raise Unreadable("not an object")
        at = moment_of_text(data["at"])
        return cls(id=id_, kind=kind, text=text, author=author, data=told, at=at, extra=extra)


class ConversationState(StrEnum):
    """What a conversation waits for; the first that applies."""

    ASKED = "asked"  # the customer asked for an adviser, none has come
    HELD = "held"  # an adviser answers
    ANSWERING = "answering"  # the assistant answers
    INTERRUPTED = "interrupted"  # its last answer failed, or was cut by no will of the customer
    IDLE = "idle"  # the customer's next words


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One conversation in the list. ``bytes``: of its document as stored.

    ``language``: of what its customer writes, named as in ``chat.core.text``, or "".
    ``storage``: where the row was read.
    """

    id: str
    ref: str
    owner: str
    began_at: datetime
    last_at: datetime
    expires_at: datetime
    messages: int
    bytes: int
    language: str
    state: ConversationState
    adviser: str = ""
    adviser_id: str = ""
    asked_at: datetime | None = None
    storage: Literal["redis", "memory"]


class SortOrder(StrEnum):
    NEWEST = "newest"  # last word first
    OLDEST = "oldest"
    BEGAN = "began"  # begun last first
    BEGAN_FIRST = "began-first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Which conversations to list, all conditions together.

    ``quiet_s``: only those whose last word is at least / at most so many seconds old.
    ``speaker``: "assistant", "adviser" or "" for any. ``limit``: at most ``MAX_ROWS``.
    With ``quiet_s`` and an order by beginning, only the ``MAX_SORTED`` with the newest last
    words are sorted and counted: no index holds both.
    """

    state: ConversationState | None = None
    speaker: str = ""
    quiet_s: tuple[float, float] | None = None
    order: SortOrder = SortOrder.NEWEST
    offset: int = 0
    limit: int = 50


@dataclass(frozen=True, slots=True)
class SessionPage:
    """``total``: how many match the listing, of all pages."""

    rows: tuple[Row, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many conversations are active now; had a word in the last hour; and of the active,
    how many are in each of these states.
    """

    active: int
    last_hour: int
    asked: int
    held: int
    answering: int


class AdviserStore(Protocol):
    async def check_confirmable(self, session_id: str) -> None:
        """Return when what the staff does here can be told to hold for every worker.

        Raises:
            DeskUnavailable: another worker may go on as if nothing had been done.
        """

    async def take_over(
        self, session_id: str, adviser: Adviser, announcement: Message
    ) -> tuple[Session, bool]:
        """Have this adviser answer from now on, for ``ASSIGNMENT_S`` after they were last heard of.

        An answer that is being written is cut: what was kept of it is stored, marked
        interrupted, and its writer can write no more. Every question without an end gets
        ``End.TAKEN_OVER``. The announcement is stored last. Returns the session as it is then,
        and whether this very call took it, which is known by its announcement: an adviser who
        has it already only renews the assignment.

        Raises:
            AssignedToAnother: with their name.
            SessionNotFound, SessionGone:
        """

    async def hand_back(
        self, session_id: str, adviser_id: str, instruction: str, announcement: Message
    ) -> bool:
        """Have the assistant answer again. ``adviser_id`` "": only when the assignment expired.

        ``instruction``: for the assistant, kept until the next take-over; "" for none.
        Returns False, changing nothing, when it is not assigned to this adviser; True again when
        this same announcement is repeated.
        """

    async def say(self, session_id: str, adviser_id: str, message: Message) -> bool:
        """Store what the adviser says, and renew the assignment. False: this id is stored already.

        Raises:
            NotAssigned: it is not assigned to this adviser.
            IdConflict: the id is known with another text.
            SessionNotFound, SessionGone:
        """

    async def renew_assignment(self, session_id: str, adviser_id: str) -> bool:
        """Note that the adviser is there. False when it is not assigned to them."""

    async def expired_assignments(self) -> list[str]:
        """Return ids of sessions whose adviser has left without a word, at most 50."""

    async def ask_for_adviser(self, session_id: str, owner: str, announcement: Message) -> bool:
        """Note that the customer wants a human, and store the announcement.

        False, changing nothing, when they asked before or an adviser has it; True again when
        this same announcement is repeated. Taking over, handing back and ending forget it.

        Raises:
            SessionNotFound, SessionGone:
        """

    async def announce(self, session_id: str, announcement: Message) -> bool:
        """Store what the application tells the customer, whoever answers. False: it is known.

        Raises:
            SessionNotFound, SessionGone:
        """

    async def add_staff_note(self, session_id: str, staff_note: StaffNote) -> None:
        """Keep it as long as the conversation can be read, ended or not; nothing when it cannot
        be any more, or the staff note is known by its id.
        """

    async def staff_notes(self, session_id: str) -> list[StaffNote]:
        """Return them in the order in which they were added."""

    async def page(self, listing: Listing) -> SessionPage:
        """Return active conversations. The cost is that of one page, of what else the state and
        the speaker leave, never of how many conversations there are.
        """

    async def find(self, ref: str) -> str:
        """Return the id of the conversation, active or ended, that ``ref_of`` gives this.

        Raises:
            SessionNotFound:
        """

    async def search(self, words: Sequence[str]) -> list[Row]:
        """Return the conversations that contain all these words, in any case, with or without
        accents, among the ``MAX_SEARCHED`` newest; at most ``MAX_ROWS``.
        """

    async def counts(self) -> Counts:
        """Return how many there are of each; the cost does not grow with them."""
