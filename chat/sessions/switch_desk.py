"""What is asked of all conversations, or by the staff: of Redis, or of memory while it is away."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar

from chat.errors import SessionNotFound, StoreUnavailable
from chat.sessions.copies import Copies
from chat.sessions.desk import Adviser, Aside, Counts, Listing, Page, Row
from chat.sessions.forms import version_after
from chat.sessions.memory_record import seconds
from chat.sessions.memory_store import MemoryStore
from chat.sessions.redis_store import RedisStore
from chat.sessions.standin import StandIn
from chat.sessions.store import Lease, Store
from chat.sessions.types import JSON, Message, Session, now
from chat.sessions.upkeep import Orphan, Progress, Survey

T = TypeVar("T")


class SwitchDesk(ABC):
    """Lists and searches where conversations live now; goes on with one like the customers do."""

    _redis: RedisStore
    _memory: MemoryStore
    _copies: Copies
    _stand_in: StandIn
    _away_since: float | None
    _settled_at: float

    async def take_over(
        self, session_id: str, adviser: Adviser, announcement: Message
    ) -> tuple[Session, bool]:
        async def on(store: Store) -> tuple[Session, bool]:
            if store is self._memory:
                self._stand_in.bring_running(session_id)
            return await store.take_over(session_id, adviser, announcement)

        session, taken = await self._do(session_id, on)
        self._copies.put(session_id, session)
        return session, taken

    async def hand_back(
        self, session_id: str, adviser_id: str, instruction: str, announcement: Message
    ) -> bool:
        handed = await self._do(
            session_id,
            lambda store: store.hand_back(session_id, adviser_id, instruction, announcement),
        )
        if handed:
            left = {"adviser": "", "adviser_id": "", "instruction": instruction, "asked_at": None}
            self._copies.add(session_id, announcement, **left)
        return handed

    async def say(self, session_id: str, adviser_id: str, message: Message) -> bool:
        fresh = await self._do(session_id, lambda store: store.say(session_id, adviser_id, message))
        self._copies.add(session_id, message)
        return fresh

    async def keep_hold(self, session_id: str, adviser_id: str) -> bool:
        return await self._do(session_id, lambda store: store.keep_hold(session_id, adviser_id))

    async def lapsed(self) -> list[str]:
        return await self._settled(lambda store: store.lapsed())

    async def orphans(self) -> list[str]:
        return await self._settled(lambda store: store.orphans())

    async def count(self) -> int:
        return await self._either(lambda store: store.count())

    async def ask_for_adviser(self, session_id: str, owner: str, announcement: Message) -> bool:
        asked = await self._do(
            session_id, lambda store: store.ask_for_adviser(session_id, owner, announcement)
        )
        if asked:
            self._copies.add(session_id, announcement, asked_at=now())
        return asked

    async def put_form(
        self, session_id: str, owner: str, form: JSON | None, *, expected_version: int
    ) -> bool:
        is_put = await self._do(
            session_id,
            lambda store: store.put_form(
                session_id, owner, form, expected_version=expected_version
            ),
        )
        if is_put:
            version = version_after(form, expected_version)
            self._copies.change(session_id, form=form, form_version=version)
        return is_put

    async def announce(self, session_id: str, announcement: Message) -> bool:
        is_new = await self._do(session_id, lambda store: store.announce(session_id, announcement))
        self._copies.add(session_id, announcement)
        return is_new

    async def add_aside(self, session_id: str, aside: Aside) -> None:
        await self._do(session_id, lambda store: store.add_aside(session_id, aside))

    async def asides(self, session_id: str) -> list[Aside]:
        return await self._do(session_id, lambda store: store.asides(session_id))

    async def page(self, listing: Listing) -> Page:
        return await self._either(lambda store: store.page(listing))

    async def find(self, ref: str) -> str:
        try:
            return await self._either(lambda store: store.find(ref))
        except SessionNotFound:
            if self._away_since is None:
                raise
        copied = self._copies.find(ref)
        if copied is None:  # Redis may know it
            raise StoreUnavailable
        return copied

    async def search(self, words: Sequence[str]) -> list[Row]:
        return await self._either(lambda store: store.search(words))

    async def counts(self) -> Counts:
        return await self._either(lambda store: store.counts())

    async def survey(self, progress: Progress | None = None) -> Survey:
        return await self._redis.survey(progress)

    async def mend(self, survey: Survey, progress: Progress | None = None) -> dict[Orphan, int]:
        return await self._redis.mend(survey, progress)

    async def expired_since(self, moment: datetime) -> int:
        return await self._redis.expired_since(moment)

    @abstractmethod
    async def _do(
        self,
        session_id: str,
        operation: Callable[[Store], Awaitable[T]],
        *,
        new: bool = False,
        leased: Lease | None = None,
    ) -> T:
        """Do it where the session lives now."""

    @abstractmethod
    def _leave(self) -> None:
        """Serve from memory from now on."""

    async def _either(self, operation: Callable[[Store], Awaitable[T]]) -> T:
        """Do what is about no one session where most of them live now."""
        if self._away_since is None:
            try:
                return await operation(self._redis)
            except StoreUnavailable:
                self._leave()
        return await operation(self._memory)

    async def _settled(self, operation: Callable[[Store], Awaitable[list[str]]]) -> list[str]:
        """The same, but nothing while other workers may still merge into Redis."""
        if self._away_since is None and seconds() < self._settled_at:
            return []
        return await self._either(operation)
