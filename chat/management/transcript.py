"""Conversations as a terminal shows them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.utils import timezone

from chat.conversations.store.adviser_store import ConversationState, Row, StaffNote, StaffNoteKind
from chat.conversations.types import Author, Message, Session
from chat.core.ids import ref_of
from chat.core.reporting.french import lasting, moment, number, size
from chat.core.reporting.tables import text_table
from meuble_project.logs import escape

AUTHORS = {
    Author.CUSTOMER: "Client",
    Author.ASSISTANT: "Assistant",
    Author.ADVISER: "Conseiller",
    Author.SYSTEM: "Système",
}
STATES = {
    ConversationState.ASKED: "attend un conseiller",
    ConversationState.HELD: "tenue",
    ConversationState.ANSWERING: "l'assistant répond",
    ConversationState.INTERRUPTED: "interrompue",
    ConversationState.IDLE: "attend le client",
}
#: As terminals number colours.
_COLOURS = {Author.CUSTOMER: 36, Author.ASSISTANT: 33, Author.ADVISER: 32, Author.SYSTEM: 90}
_GREY = 90


def listing(rows: Sequence[Row], total: int, now: datetime) -> str:
    """One line for each conversation, and how many there are in all."""
    if not total:
        return "Aucune conversation ne correspond."
    lines = text_table(
        ["référence", "âge", "silence", "messages", "taille", "qui parle", "état"],
        [
            (
                row.ref,
                lasting((now - row.began_at).total_seconds()),
                lasting((now - row.last_at).total_seconds()),
                number(row.messages),
                size(row.bytes),
                escape(row.adviser) or "assistant",
                STATES[row.state],
            )
            for row in rows
        ],
    )
    return "\n".join([*lines, "", f"{number(len(rows))} sur {number(total)}"])


def transcript(session: Session, staff_notes: Sequence[StaffNote], *, colour: bool) -> str:
    """The words in their order, what was noted beside them in its place."""
    entries = [(message.sent_at, _message(message, colour=colour)) for message in session.messages]
    entries += [
        (staff_note.at, _staff_note(staff_note, colour=colour)) for staff_note in staff_notes
    ]
    body = "\n\n".join(text for _, text in sorted(entries, key=lambda entry: entry[0]))
    return "\n".join([*_head(session), "", body])


def _head(session: Session) -> Iterator[str]:
    yield f"Conversation {ref_of(session.id)}"
    state = "terminée" if session.ended else "ouverte"
    speaker = escape(session.adviser) or "l'assistant"
    began, until = moment(session.created_at), moment(session.expires_at)
    yield f"Commencée le {began}, {state}, {speaker} répond, gardée jusqu'au {until}."
    waiting = len(session.waiting)
    if waiting:
        yield f"{waiting} question(s) sans réponse."


def _message(message: Message, *, colour: bool) -> str:
    who = AUTHORS[message.author]
    if message.name:
        who = f"{who} ({escape(message.name)})"
    cut = " [interrompu]" if message.interrupted else ""
    head = _painted(f"{_hour(message.sent_at)}  {who}{cut}", _COLOURS[message.author], colour)
    return f"{head}\n{_indented(message.text)}"


def _staff_note(staff_note: StaffNote, *, colour: bool) -> str:
    if staff_note.kind is StaffNoteKind.TURN:
        data = staff_note.data
        text = f"{data.get('ending')} : {data.get('total_ms')} ms, outils {data.get('tools')}"
    else:
        text = staff_note.text
    who = f" de {escape(staff_note.author)}" if staff_note.author else ""
    kind = "note" if staff_note.kind is StaffNoteKind.NOTE else "trace"
    return _painted(f"{_hour(staff_note.at)}  [{kind}{who}]\n{_indented(text)}", _GREY, colour)


def _hour(when: datetime) -> str:
    return f"{timezone.localtime(when):%d/%m %H:%M:%S}"


def _indented(text: str) -> str:
    """Every line shifted; nothing in it can move a terminal's cursor."""
    return "\n".join(f"    {escape(line)}" for line in text.split("\n"))


def _painted(text: str, colour: int, wanted: bool) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if wanted else text
