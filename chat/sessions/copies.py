"""What this worker last saw of the sessions it serves, for when Redis is away. Bounded."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import Any

from chat.sessions.types import Message, Session, ref_of

MAX_SESSIONS = 5_000
MAX_CHARS = 20_000_000


class Copies:
    """Least recently used sessions go first, past either bound."""

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

    def add(self, session_id: str, message: Message, **changes: Any) -> None:
        """Note one more message of a session of which there is a copy, and what it changed."""
        session = self._sessions.get(session_id)
        if session is None or any(known.id == message.id for known in session.messages):
            return
        messages = (*session.messages, message)
        self._sessions[session_id] = replace(session, messages=messages, **changes)
        self._sessions.move_to_end(session_id)
        self._chars[session_id] += len(message.text)
        self._total_chars += len(message.text)

    def change(self, session_id: str, **changes: Any) -> None:
        """Note what changed of a session of which there is a copy, but for its messages."""
        session = self._sessions.get(session_id)
        if session is not None:
            self._sessions[session_id] = replace(session, **changes)

    def drop(self, session_id: str) -> None:
        if session_id in self._sessions:
            del self._sessions[session_id]
            self._total_chars -= self._chars.pop(session_id)
