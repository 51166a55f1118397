"""Lua scripts of the session store, and the connection that runs them on one session's keys.

Commands of many coroutines go in few round trips over the synchronous client of django-redis: one
thread talks to Redis; while it waits, more commands queue up, and it sends them as one pipeline.
One connection carries a whole worker, and a thread is woken once for a batch.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import redis
from redis.exceptions import (
    AskError,
    BusyLoadingError,
    ClusterCrossSlotError,
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
)
from redis.exceptions import (
    ConnectionError as RedisConnectionError,
)
from redis.exceptions import (
    TimeoutError as RedisTimeoutError,
)

from chat.conversations.types import Unreadable, decoding
from chat.core import metrics
from chat.core.errors import SessionUnreadable, StoreUnavailable
from chat.core.ids import is_id, ref_of

MAX_BATCH = 256
#: A batch that is under way, and its second try, end by their timeouts before.
LONGEST_CLOSE_S = 3.0
#: Answers that say "not now", whatever was asked.
_AWAY = (
    *(RedisConnectionError, RedisTimeoutError, OutOfMemoryError, ReadOnlyError, BusyLoadingError),
    # Of a Redis Cluster, which is refused at start but may take the place of a Redis later.
    # ``MovedError`` is an ``AskError``.
    *(AskError, ClusterCrossSlotError, ClusterDownError),
)
#: The same, for which redis-py has no class: a failed AOF or snapshot, too few replicas.
_AWAY_CODES = ("MISCONF", "NOREPLICAS")


@dataclass(slots=True)
class _Call:
    command: tuple[Any, ...]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop


class PipelineExecutor:
    """``scripts``: Lua sources by SHA1, loaded again whenever Redis has forgotten them."""

    def __init__(self, connect: Callable[[], redis.Redis], scripts: dict[str, str]) -> None:
        self._connect = connect
        self._scripts = scripts
        self._queue: SimpleQueue[_Call | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    async def run(self, *command: Any) -> Any:
        """Send one command and return its reply.

        Raises:
            StoreUnavailable: no answer in time, or Redis cannot write now. It may have been done.
            redis.exceptions.ResponseError: Redis refused the command: a bug of ours.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        # Here, so that what cannot be encoded fails for its caller, and not for the whole batch.
        name, *rest = command
        encoded = [part.encode() if isinstance(part, str) else part for part in rest]
        if self._thread is None:
            self._start()
        self._queue.put(_Call((name, *encoded), future, loop))
        reply = await future
        if isinstance(reply, _AWAY) or (
            isinstance(reply, redis.ResponseError) and str(reply).startswith(_AWAY_CODES)
        ):
            raise StoreUnavailable from reply
        if isinstance(reply, Exception):
            raise reply
        return reply

    def close(self, longest_s: float = LONGEST_CLOSE_S) -> None:
        """End the thread once what was queued before is answered; wait ``longest_s`` at most."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(longest_s)
            self._thread = None

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="redis", daemon=True)
                self._thread.start()

    def _serve(self) -> None:
        while True:
            call = self._queue.get()
            if call is None:
                return
            batch, closing = self._gather(call)
            replies = self._execute([call.command for call in batch])
            self._deliver(batch, replies)
            if isinstance(replies[0], RedisConnectionError | RedisTimeoutError):
                # Redis is away: who queued meanwhile is told now, not after one more timeout.
                waiting, closed = self._gather(None)
                self._deliver(waiting, [replies[0]] * len(waiting))
                closing = closing or closed
            if closing:
                return

    def _gather(self, first: _Call | None) -> tuple[list[_Call], bool]:
        """Return ``first`` and what is queued behind it, and whether the link is closing."""
        batch = [first] if first else []
        while len(batch) < MAX_BATCH:
            try:
                call = self._queue.get_nowait()
            except Empty:
                break
            if call is None:
                return batch, True
            batch.append(call)
        return batch, False

    def _execute(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        try:
            try:
                replies = self._send(commands)
            except RedisTimeoutError:
                raise
            except RedisConnectionError:  # a connection that died while idle: try a new one
                replies = self._send(commands)
            return self._with_scripts(commands, replies)
        except Exception as error:  # noqa: BLE001 - each caller gets it, the thread lives
            return [error] * len(commands)

    def _send(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        pipeline = self._connect().pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        return pipeline.execute(raise_on_error=False)

    def _with_scripts(self, commands: list[tuple[Any, ...]], replies: list[Any]) -> list[Any]:
        unknown = [n for n, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            self._send([("SCRIPT", "LOAD", source) for source in self._scripts.values()])
            for n, reply in zip(unknown, self._send([commands[n] for n in unknown]), strict=True):
                replies[n] = reply
        return replies

    def _deliver(self, batch: list[_Call], replies: list[Any]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Call, Any]]] = {}
        for call, reply in zip(batch, replies, strict=True):
            by_loop.setdefault(call.loop, []).append((call, reply))
        for loop, pairs in by_loop.items():
            try:
                loop.call_soon_threadsafe(_resolve, pairs)
            except RuntimeError:  # that loop was closed: nobody waits any more
                logger.debug("the reader of %d replies is gone", len(pairs))


def _resolve(pairs: list[tuple[_Call, Any]]) -> None:
    for call, reply in pairs:
        if not call.future.done():
            call.future.set_result(reply)


logger = logging.getLogger(__name__)

_LUA = Path(__file__).with_name("lua")
#: What all conversations share, by type. See ``lua/common.lua``.
SHARED_KEYS = {
    **dict.fromkeys(("chat:index", "chat:began", "chat:turns"), "zset"),
    **dict.fromkeys(("chat:asked", "chat:held", "chat:answering", "chat:interrupted"), "zset"),
    **dict.fromkeys(("chat:workers", "chat:speakers", "chat:unreadable"), "zset"),
    **dict.fromkeys(("chat:erasing", "chat:erasing:since"), "zset"),
    **dict.fromkeys(("chat:places", "chat:expired"), "hash"),
    **dict.fromkeys(("chat:since", "chat:reindex"), "string"),
}
_TYPES = ", ".join(f"['{key}'] = '{kind}'" for key, kind in SHARED_KEYS.items())
_SETS = [f"'{key}'" for key, kind in SHARED_KEYS.items() if kind == "zset"]
_COMMON = (
    (_LUA / "common.lua")
    .read_text()
    .replace("TYPES_OF_SHARED", _TYPES)
    .replace("SETS_OF_SHARED", f"{len(_SETS) + 1}, 'chat:none', {', '.join(_SETS)}")
)
#: What stands before a function of ``lua/common.lua``: an empty line, and what is said of it.
_BEFORE_FUNCTION = re.compile(r"\n\n(?=(?:--.*\n)*local function (\w+))")
_COMMENT = re.compile(r"--.*")
#: What a conversation runs while it is being answered: these look at the sorted sets only, in two
#: commands, and at the rest when they fail; ``write``, for every piece of an answer, only then.
_QUICK = ("accept", "arrive", "claim", "finish", "load", "outcome", "release", "stop")
_UNCHECKED = ("write",)


def _source(name: str) -> str:
    check = "" if name in _UNCHECKED else f"check_shared({'true' if name in _QUICK else 'false'})"
    own = (_LUA / f"{name}.lua").read_text()
    return _with_functions(f"{check}\n{own}")


def _with_functions(own: str) -> str:
    """Put before a script the head of ``common.lua`` and those of its functions that it needs.

    Redis makes every function anew each time a script runs: all of them took a quarter of its time.
    """
    head, *parts = _BEFORE_FUNCTION.split(_COMMON)
    functions = list(zip(parts[::2], parts[1::2], strict=True))
    used: list[str] = []
    text = own
    for function, source in reversed(functions):  # each uses only those before it
        if re.search(rf"\b{function}\b", _COMMENT.sub("", text)):
            used.insert(0, source)
            text += source
    return "\n\n".join((head, *used, own))


_SOURCES = {path.stem: _source(path.stem) for path in _LUA.glob("*.lua") if path.stem != "common"}
_SHA = {
    name: hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    for name, source in _SOURCES.items()
}


#: What a script that set its session aside ends with: ``refuse_unreadable`` of ``lua/common.lua``.
_SET_ASIDE = "UNREADABLE"
#: What one ends with that moved shared keys aside: ``check_shared`` of ``lua/common.lua``.
_SHARED_ASIDE = re.compile(r"SHAREDTYPE ([a-z:,]+)")
#: How often a script begins again because of such keys.
_MAX_BEGINNINGS = 4

#: Shared keys whose ids are the fields of a hash, in place of members of a sorted set.
_HASHES = ("chat:places",)


def scripts() -> dict[str, str]:
    """Return every Lua source by its SHA1."""
    return {_SHA[name]: source for name, source in _SOURCES.items()}


class RedisScripts:
    """Runs ``lua/<name>.lua``; see ``lua/common.lua`` for the keys."""

    def __init__(self, link: PipelineExecutor) -> None:
        self._link = link

    async def _run(self, name: str, session_id: str, *arguments: Any) -> Any:
        """``session_id``: "" when the script is about none.

        Raises:
            SessionUnreadable: what is stored of it is of no known form; it was set aside.
            StoreUnavailable: a key is of another type, but none of the session's own.
        """
        try:
            return await self._evaluate(name, session_id, *arguments)
        except redis.ResponseError as error:
            if session_id and _SET_ASIDE in str(error):
                _note_unreadable(session_id, "document")
                raise SessionUnreadable from error
            if not str(error).startswith("WRONGTYPE"):
                raise
            if session_id and await self._set_aside(
                session_id, b"", "type of a key", for_type_only=True
            ):
                raise SessionUnreadable from error
            raise StoreUnavailable from error

    async def _set_aside(
        self, session_id: str, document: bytes, what: str, *, for_type_only: bool = False
    ) -> bool:
        """Move a record out of everybody's way, unless its document is another one by now.

        ``document``: as it was read, b"" for whatever it is. ``what``: is wrong, for the log.
        ``for_type_only``: unless the types of its own keys are right.
        """
        only = "1" if for_type_only else ""
        if not await self._evaluate("set_aside", session_id, document, only):
            return False
        _note_unreadable(session_id, what)
        return True

    @asynccontextmanager
    async def _reading(self, session_id: str, document: bytes) -> AsyncIterator[None]:
        """Decode what a script replied about one session.

        Raises:
            SessionUnreadable: it cannot be decoded; it was set aside.
        """
        try:
            with decoding():
                yield
        except Unreadable as error:
            await self._set_aside(session_id, document, str(error))
            raise SessionUnreadable from error

    async def _ids(self, key: str, members: Iterable[bytes]) -> list[str]:
        """Decode members of a shared sorted set or fields of a shared hash.

        What is no id is removed from the key, so that it is in nobody's way a second time.
        """
        ids, others = split_ids(members)
        if others:
            await self._link.run("HDEL" if key in _HASHES else "ZREM", key, *others)
            metrics.unreadable_records.inc(len(others))
            logger.warning("%d members of %s are no ids: removed", len(others), key)
        return ids

    async def _due(self, key: str, script: str, *arguments: Any) -> list[str]:
        """Return the ids that a script finds due in a shared sorted set."""
        while True:
            members = await self._run(script, "", *arguments)
            ids = await self._ids(key, members)
            if ids or not members:
                return ids

    async def _evaluate(self, name: str, session_id: str, *arguments: Any) -> Any:
        """Run a script; begin again when shared keys of another type had to be moved first."""
        for _ in range(_MAX_BEGINNINGS):
            try:
                return await self._evaluate_once(name, session_id, *arguments)
            except redis.ResponseError as error:
                if moved := _SHARED_ASIDE.search(str(error)):
                    _note_shared(moved[1])
                elif not str(error).startswith("WRONGTYPE") or not await self._check(session_id):
                    raise
        raise StoreUnavailable

    async def _check(self, session_id: str) -> bool:
        """Move shared keys of another type aside; return whether there were any."""
        try:
            await self._evaluate_once("check", session_id)
        except redis.ResponseError as error:
            moved = _SHARED_ASIDE.search(str(error))
            if moved is None:
                raise
            _note_shared(moved[1])
            return True
        return False

    async def _shared(self, *command: Any) -> Any:
        """Run a command on a shared key, after that was moved aside if it is of another type."""
        try:
            return await self._link.run(*command)
        except redis.ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
        await self._check("")
        return await self._link.run(*command)

    async def _evaluate_once(self, name: str, session_id: str, *arguments: Any) -> Any:
        return await self._link.run(
            "EVALSHA",
            _SHA[name],
            8,
            f"session:{session_id}",
            f"chat:state:{session_id}",
            f"chat:draft:{session_id}",
            "chat:index",
            "chat:turns",
            f"chat:asides:{session_id}",
            f"chat:ref:{ref_of(session_id)}",
            f"chat:unreadable:{session_id}",
            session_id,
            *arguments,
        )


def split_ids(members: Iterable[bytes]) -> tuple[list[str], list[bytes]]:
    """Return those that are ids, decoded, and the others as they are."""
    ids, others = [], []
    for member in members:
        name = member.decode(errors="replace")
        if is_id(name):
            ids.append(name)
        else:
            others.append(member)
    return ids, others


def _note_shared(keys: str) -> None:
    metrics.unreadable_records.inc()
    told = "shared keys of another type: %s, moved to chat:unreadable:<key>, to be made anew"
    logger.error(told, keys)


def _note_unreadable(session_id: str, what: str) -> None:
    metrics.unreadable_records.inc()
    logger.warning("a conversation cannot be read (%s): set aside, %s", what, ref_of(session_id))
