"""What this worker last saw of the sessions it serves, for when Redis is away. Bounded."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import Any

from chat.conversations.types import Message, Session, place_by_time
from chat.core.ids import ref_of

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
