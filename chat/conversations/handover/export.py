"""A conversation as a file: the same from the admin and from the command line. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from chat.conversations.realtime.events import message_json
from chat.conversations.store.adviser_store import StaffNote
from chat.conversations.types import Session
from chat.core.ids import isoformat, ref_of
from chat.core.json import JSON


def export_of(session: Session, staff_notes: Iterable[StaffNote]) -> JSON:
    """Return all that is kept of it but its id, with which its customer could be impersonated."""
    return {
        "ref": ref_of(session.id),
        "created_at": isoformat(session.created_at),
        "expires_at": isoformat(session.expires_at),
        "ended": session.ended,
        "messages": [message_json(message) for message in session.messages],
        "form": session.form,
        "asides": [staff_note.to_json() for staff_note in staff_notes],
    }
