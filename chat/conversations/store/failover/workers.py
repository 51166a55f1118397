"""Which workers share Redis, and which of those that fell silent are known to be dead.

A silent worker may be cut off from Redis, and still answer its customers from memory. It is known
to be dead when its process is gone, which workers of the same container see, or when its machine
or container was started again since.
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chat.core.ids import is_id

_PROC = Path("/proc")
#: States of a process that only waits to be removed from the table of processes.
_ENDED_STATES = ("Z", "X", "x")


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    """A process and where it runs; "" where the operating system does not say.

    ``boot``: id of this run of the kernel. ``processes``, ``names``: the namespaces of process
    ids and of host names. ``started``: clock ticks after the boot.
    """

    boot: str
    host: str
    processes: str
    names: str
    pid: int
    started: str

    @classmethod
    def here(cls) -> WorkerPlace:
        pid = os.getpid()
        # A /proc of another namespace would tell of other processes.
        is_ours = _link("self") == str(pid)
        return cls(
            boot=_read("sys/kernel/random/boot_id").strip(),
            host=socket.gethostname(),
            processes=_link("self/ns/pid") if is_ours else "",
            names=_link("self/ns/uts") if is_ours else "",
            pid=pid,
            started=_state_and_start(pid)[1],
        )

    @classmethod
    def from_text(cls, text: str) -> WorkerPlace | None:
        """Return what ``to_text`` wrote, None when it is of another form."""
        parts = text.split("|")
        if len(parts) != len(cls.__slots__) or not parts[4].isdecimal():
            return None
        boot, host, processes, names, pid, started = parts
        return cls(boot, host, processes, names, int(pid), started)

    def to_text(self) -> str:
        parts = (self.boot, self.host, self.processes, self.names, str(self.pid), self.started)
        return "|".join(parts)

    def sees(self, other: WorkerPlace) -> bool:
        """Whether a process here can look the other one up in its own table of processes."""
        return bool(
            self.boot
            and self.processes
            and (self.boot, self.processes) == (other.boot, other.processes)
        )

    def replaces(self, other: WorkerPlace) -> bool:
        """Whether this is the same machine or container after a restart, if started later.

        Containers on the host's network share its name: they are told apart by no name of theirs.
        """
        if not self.host or self.host != other.host or not self.boot or not other.boot:
            return False
        if self.boot != other.boot:
            return True
        is_other_container = "" not in (self.names, other.names) and self.names != other.names
        return is_other_container and self.processes != other.processes

    def is_running(self) -> bool:
        """Whether the process is there, stopped or not. To be asked only of one that is seen."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:  # of another user: it is there, and nothing more is known
            return True
        state, started = _state_and_start(self.pid)
        return state not in _ENDED_STATES and started == self.started


def is_dead(
    other: WorkerPlace, here: WorkerPlace, *, last_beat_ms: int, first_beat_here_ms: int
) -> bool:
    """Whether a worker can say no more to its customers.

    ``last_beat_ms``: of the other one. ``first_beat_here_ms``: of this worker, by the same clock.
    """
    if here.sees(other):
        return not other.is_running()
    return here.replaces(other) and last_beat_ms < first_beat_here_ms


@dataclass(frozen=True, slots=True)
class Workers:
    """``known_ms``: up to when each worker knows of changes of speakers, by the clock of Redis;
    it was alive then. ``places``: of those that tell.
    """

    known_ms: dict[str, int]
    places: dict[str, WorkerPlace]

    @classmethod
    def of_reply(cls, known: Sequence[Any], places: Sequence[Any]) -> Workers:
        """Decode a sorted set with its scores and a hash, as a Lua script returns both; what is no
        worker of ours is left out.
        """
        told = {id_: WorkerPlace.from_text(text) for id_, text in _pairs(places)}
        return cls(
            {
                id_: int(float(ms))
                for id_, ms in _pairs(known)
                if is_id(id_) and math.isfinite(float(ms))
            },
            {id_: place for id_, place in told.items() if place is not None},
        )

    def unaware(self, moment_ms: int) -> set[str]:
        """Return which do not know yet of all changes up to a moment."""
        return {id_ for id_, known_ms in self.known_ms.items() if known_ms < moment_ms}

    def dead(
        self, ids: Collection[str], here: WorkerPlace, first_beat_here_ms: int
    ) -> dict[str, int]:
        """Return which of these are known to be dead, with what they knew of last."""
        return {
            id_: self.known_ms[id_]
            for id_ in ids
            if id_ in self.places
            and is_dead(
                self.places[id_],
                here,
                last_beat_ms=self.known_ms[id_],
                first_beat_here_ms=first_beat_here_ms,
            )
        }


def _pairs(reply: Sequence[Any]) -> list[tuple[str, str]]:
    parts = iter(part.decode(errors="replace") for part in reply)
    return list(zip(parts, parts, strict=True))


def _state_and_start(pid: int) -> tuple[str, str]:
    """Return the third and the 22nd field of ``/proc/<pid>/stat``; "" when there is none."""
    _, _, fields = _read(f"{pid}/stat").rpartition(") ")  # a name may have spaces and brackets
    parts = fields.split()
    return (parts[0], parts[19]) if len(parts) > 19 else ("", "")


def _read(name: str) -> str:
    with suppress(OSError):
        return (_PROC / name).read_text()
    return ""


def _link(name: str) -> str:
    with suppress(OSError):
        return str((_PROC / name).readlink())
    return ""
