"""One conversation as the staff read it: what was said, and what was noted beside it. Pure.

``chat/static/chat/desk/items.js`` does the same in the page while it is open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.utils import timezone
from django.utils.safestring import SafeString

from chat.conversations.markup import safe_html_of
from chat.conversations.store.adviser_store import StaffNote, StaffNoteKind
from chat.conversations.types import Author, Message, Session
from chat.core.errors import BY_CODE
from chat.core.json import JSON
from chat.web.desk.labels import milliseconds

#: How an answer ended, when not as it should.
ENDINGS = {
    "stopped": "arrêtée par le client",
    "interrupted": "interrompue",
    "taken_over": "coupée par une prise de main",
    "lost": "reprise par un autre processus",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """``kind``: "day", "message", or of a staff note "note" or "event". ``author``: of a message
    whose (an ``Author``), of a staff note the name. ``numbers``: of the turn, or "".
    """

    kind: str
    at: datetime
    id: str = ""
    author: str = ""
    name: str = ""
    text: str = ""
    html: SafeString | None = None
    interrupted: bool = False
    error: str = ""
    numbers: str = ""


def timeline(session: Session, staff_notes: Sequence[StaffNote]) -> list[Entry]:
    """Return everything in order, a line for each new day."""
    turns = {
        staff_note.data.get("answer_id") or staff_note.data.get("question_id", ""): staff_note.data
        for staff_note in staff_notes
        if staff_note.kind is StaffNoteKind.TURN
    }
    known = {message.id for message in session.messages}
    said = [_message_entry(message, session, turns, known) for message in session.messages]
    beside = [
        Entry(
            kind=staff_note.kind.value,
            at=staff_note.at,
            id=staff_note.id,
            name=staff_note.author,
            text=staff_note.text,
        )
        for staff_note in staff_notes
        if staff_note.kind is not StaffNoteKind.TURN
    ]
    entries: list[Entry] = []
    for day, group in groupby(_woven(said, beside), key=lambda entry: _day(entry.at)):
        entries.append(Entry(kind="day", at=day))
        entries.extend(group)
    return entries


def _woven(said: Sequence[Entry], beside: Sequence[Entry]) -> Iterator[Entry]:
    """The order of what was said stands; what was noted comes before the first that is later."""
    rest = list(beside)
    for entry in said:
        while rest and rest[0].at < entry.at:
            yield rest.pop(0)
        yield entry
    yield from rest


def _day(moment: datetime) -> datetime:
    return timezone.localtime(moment).replace(hour=0, minute=0, second=0, microsecond=0)


def _message_entry(
    message: Message, session: Session, turns: dict[str, JSON], known: set[str]
) -> Entry:
    turn = turns.get(message.id)
    if turn and message.author is Author.CUSTOMER and turn.get("answer_id") in known:
        turn = None
    code = session.failed.get(message.id)
    return Entry(
        kind="message",
        at=message.sent_at,
        id=message.id,
        author=message.author.value,
        name=message.name,
        text=message.text,
        html=safe_html_of(message),
        interrupted=message.interrupted,
        error=BY_CODE[code].message if code in BY_CODE else (code or ""),
        numbers=numbers(turn) if turn else "",
    )


def numbers(turn: JSON) -> str:
    """``"premier mot 340 ms · en tout 2,1 s · outils : search_products · 812 + 143 jetons"``."""
    parts = []
    if turn.get("first_text_ms") is not None:
        parts.append(f"premier mot {milliseconds(turn['first_text_ms'])}")
    if turn.get("total_ms") is not None:
        parts.append(f"en tout {milliseconds(turn['total_ms'])}")
    if turn.get("tools"):
        parts.append("outils : " + ", ".join(turn["tools"]))
    if turn.get("prompt_tokens") is not None:
        parts.append(f"{turn['prompt_tokens']} + {turn.get('completion_tokens') or 0} jetons")
    ending = turn.get("ending", "done")
    if ending != "done":
        parts.append(ENDINGS.get(ending, f"échec : {ending}"))
    return " · ".join(parts)
