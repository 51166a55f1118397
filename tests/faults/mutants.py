"""Bugs planted in a worker, which the suite must catch: each was, somewhere, a real one."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from chat import live
from chat.assistant.attempt import Attempt
from chat.consumers.customer import CustomerConsumer
from chat.errors import SessionNotFound, StoreUnavailable
from chat.protocol import MessageAccepted, MessageDelta
from chat.sessions import redis_scripts, switch
from chat.sessions.memory_record import Record
from chat.sessions.merge import Stored
from chat.sessions.standin import StandIn
from chat.sessions.switch import SwitchStore
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
    source = redis_scripts._SOURCES[script]
    for old, new in edits:
        assert old in source, f"{script}.lua no longer has {old!r}"
        source = source.replace(old, new)
    redis_scripts._SOURCES[script] = source
    sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()
    redis_scripts._SHA[script] = sha


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

    async def say_nothing(self: Attempt) -> None:
        return

    _replace(Attempt, "_begin_again", say_nothing)


def lease_not_renewed() -> None:
    """An answer that takes longer than a lease is taken up by another worker meanwhile."""
    _edit(
        "write",
        ("set('lease_until', NOW + tonumber(ARGV[3]))", ""),
        ("redis.call('ZADD', TURNS, NOW + tonumber(ARGV[3]), ID)", ""),
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

    load = _replace(SwitchStore, "load", load_or_none)
    adopt = _replace(StandIn, "adopt", adopt_or_blank)


def no_merge() -> None:
    """What memory kept replaces what Redis has."""

    def memory_wins(kept: Record, stored: Stored) -> Record | None:
        return kept

    _replace(switch, "merge", memory_wins)


def memory_forgotten() -> None:
    """What was said while Redis was away is dropped when it is back."""

    def drop(kept: Record, stored: Stored) -> Record | None:
        return None

    _replace(switch, "merge", drop)


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
    from meuble_project.server import inbox, sockets  # noqa: PLC0415 - installs the reactor

    _replace(sockets, "MAX_UNSENT_BYTES", 1 << 40)
    _replace(inbox, "MAX_FRAMES", 1 << 40)
    _replace(inbox, "MAX_FRAME_BYTES", 1 << 40)


def acknowledged_first() -> None:
    """A message is acknowledged, then stored."""

    async def acknowledge_and_send(self: Any, message: Any) -> None:
        await self._say(MessageAccepted(message.id))
        await asyncio.sleep(0.02)  # until it has left the process
        await send_message(self, message)

    send_message = _replace(CustomerConsumer, "_send_message", acknowledge_and_send)


def orphans_left() -> None:
    """Nobody takes up what a dead worker leaves."""

    async def none(self: Any) -> list[str]:
        return []

    _replace(SwitchStore, "orphans", none)


def not_handed_over() -> None:
    """A worker that stops keeps the leases of what it leaves."""

    async def keep(self: Any, lease: Any) -> None:
        return

    _replace(SwitchStore, "release", keep)


def stale_offsets() -> None:
    """A delta says where the one before it began."""
    last: dict[str, int] = {}

    async def tell(session_id: str, event: Any) -> None:
        if isinstance(event, MessageDelta):
            before, last[event.id] = last.get(event.id, 0), event.offset
            event = replace(event, offset=before)
        await tell_here(session_id, event)

    tell_here = _replace(live, "tell_here", tell)


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


def _mutant(plant: Callable[[], None], scenario: str, *invariants: str) -> tuple[str, Mutant]:
    return plant.__name__, Mutant(plant, scenario, frozenset(invariants))


MUTANTS: dict[str, Mutant] = dict(
    (
        _mutant(no_dedupe, "the same message to two workers", "once", "one end"),
        _mutant(no_fencing, "worker frozen past its lease", "one end", "one voice", "once"),
        _mutant(no_lease, "two tabs at two workers", "one end", "one voice", "once"),
        _mutant(resume_from_zero, "worker killed", "one voice"),
        _mutant(lease_not_renewed, "answers longer than a lease", "one voice", "one end"),
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
    )
)
