"""Request bodies under way in this worker, counted and weighed until their requests are over.

Three shelves that take no room from each other: photos, which any visitor may send; imports of the
admin, which only staff may send; and short bodies, which anybody may send and which wait in memory.
On a shelf that is full, who holds more than the newcomer gives way to it; of one sender's bodies in
memory, the longer gives way to the shorter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from chat.core import metrics
from chat.core.errors import AssistantUnavailable
from server.limits import BOUNDS, KIB, MIB, Bounds

#: Photos at once. They wait on disk.
MAX_PHOTOS = 12
#: Imports of the admin, which wait on disk as well.
MAX_IMPORTS = 4
MAX_IMPORT_BYTES = 24 * MIB
#: … of one sender, so that nobody takes every place.
MAX_LONG_BODIES_PER_SENDER = 4
#: All other bodies, which wait in memory, of one sender.
MAX_SHORT_BYTES_PER_SENDER = 8 * MIB
#: A body that comes slower than that, in bytes per second, may lose its place to another.
SLOW_PACE = 16 * KIB
#: How far a body may be behind that pace: at its beginning, and later for what came faster.
FIRST_PATIENCE_S = 1.0
PATIENCE_S = 5.0
RETRY_AFTER_S = 5


class ServerBusy(AssistantUnavailable):
    """This worker is receiving as much as it can."""

    message = "Trop d'envois sont en cours. Réessayez dans quelques secondes."

    def __init__(self) -> None:
        super().__init__(retry_after_s=RETRY_AFTER_S)


@dataclass(frozen=True, slots=True)
class Room:
    """What a shelf takes, in all and of one sender. ``None``: any number."""

    max_bytes: int
    max_bytes_per_sender: int
    max_bodies: int | None = None
    max_bodies_per_sender: int | None = None


class Bodies:
    """What this worker holds of requests. Used on the event loop only."""

    def __init__(
        self, bounds: Bounds = BOUNDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        per_sender = MAX_LONG_BODIES_PER_SENDER
        photos = Room(bounds.max_photo_bytes, bounds.max_photo_bytes, MAX_PHOTOS, per_sender)
        imports = Room(MAX_IMPORT_BYTES, MAX_IMPORT_BYTES, MAX_IMPORTS, per_sender)
        self.photos = BodyPool(photos, clock)
        self.imports = BodyPool(imports, clock)
        self.short = BodyPool(Room(bounds.max_short_bytes, MAX_SHORT_BYTES_PER_SENDER), clock)


class BodyPool:
    """Bodies that share room. ``held_bytes``: of all of them."""

    def __init__(self, room: Room, clock: Callable[[], float]) -> None:
        self.room = room
        self.clock = clock
        self.held_bytes = 0
        self.bodies: set[Body] = set()
        self.senders: dict[str, Sender] = {}

    def begin(self, sender: str, evict: Callable[[], object]) -> Body:
        """Take a place.

        Args:
            sender: whom the body counts for, like "203.0.113.7".
            evict: refuses this body, and ends it.

        Raises:
            ServerBusy: too many are under way, in this worker or of this sender, and none of them
                is to give way.
        """
        own = self.senders.get(sender)
        own_count = len(own.bodies) if own is not None else 0
        most, most_of_one = self.room.max_bodies, self.room.max_bodies_per_sender
        if own is not None and most_of_one is not None and own_count >= most_of_one:
            self._evict(self._slow(own.bodies))
        elif most is not None and len(self.bodies) >= most:
            larger = [other for other in self.senders.values() if len(other.bodies) > own_count + 1]
            larger.sort(key=lambda other: len(other.bodies), reverse=True)
            self._evict(self._unfinished_of(larger) or self._slow(self.bodies))
        return Body(self, sender, evict)

    def make_room_for(self, body: Body) -> None:
        """Let others give way until what is held is not too long.

        Raises:
            ServerBusy: this body is the one to be refused.
        """
        own = self.senders[body.sender]
        while own.held_bytes > self.room.max_bytes_per_sender:
            self._evict(self._larger_than(body, own) or self._slow(own.bodies - {body}))
        while self.held_bytes > self.room.max_bytes:
            larger = [one for one in self.senders.values() if one.held_bytes > own.held_bytes]
            larger.sort(key=lambda other: other.held_bytes, reverse=True)
            others = self._unfinished_of(larger) or self._larger_than(body, own)
            self._evict(others or self._slow(self.bodies - {body}))

    def _evict(self, body: Body | None) -> None:
        metrics.bodies_refused.inc()
        if body is None:
            raise ServerBusy
        body.evict()

    def _unfinished_of(self, senders: Iterable[Sender]) -> Body | None:
        """Return the slowest body of the first of these senders that is still sending one."""
        for sender in senders:
            unfinished = [body for body in sender.bodies if not body.is_whole]
            if unfinished:
                return min(unfinished, key=Body.due)
        return None

    def _larger_than(self, body: Body, sender: Sender) -> Body | None:
        """Return the largest body of this sender that is not whole, if it is larger than this."""
        unfinished = (other for other in sender.bodies if not other.is_whole)
        largest = max(unfinished, key=lambda other: other.held_bytes, default=body)
        return largest if largest.held_bytes > body.held_bytes else None

    def _slow(self, bodies: Iterable[Body]) -> Body | None:
        """Return the slowest of those that drip in."""
        now = self.clock()
        return min((body for body in bodies if body.is_slow(now)), key=Body.due, default=None)


class Sender:
    """What one sender has on a shelf."""

    def __init__(self) -> None:
        self.held_bytes = 0
        self.bodies: set[Body] = set()


class Body:
    """The share of one request. ``is_whole``: all of it came."""

    def __init__(self, pool: BodyPool, sender: str, evict: Callable[[], object]) -> None:
        self._pool = pool
        self._due = pool.clock() + FIRST_PATIENCE_S
        self.sender = sender
        self.evict = evict
        self.held_bytes = 0
        self.is_whole = False
        pool.bodies.add(self)
        pool.senders.setdefault(sender, Sender()).bodies.add(self)

    def add(self, count: int) -> None:
        """Account for more bytes.

        Raises:
            ServerBusy: there is no room for them: this body is to be refused.
        """
        pool = self._pool
        own = pool.senders[self.sender]
        self.held_bytes += count
        own.held_bytes += count
        pool.held_bytes += count
        now = pool.clock()
        self._due = min(max(self._due, now) + count / SLOW_PACE, now + PATIENCE_S)
        room = pool.room
        if pool.held_bytes > room.max_bytes or own.held_bytes > room.max_bytes_per_sender:
            pool.make_room_for(self)

    def end(self) -> None:
        """Give everything back; again without effect."""
        pool = self._pool
        if self not in pool.bodies:
            return
        pool.bodies.remove(self)
        pool.held_bytes -= self.held_bytes
        own = pool.senders[self.sender]
        own.held_bytes -= self.held_bytes
        own.bodies.remove(self)
        if not own.bodies:
            del pool.senders[self.sender]

    def due(self) -> float:
        """Return when it is slow unless more of it comes."""
        return self._due

    def is_slow(self, now: float) -> bool:
        """Whether it drips in."""
        return not self.is_whole and now >= self._due
