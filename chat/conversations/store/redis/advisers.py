"""What the staff ask of the conversations in Redis."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any

from chat.conversations.store.adviser_store import (
    ASSIGNMENT_S,
    MAX_ROWS,
    MAX_SEARCHED,
    MAX_SORTED,
    MAX_STAFF_NOTES,
    Adviser,
    ConversationState,
    Counts,
    Listing,
    Row,
    SessionPage,
    StaffNote,
)
from chat.conversations.store.redis.document import (
    READ_DOCUMENT,
    dumps,
    json_of,
    reading,
    refuse,
    rows_of,
)
from chat.conversations.store.redis.scripts import PipelineExecutor, RedisScripts, split_ids
from chat.conversations.store.session_rows import (
    chosen_states,
    folded,
    has_words,
    is_by_beginning,
    is_descending,
)
from chat.conversations.types import Message, Session, Unreadable, decoding, fingerprint
from chat.core import metrics
from chat.core.errors import (
    AssignedToAnother,
    IdConflict,
    NotAssigned,
    SessionNotFound,
    SessionUnreadable,
)
from chat.core.ids import isoformat, ref_of

logger = logging.getLogger(__name__)

_MAX_EXPIRED = 50
#: Documents read at once, and bytes of them searched in one step of the event loop.
_READ_AT_ONCE = 50
_SEARCHED_AT_ONCE = 200_000


class RedisAdviserStore(RedisScripts):
    """``ttl_s``: life of a session after its last change. ``assignment_s``: ``ASSIGNMENT_S``."""

    def __init__(
        self, link: PipelineExecutor, ttl_s: int, assignment_s: float = ASSIGNMENT_S
    ) -> None:
        super().__init__(link)
        self._ttl_ms = ttl_s * 1000
        self._assignment_ms = round(assignment_s * 1000)

    async def check_confirmable(self, session_id: str) -> None:
        return  # see FailoverStore

    async def take_over(
        self, session_id: str, adviser: Adviser, announcement: Message
    ) -> tuple[Session, bool]:
        reply = await self._run(
            "take_over",
            session_id,
            adviser.id,
            adviser.name,
            self._ttl_ms,
            self._assignment_ms,
            announcement.id,
            dumps(announcement.to_json()),
            json.dumps(isoformat(announcement.sent_at)),
        )
        if reply[0] == b"other":
            raise AssignedToAnother(reply[1].decode())
        status, session = await self._session(session_id, reply)
        return session, status == b"taken"

    async def _session(self, session_id: str, reply: list[Any]) -> tuple[bytes, Session]:
        """Return the status and the session, as ``reading`` does.

        Raises:
            SessionUnreadable, SessionNotFound, SessionGone:
        """
        document = reply[READ_DOCUMENT] if len(reply) > 2 else b""
        async with self._reading(session_id, document):
            status, session = reading(reply)
            if session.id != session_id:
                raise Unreadable("the document is another session's")
            return status, session

    async def hand_back(
        self, session_id: str, adviser_id: str, instruction: str, announcement: Message
    ) -> bool:
        said = (announcement.id, dumps(announcement.to_json()))
        return bool(
            await self._run("hand_back", session_id, adviser_id, instruction, self._ttl_ms, *said)
        )

    async def say(self, session_id: str, adviser_id: str, message: Message) -> bool:
        status, *rest = await self._run(
            "say",
            session_id,
            adviser_id,
            self._ttl_ms,
            self._assignment_ms,
            message.id,
            fingerprint(message.text),
            dumps(message.to_json()),
        )
        refuse(status, rest)
        if status == b"other":
            raise NotAssigned
        if status == b"conflict":
            raise IdConflict
        return bool(status == b"stored")

    async def renew_assignment(self, session_id: str, adviser_id: str) -> bool:
        return bool(await self._run("hold", session_id, adviser_id, self._assignment_ms))

    async def expired_assignments(self) -> list[str]:
        return await self._due("chat:held", "lapsed", _MAX_EXPIRED)

    async def ask_for_adviser(self, session_id: str, owner: str, announcement: Message) -> bool:
        said = (announcement.id, dumps(announcement.to_json()))
        status, *rest = await self._run("ask", session_id, owner, self._ttl_ms, *said)
        refuse(status, rest)
        return bool(status)

    async def announce(self, session_id: str, announcement: Message) -> bool:
        said = (announcement.id, dumps(announcement.to_json()))
        status, *rest = await self._run("announce", session_id, self._ttl_ms, *said)
        refuse(status, rest)
        return bool(status)

    async def add_staff_note(self, session_id: str, staff_note: StaffNote) -> None:
        await self._run(
            "aside", session_id, staff_note.id, dumps(staff_note.to_json()), MAX_STAFF_NOTES
        )

    async def staff_notes(self, session_id: str) -> list[StaffNote]:
        kept = await self._run("asides", session_id)
        readable = []
        for text in kept:
            try:
                with decoding():
                    readable.append(StaffNote.from_json(json_of(text)))
            except Unreadable as error:  # it stays in the list, and is dropped in its turn
                metrics.unreadable_records.inc()
                told = (ref_of(session_id), error)
                logger.warning("a staff note of conversation %s cannot be read (%s)", *told)
        return readable

    async def page(self, listing: Listing) -> SessionPage:
        states = chosen_states(listing)
        if not states:
            return SessionPage((), 0)
        named = (
            ["only", *states]
            if ConversationState.IDLE not in states
            else ["but", *(set(ConversationState) - states)]
        )
        total, told = await self._run(
            "page",
            "",
            self._ttl_ms,
            "began" if is_by_beginning(listing.order) else "index",
            "1" if is_descending(listing.order) else "",
            listing.offset,
            min(listing.limit, MAX_ROWS),
            *(("", "") if listing.quiet_s is None else map(_milliseconds, listing.quiet_s)),
            MAX_SORTED,
            *named,
        )
        await self._ids("chat:index", (row[0] for row in told))
        return SessionPage(rows_of(told, self._ttl_ms), total)

    async def find(self, ref: str) -> str:
        found = await self._link.run("GET", f"chat:ref:{ref}")
        ids, _ = split_ids([found] if found else [])
        if not ids:
            raise SessionNotFound
        if not await self._link.run("EXISTS", f"session:{ids[0]}"):
            if await self._link.run("EXISTS", f"chat:unreadable:{ids[0]}"):
                raise SessionUnreadable
            raise SessionNotFound
        return ids[0]

    async def search(self, words: Sequence[str]) -> list[Row]:
        wanted = folded(words)
        if not wanted:
            return []
        members = await self._shared("ZREVRANGE", "chat:index", 0, MAX_SEARCHED - 1)
        newest = await self._ids("chat:index", members)
        hits: list[str] = []
        for start in range(0, len(newest), _READ_AT_ONCE):
            hits += await self._having(wanted, newest[start : start + _READ_AT_ONCE])
            if len(hits) >= MAX_ROWS:
                break
        return await self._rows(hits[:MAX_ROWS])

    async def counts(self) -> Counts:
        active, last_hour, asked, held, answering = await self._run("counts", "", self._ttl_ms)
        return Counts(
            active=active, last_hour=last_hour, asked=asked, held=held, answering=answering
        )

    async def _having(self, wanted: list[str], ids: list[str]) -> list[str]:
        """Return which of these conversations have all the words."""
        documents = await self._link.run("MGET", *(f"session:{id_}" for id_ in ids))
        hits, searched = [], 0
        for id_, document in zip(ids, documents, strict=True):
            searched += len(document or b"")
            if searched > _SEARCHED_AT_ONCE:
                await asyncio.sleep(0)
                searched = len(document or b"")
            if document is None:
                continue
            try:
                async with self._reading(id_, document):
                    texts = [message["text"] for message in json_of(document)["messages"]]
                    is_hit = has_words(texts, wanted)
            except SessionUnreadable:
                continue
            if is_hit:
                hits.append(id_)
        return hits

    async def _rows(self, ids: Sequence[str]) -> list[Row]:
        return list(rows_of(await self._run("rows", "", *ids), self._ttl_ms))


def _milliseconds(seconds: float) -> str:
    """Infinity is "", as in "at most"."""
    return "" if seconds == float("inf") else str(round(seconds * 1000))
