"""Authentication by API key: the database is asked once a second, not at every request.

A revoked key is refused within ``FRESH_S`` (and the time of one query). While the database cannot
be read, keys that it confirmed less than ``OUTAGE_S`` ago go on.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from chat.core.errors import AssistantUnavailable, ChatError, Unauthorized
from chat.core.lookups import look_up
from chat.core.runtime import Part
from chat.web.access.keys import hash_of, is_same, split_key
from chat.web.access.queries import KnownKey, find_key
from chat.web.access.services import USE_PRECISION_S, note_use

logger = logging.getLogger(__name__)

FRESH_S = 1.0
#: A key that is used when this old is confirmed in the background: who asks often never waits.
AGEING_S = 0.5
OUTAGE_S = 300.0
#: A database that takes longer is away.
LONGEST_QUERY_S = 2.0
RETRY_AFTER_S = 5

Find = Callable[[str], Awaitable[KnownKey | None]]
Note = Callable[[int], Awaitable[None]]


async def afind_key(prefix: str) -> KnownKey | None:
    return await look_up(find_key, prefix, longest_s=None, pool="access")


async def anote_use(key_id: int) -> None:
    await look_up(note_use, key_id, longest_s=None, pool="access")


class DatabaseAway(Exception):
    """Nothing is known of the key."""


@dataclass(slots=True)
class _Entry:
    """``asked_at``: of the last query begun. ``confirmed_at``: of the last that said yes."""

    key: KnownKey
    asked_at: float
    confirmed_at: float
    used_at: float = -math.inf


class ApiKeyAuthenticator:
    """One for each process. ``find`` and ``note`` speak to the database, and may be cancelled."""

    def __init__(
        self,
        find: Find = afind_key,
        note: Note = anote_use,
        clock: Callable[[], float] = time.monotonic,
        *,
        longest_query_s: float = LONGEST_QUERY_S,
    ) -> None:
        self._longest_query_s = longest_query_s
        self._find = find
        self._note = note
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def knows(self, text: str) -> bool:
        """Whether this very key was right before: no stranger who tries keys."""
        parts = split_key(text)
        return parts is not None and self._known(*parts) is not None

    async def owner_of(self, text: str) -> str:
        """Return whose sessions the holder of this key may see.

        Raises:
            Unauthorized: no key of ours, or a revoked one.
            AssistantUnavailable: the database cannot say.
        """
        parts = split_key(text)
        if parts is None:
            raise Unauthorized
        entry = self._known(*parts)
        age_s = self._clock() - entry.asked_at if entry is not None else math.inf
        if entry is None or age_s >= FRESH_S:
            entry = await self._confirmed(*parts, entry)
        elif age_s >= AGEING_S:
            entry.asked_at = self._clock()
            self._begin(self._confirm_again(*parts, entry), "api-key-again")
        self._note_use(entry)
        return entry.key.owner

    async def settle(self) -> None:
        """Return when every use so far is written down, and every key confirmed."""
        await asyncio.gather(*self._tasks)

    def _known(self, prefix: str, secret: str) -> _Entry | None:
        entry = self._entries.get(prefix)
        if entry is None or not is_same(entry.key.secret_hash, hash_of(secret)):
            return None
        return entry

    async def _confirmed(self, prefix: str, secret: str, entry: _Entry | None) -> _Entry:
        now = self._clock()
        if entry is not None:
            entry.asked_at = now  # whoever comes meanwhile goes on with what is known
        try:
            key = await self._ask_database(prefix)
        except DatabaseAway as error:
            if entry is None or now - entry.confirmed_at > OUTAGE_S:
                raise AssistantUnavailable(retry_after_s=RETRY_AFTER_S) from error
            return entry
        if key is None or not is_same(key.secret_hash, hash_of(secret)):
            if key is None:
                self._entries.pop(prefix, None)
            raise Unauthorized
        used_at = entry.used_at if entry else -math.inf
        entry = self._entries[prefix] = _Entry(key, now, now, used_at)
        return entry

    async def _ask_database(self, prefix: str) -> KnownKey | None:
        """Look the key up, waiting no longer than ``LONGEST_QUERY_S`` for a thread and an answer.

        Raises:
            DatabaseAway:
        """
        try:
            async with asyncio.timeout(self._longest_query_s):
                return await self._find(prefix)
        except Exception as error:
            logger.warning("API keys cannot be read: %s", type(error).__name__)
            raise DatabaseAway from error

    def _note_use(self, entry: _Entry) -> None:
        now = self._clock()
        if now - entry.used_at < USE_PRECISION_S:
            return
        entry.used_at = now
        self._begin(self._write_use(entry.key.id), "api-key-use")

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _confirm_again(self, prefix: str, secret: str, entry: _Entry) -> None:
        with suppress(ChatError):  # told to who asks next
            await self._confirmed(prefix, secret, entry)

    async def _write_use(self, key_id: int) -> None:
        try:
            async with asyncio.timeout(self._longest_query_s):
                await self._note(key_id)
        except Exception as error:  # noqa: BLE001 - a lost note of use harms nobody
            logger.warning("the use of an API key was not noted: %s", type(error).__name__)


#: API keys as this worker knows them.
AUTHENTICATOR: Part[ApiKeyAuthenticator] = Part("authenticator", ApiKeyAuthenticator)
