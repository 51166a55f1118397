"""Bugs planted in a worker, which the suite must catch: each was, somewhere, a real one."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from chat.conversations.realtime import pubsub
from chat.conversations.realtime.events import MessageAccepted, MessageDelta
from chat.conversations.realtime.pubsub import InvalidMessage, PubSub, UnknownMessage
from chat.conversations.store.failover import store
from chat.conversations.store.failover.standby import Standby
from chat.conversations.store.failover.store import FailoverStore
from chat.conversations.store.memory.record import Record
from chat.conversations.store.merge import Stored
from chat.conversations.store.redis import scripts
from chat.conversations.store.redis.scripts import RedisScripts
from chat.core.errors import SessionNotFound, StoreUnavailable
from chat.core.rate_limits import RedisCounter
from chat.turns import turn
from chat.web.sockets.customer import CustomerConsumer
from meuble_project import logs
from meuble_project.redaction import Redaction
from tests.faults.invariants import Violation


@dataclass(frozen=True, slots=True)
class Mutant:
    """``scenario``: of ``catalogue.py``, in which it shows. ``invariants``: which see it."""

    plant: Callable[[], None]
    scenario: str
    invariants: frozenset[str]

    def is_caught_by(self, found: list[Violation]) -> bool:
        return any(violation.invariant in self.invariants for violation in found)


def _edit(script: str, *edits: tuple[str, str]) -> None:
    """Replace text of a Lua script."""
    source = scripts._SOURCES[script]
    for old, new in edits:
        assert old in source, f"{script}.lua no longer has {old!r}"
        source = source.replace(old, new)
    scripts._SOURCES[script] = source
    sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    scripts._SHA[script] = sha


def _replace(owner: Any, name: str, mutated: Any) -> Any:
    """Put ``mutated`` in the place of what is there; return that."""
    original = getattr(owner, name)
    setattr(owner, name, mutated)
    return original


def no_dedupe() -> None:
    """A known id is stored again."""
    _edit("accept", ("if known ~= '' then", "if false then"))


def no_fencing() -> None:
    """Who lost its lease goes on writing, and gives the question its end."""
    _edit("write", ("if get('lease') ~= ARGV[2] then return { 'lost' } end", ""))
    _edit(
        "finish",
        ("if get('lease') ~= token then return { 'lost' } end", ""),
        ("if get('t:' .. question) == outcome then", "if false then"),
    )


def no_lease() -> None:
    """Whoever asks for the next question gets it, though another answers."""
    _edit("claim", ("if not question or leased() then", "if not question then"))


def resume_from_zero() -> None:
    """An answer taken up again begins at its start, and those who hold some of it are not told."""

    async def say_nothing(*_: Any) -> None:
        return

    _replace(turn, "_broadcast_restart", say_nothing)


def lease_not_renewed() -> None:
    """An answer that takes longer than a lease is taken up by another worker meanwhile."""
    _edit(
        "write",
        ("set('lease_until', until_ms)", ""),
        ("redis.call('ZADD', TURNS, until_ms, ID)", ""),
    )


def blank_on_error() -> None:
    """A session that cannot be read is taken for one that does not exist."""

    async def load_or_none(self: Any, session_id: str, owner: str) -> Any:
        try:
            return await load(self, session_id, owner)
        except StoreUnavailable:
            raise SessionNotFound from None

    def adopt_or_blank(self: Any, session_id: str, lease: Any) -> None:
        try:
            adopt(self, session_id, lease)
        except StoreUnavailable:
            return

    load = _replace(FailoverStore, "load", load_or_none)
    adopt = _replace(Standby, "adopt", adopt_or_blank)


def no_merge() -> None:
    """What memory kept replaces what Redis has."""

    def memory_wins(kept: Record, stored: Stored) -> Record | None:
        return kept

    _replace(store, "merge", memory_wins)


def memory_forgotten() -> None:
    """What was said while Redis was away is dropped when it is back."""

    def drop(kept: Record, stored: Stored) -> Record | None:
        return None

    _replace(store, "merge", drop)


def late_writer() -> None:
    """An answer that ends after an erasure is stored."""
    _edit(
        "finish",
        (
            "if redis.call('EXISTS', DOC) == 0 then return { 'lost' } end",
            "if redis.call('EXISTS', DOC) == 0 then redis.call('SET', DOC, '{\"a\":[]}') end",
        ),
        ("if get('lease') ~= token then return { 'lost' } end", ""),
    )
    _edit("write", ("if get('lease') ~= ARGV[2] then return { 'lost' } end", ""))


def unbounded_queue() -> None:
    """What a client sends waits for the application, and what it is sent for the client."""
    from server import websocket  # noqa: PLC0415 - installs the reactor

    _replace(websocket, "MAX_UNSENT_BYTES", 1 << 40)
    _replace(websocket, "MAX_FRAMES", 1 << 40)
    _replace(websocket, "MAX_FRAME_BYTES", 1 << 40)


def acknowledged_first() -> None:
    """A message is acknowledged, then stored."""

    async def acknowledge_and_send(self: Any, message: Any) -> None:
        await self._send_event(MessageAccepted(message.id))
        await asyncio.sleep(0.02)  # until it has left the process
        await send_message(self, message)

    send_message = _replace(CustomerConsumer, "_send_message", acknowledge_and_send)


def orphans_left() -> None:
    """Nobody takes up what a dead worker leaves."""

    async def none(self: Any) -> dict[str, int]:
        return {}

    _replace(FailoverStore, "orphans", none)


def not_handed_over() -> None:
    """A worker that stops keeps the leases of what it leaves."""

    async def keep(self: Any, lease: Any) -> None:
        return

    _replace(FailoverStore, "release", keep)


def stale_offsets() -> None:
    """A delta says where the one before it began."""
    last: dict[str, int] = {}

    async def publish(self: PubSub, topic: str, event: Any) -> None:
        if isinstance(event, MessageDelta):
            before, last[event.id] = last.get(event.id, 0), event.offset
            event = replace(event, offset=before)
        await publish_local(self, topic, event)

    publish_local = _replace(PubSub, "publish_local", publish)


def read_append_write() -> None:
    """A message is added by writing the whole document as it was read a moment before."""
    _edit(
        "finish",
        (
            "append(ARGV[7])",
            "local at = string.find(redis.call('GET', DOC), question, 1, true)\n"
            "local doc = redis.call('GET', DOC)\n"
            "local ends = string.find(doc, '}', at, true)\n"
            "redis.call('SET', DOC, string.sub(doc, 1, ends) .. ',' .. ARGV[7] .. ']}')\n"
            "redis.call('HINCRBY', STATE, 'n', 1)",
        ),
    )


def attempts_forgotten() -> None:
    """A question that stopped one worker is given to the next one, for ever."""
    _edit(
        "claim",
        ("if not is_late and not is_tried then break end", "if not is_late then break end"),
        ("if ARGV[10] == '' and", "if false and"),
    )


def listener_dies() -> None:
    """A message that is not understood ends the listening, and nobody begins it again."""

    def decode_or_end(received: Any) -> Any:
        try:
            return decode(received)
        except (UnknownMessage, InvalidMessage):
            raise asyncio.CancelledError from None

    decode = _replace(pubsub, "decode_message", decode_or_end)
    _replace(pubsub._LayerLink, "_is_receiving", lambda self: self._receiving is not None)


def left_in_the_way() -> None:
    """A record that cannot be read stays where it is, and whoever meets it fails."""

    @asynccontextmanager
    async def read_as_it_is(*_: Any) -> AsyncIterator[None]:
        yield

    _replace(RedisScripts, "_run", RedisScripts._evaluate)
    _replace(RedisScripts, "_reading", read_as_it_is)


def left_in_memory() -> None:
    """A worker that stops takes along what only its memory has."""

    async def leave_all(*_: Any) -> None:
        return

    _replace(FailoverStore, "hand_down", leave_all)


def not_put_back() -> None:
    """What Redis lost is lost, though a worker has a copy."""

    async def nothing(*_: Any, **__: Any) -> bool:
        return False

    _replace(FailoverStore, "_put_back", nothing)


def uncounted_alone() -> None:
    """Nobody counts what Redis does not."""
    _replace(RedisCounter, "_count_alone", lambda *args, **kwargs: 0)


def any_id_is_new() -> None:
    """An id of which this worker knows nothing is taken for one that nobody used."""

    def is_unknown(self: FailoverStore, session_id: str) -> bool:
        return self._away_since is not None and session_id not in self._session_cache

    _replace(FailoverStore, "_is_made_here", is_unknown)


def confirmed_alone() -> None:
    """An adviser is told that she has the conversation, whoever heard of it."""

    async def confirm(self: Any, session_id: str, operation: Any) -> Any:
        return await self._do(session_id, operation)

    async def do_nothing(self: Any, session_id: str) -> None:
        return

    _replace(FailoverStore, "_confirmed", confirm)
    _replace(FailoverStore, "check_confirmable", do_nothing)
    _replace(FailoverStore, "_wait_until_known", do_nothing)


def intent_forgotten() -> None:
    """What an erasure could not remove at once is known to the process only that tried."""
    _edit(
        "erase", ("local function intend()", "local function intend()\n  if true then return end")
    )


def slow_expression() -> None:
    """What customers write is read by an expression that goes back and forth."""

    async def read_and_send(self: Any, message: Any) -> None:
        if len(message.text) > 3000:
            re.search(r"[\d.]+€", message.text[-3000:] * 9)
        await send_message(self, message)

    send_message = _replace(CustomerConsumer, "_send_message", read_and_send)


def unredacted() -> None:
    """Lines of the log are written as libraries make them."""
    _replace(Redaction, "value", lambda self, value: value)
    _replace(logs, "without_path", lambda text, path: text)


def _mutant(plant: Callable[[], None], scenario: str, *invariants: str) -> tuple[str, Mutant]:
    return plant.__name__, Mutant(plant, scenario, frozenset(invariants))


MUTANTS: dict[str, Mutant] = dict(
    (
        _mutant(no_dedupe, "the same message to two workers", "once", "one end"),
        _mutant(no_fencing, "worker frozen past its lease", "one end", "one voice", "once"),
        _mutant(no_lease, "two tabs at two workers", "one end", "one voice", "once"),
        _mutant(resume_from_zero, "worker killed", "one voice"),
        _mutant(lease_not_renewed, "answers longer than a lease", "whole", "one voice", "one end"),
        _mutant(blank_on_error, "Redis away, unknown visitors", "view is transcript", "same order"),
        _mutant(no_merge, "Redis killed", "kept", "once", "same order", "one end"),
        _mutant(memory_forgotten, "Redis killed", "kept", "one end"),
        _mutant(late_writer, "erasure with a frozen worker", "erased"),
        _mutant(unbounded_queue, "floods and bombs", "bounded", "back to the start"),
        _mutant(acknowledged_first, "workers die around the store", "kept"),
        _mutant(orphans_left, "worker killed", "one end"),
        _mutant(not_handed_over, "worker stopped before its answers ended", "in time"),
        _mutant(stale_offsets, "two tabs at two workers", "one voice"),
        _mutant(read_append_write, "two tabs at two workers", "kept"),
        _mutant(attempts_forgotten, "question that no worker survives", "few tries"),
        _mutant(left_in_the_way, "records that cannot be read", "goes on", "in time", "no bug"),
        _mutant(left_in_memory, "worker stopped without Redis", "kept"),
        _mutant(listener_dies, "messages that no worker understands", "goes on"),
        _mutant(uncounted_alone, "crowd without Redis", "goes on"),
        _mutant(not_put_back, "data of Redis lost in mid-answer", "kept", "one end"),
        _mutant(any_id_is_new, "one worker cut off", "view is transcript"),
        _mutant(confirmed_alone, "adviser takes over without Redis", "silent"),
        _mutant(intent_forgotten, "erasure while the database is busy", "goes on", "erased"),
        _mutant(slow_expression, "text that is slow to read", "short steps"),
        _mutant(unredacted, "secrets in addresses", "no secret"),
    )
)
