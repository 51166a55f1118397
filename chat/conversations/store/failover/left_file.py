"""Conversations that a worker leaves in a file when it stops while Redis is away.

The file is written whole or not at all, readable by this user only, and locked for as long as a
process cares for it. The next worker that finds it unlocked merges it into Redis and removes it.
Merging twice changes nothing, should two hosts share a folder whose locks they do not share.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from chat.conversations.store.adviser_store import StaffNote
from chat.conversations.store.memory.record import Record, RunningTurn
from chat.conversations.store.redis.document import replacement, stored
from chat.core.clock import seconds
from chat.core.ids import new_id
from chat.core.json import JSON
from meuble_project.env import ROOT

logger = logging.getLogger(__name__)

VERSION = 1
SUFFIX = ".json"
#: What cannot be read is kept under this name for a human.
UNREADABLE = ".unreadable"


def left_folder() -> Path:
    """``MEDIA_DIR/conversations``, whether it exists or not."""
    return ROOT / settings.ENV.media_dir / "conversations"


def left_files(folder: Path) -> list[Path]:
    """Return all files that lie there, those that could not be read included."""
    names = (f"*{SUFFIX}", f"*{UNREADABLE}")
    return sorted(path for name in names for path in folder.glob(name))


def forget_old(folder: Path, older_than_s: float) -> None:
    """Remove what nobody could read, or nobody wrote to its end, once all in it has expired."""
    moment = seconds() - older_than_s
    for pattern in (f"*{UNREADABLE}", "*.tmp"):
        for path in folder.glob(pattern):
            with suppress(OSError):
                if path.stat().st_mtime < moment:
                    path.unlink()
                    logger.warning("%s was removed: what it holds has expired", path)


class LeftFile:
    """A file that this process has locked, until ``remove`` or ``close``."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def write(cls, folder: Path, records: Sequence[Record]) -> LeftFile:
        """Return the file once it is on the disk.

        Raises:
            OSError: nothing was written.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = orjson.dumps(
            {"version": VERSION, "conversations": [encoded(record) for record in records]}
        )
        path = folder / f"{secrets.token_hex(8)}{SUFFIX}"
        draft = path.with_suffix(".tmp")
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.write(content)
            os.fsync(descriptor)
            draft.rename(path)
            _sync(folder)
        except OSError:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        return cls(path, descriptor)

    @classmethod
    def found(cls, folder: Path) -> Iterator[LeftFile]:
        """Lock the files for which no process cares, one by one."""
        for path in folder.glob(f"*{SUFFIX}"):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                logger.exception("a file with conversations cannot be opened: %s", path)
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # another process has it
                os.close(descriptor)
                continue
            if os.fstat(descriptor).st_nlink == 0:  # it was merged in between
                os.close(descriptor)
                continue
            yield cls(path, descriptor)

    def read(self) -> tuple[list[Record], bool]:
        """Return the conversations that have not expired, and whether all could be read."""
        try:
            data = orjson.loads(self.path.read_bytes())
            if data["version"] != VERSION:
                raise ValueError
            conversations = data["conversations"]
        except (OSError, ValueError, TypeError, KeyError):
            return [], False
        records, moment, is_whole = [], seconds(), True
        for conversation in conversations:
            try:
                record = decoded(conversation)
            except Exception as error:  # noqa: BLE001 - one that cannot be read stops no other
                logger.error("a conversation of %s is unreadable: %s", self.path, type(error))
                is_whole = False
            else:
                if record.expires > moment:
                    records.append(record)
        return records, is_whole

    def remove(self) -> None:
        """Remove the file: all that it holds is elsewhere."""
        self.path.unlink(missing_ok=True)
        self.close()

    def set_aside(self) -> None:
        """Keep the file for a human, where no worker looks for it again."""
        self.path.rename(self.path.with_suffix(UNREADABLE))
        self.close()

    def close(self) -> None:
        """Leave the file to others."""
        os.close(self._descriptor)


def encoded(record: Record) -> JSON:
    """Return a conversation as JSON; moments are milliseconds since 1970."""
    document, *_ = replacement(record)
    turn = record.turn
    return {
        "document": json.loads(document),
        "owner": record.owner,
        "epoch": record.epoch,
        "expires": round(record.expires * 1000),
        "gone": record.gone,
        "elsewhere": record.elsewhere,
        "fields": _fields(record),
        "turn": {"question": turn.question_id, "answer": turn.answer_id} if turn else None,
        "asides": [staff_note.to_json() for staff_note in record.staff_notes.values()],
    }


def decoded(data: JSON) -> Record:
    """Return the conversation of ``encoded``. Nobody answers in it: whoever did has ended.

    Raises:
        Exception: of any kind, when it is no such conversation.
    """
    document = data["document"]
    fields = {**data["fields"], "owner": data["owner"], "epoch": data["epoch"]}
    fields["gone"] = data["gone"]
    now_ms = round(seconds() * 1000)
    pairs = [str(part).encode() for pair in fields.items() for part in pair]
    reply: list[Any] = [orjson.dumps(document), data["expires"], b"", b"", now_ms, pairs]
    record = stored(document["id"], reply).record
    if record is None:
        raise ValueError
    record.elsewhere = bool(data["elsewhere"])
    record.staff_notes = {
        staff_note.id: staff_note for staff_note in map(StaffNote.from_json, data["asides"])
    }
    if data["turn"] is not None:
        question_id, answer_id = data["turn"]["question"], data["turn"]["answer"]
        nobody = new_id()
        record.turn = RunningTurn(
            question_id=question_id, answer_id=answer_id, token=nobody, until=0.0
        )
    return record


def _fields(record: Record) -> dict[str, str]:
    """Return what ``chat:state`` would hold, but for what the document tells."""
    parts = iter(map(str, replacement(record)[13:]))
    fields = dict(zip(parts, parts, strict=True))
    fields = {name: text for name, text in fields.items() if name[:2] not in ("m:", "d:")}
    for question_id, budget in record.budgets.items():
        fields[f"d:{question_id}"] = f"{round(budget.due * 1000)}|{budget.attempts}"
    return {**fields, "pending": " ".join(record.pending)}


def _sync(folder: Path) -> None:
    """Have the name of a new file survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
