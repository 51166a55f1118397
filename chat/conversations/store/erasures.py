"""Intents to erase: noted in the step that removes a conversation, kept until all is clean.

A conversation is removed from its store in one step; e-mail addresses and photos that it left are
in the database and on disk, which may be away at that moment. The store therefore keeps the
reference (``ref_of``) of each erased conversation until ``erasure_done``; workers ask for what is
due with ``take_erasures`` and finish it (``chat/ops/erasure.py``).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from django.conf import settings

from chat.core import clock
from chat.core.errors import StoreUnavailable
from meuble_project.env import ROOT

#: The process that erases cleans up itself; another one may after this.
FIRST_PAUSE_S = 5.0
#: Longest pause between two tries.
LONGEST_PAUSE_S = 300.0
#: An intent is kept for so long at least, and carried out once more at its end: an upload that was
#: under way during the erasure may store its photo afterwards.
LATE_S = 60.0
#: Where intents of conversations that the store does not know are no longer noted.
MAX_UNKNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Backlog:
    """Intents that are not finished. ``oldest_at``: when the oldest was noted; None without any."""

    count: int
    oldest_at: datetime | None

    def age_s(self, now: datetime) -> float:
        return (now - self.oldest_at).total_seconds() if self.oldest_at else 0.0


class Erasures(Protocol):
    """What a store remembers of erased conversations. All raise ``StoreUnavailable``."""

    async def take_erasures(self, limit: int = 10) -> list[str]:
        """Return references whose turn it is. Each is given to one caller, and again after a pause
        that grows with its age up to ``LONGEST_PAUSE_S``, until ``erasure_done``.
        """

    async def erasure_done(self, ref: str) -> None:
        """Note that nothing was left. Within ``LATE_S`` of the erasure it is taken once more."""

    async def erasure_backlog(self) -> Backlog:
        """Return how much is unfinished."""


def pause_s(age_s: float) -> float:
    """Return the pause before the next try of an intent of this age: pauses double."""
    return min(max(age_s, FIRST_PAUSE_S), LONGEST_PAUSE_S)


def erasure_folder() -> Path:
    """``MEDIA_DIR/erasing``, whether it exists or not."""
    return ROOT / settings.ENV.media_dir / "erasing"


class ErasureFolder:
    """Intents as empty files, one for each reference: for ``memory://``, which is one process.

    The modification time of a file is when the conversation was erased, by the worker's clock. When
    a file is due next is remembered by this process only: after a restart all are due.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._due: dict[str, float] = {}

    def note(self, ref: str) -> None:
        """Store the intent.

        Raises:
            StoreUnavailable: the disk refuses; then nothing may be erased.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / ref
            path.touch(mode=0o600)
            now = clock.now().timestamp()
            os.utime(path, (now, now))
            _sync(path)
            _sync(self._folder)
        except OSError as error:
            raise StoreUnavailable from error
        self._due[ref] = now + FIRST_PAUSE_S

    def take(self, limit: int) -> list[str]:
        now = clock.now().timestamp()
        noted = self._noted()
        due = [ref for ref in noted if self._due.get(ref, 0.0) <= now][:limit]
        self._due |= {ref: now + pause_s(now - noted[ref]) for ref in due}
        return due

    def done(self, ref: str) -> None:
        noted_at = self._noted().get(ref, 0.0)
        if clock.now().timestamp() - noted_at < LATE_S:
            self._due[ref] = noted_at + LATE_S
            return
        self._due.pop(ref, None)
        (self._folder / ref).unlink(missing_ok=True)

    def backlog(self) -> Backlog:
        noted = self._noted()
        oldest = min(noted.values(), default=None)
        return Backlog(len(noted), datetime.fromtimestamp(oldest, UTC) if oldest else None)

    def _noted(self) -> dict[str, float]:
        """References, the oldest first, with the moment of each."""
        try:
            found = {entry.name: entry.stat().st_mtime for entry in os.scandir(self._folder)}
        except FileNotFoundError:  # none was ever noted, or one was finished meanwhile
            return {}
        return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
