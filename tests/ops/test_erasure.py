"""What an erased conversation leaves in SQL and on disk goes, whatever fails meanwhile."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from channels.db import database_sync_to_async
from django.db import connection, transaction

from chat.conversations.handover.contacts import record_contact
from chat.conversations.handover.models import ContactRequest
from chat.conversations.store.erasures import LATE_S, ErasureFolder, erasure_folder, pause_s
from chat.conversations.store.protocol import STORE, WEB_OWNER
from chat.core.clock import now
from chat.core.errors import SessionNotFound, StoreUnavailable
from chat.core.ids import ref_of
from chat.core.threads import THREADS
from chat.ops import erasure
from chat.ops.ending import erase_session
from chat.ops.erasure import finish_erasure, finish_erasures, remove_leftovers
from chat.ops.reports.models import CleanupReport
from chat.shop.photos import files
from chat.shop.photos.models import FileRemoval, Photo
from chat.shop.photos.reencoding import ProcessedPhoto
from chat.shop.photos.removals import remove_files
from chat.shop.photos.services import attach, forget, keep
from tests.backends import use_redis
from tests.builders import question

CAMILLE, ZOE = "camille", "zoe"
CLEAN = ProcessedPhoto(4, 3, b"full", b"small")

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True, params=["memory", "redis"])
def _backend(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> None:
    """Each test runs with Redis and with ``memory://``."""
    settings.ENV = replace(settings.ENV, media_dir=str(tmp_path / "media"))
    is_redis = request.param == "redis"
    use_redis(settings, request.getfixturevalue("flushed_redis") if is_redis else "memory://")


@pytest.fixture
def make_due(settings: Any, restart_worker: Callable[[], None]) -> Callable[[], None]:
    """Let the pauses pass, when called: every intent is due, and was noted long ago. The worker
    starts anew and forgets what only a process knows.
    """

    def make_due() -> None:
        restart_worker()
        if settings.ENV.redis_url.startswith("memory://"):
            for path in erasure_folder().iterdir():
                os.utime(path, (1, 1))
            return
        with redis.Redis.from_url(settings.ENV.redis_url) as client:
            for key in ("chat:erasing", "chat:erasing:since"):
                for ref in client.zrange(key, 0, -1):
                    client.zadd(key, {ref: 1})

    return make_due


def leave(session_id: str) -> Photo:
    """Leave an address and a photo, as a customer does."""
    record_contact(session_id, f"{session_id}@example.test", "Canapé")
    return keep(ref_of(session_id), "1" * 64, CLEAN)


def left() -> tuple[int, int, int]:
    """Contact requests, photos, files."""
    return ContactRequest.objects.count(), Photo.objects.count(), len(list(files.stored()))


async def begin(session_id: str) -> None:
    await STORE.get().accept(session_id, WEB_OWNER, question(), create="always")
    await _sync(leave)(session_id)


def _sync(function: Callable[..., Any]) -> Callable[..., Any]:
    return database_sync_to_async(function, thread_sensitive=False)


@asynccontextmanager
async def refusing(condition: str = "1") -> AsyncIterator[None]:
    """Have the database itself refuse to delete contact requests."""
    await _sync(_execute)(
        "CREATE TRIGGER refuse BEFORE DELETE ON chat_contactrequest "
        f"WHEN {condition} BEGIN SELECT RAISE(ABORT, 'busy'); END"
    )
    try:
        yield
    finally:
        await _sync(_execute)("DROP TRIGGER refuse")


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


async def test_all_goes_at_once():
    await begin(CAMILLE)

    await erase_session(CAMILLE, WEB_OWNER)

    assert await _sync(left)() == (0, 0, 0)


async def test_locked_database_then_a_restart_leaves_nothing(make_due, monkeypatch):
    # As in production SQLite gives up after the caller, but not 20 s later.
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", erasure.LONGEST_WAIT_S + 1)
    await begin(CAMILLE)
    lock = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        await erase_session(CAMILLE, WEB_OWNER)  # the customer is not held up
        given_up = THREADS.get().pool("erasures").submit(int)
        await asyncio.wrap_future(given_up)
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    make_due()
    await finish_erasures()

    assert await _sync(left)() == (0, 0, 0)
    assert (await STORE.get().erasure_backlog()).count == 0


async def test_intent_is_there_as_soon_as_the_conversation_is_gone(make_due):
    """A process killed just after the removal has told nobody and asked nothing of SQL."""
    await begin(CAMILLE)
    assert await STORE.get().erase(CAMILLE, WEB_OWNER)
    make_due()
    await finish_erasures()

    assert await _sync(left)() == (0, 0, 0)


async def test_killed_between_sql_and_files_leaves_no_file():
    await begin(CAMILLE)

    def delete_rows_only() -> None:
        with transaction.atomic():
            forget(ref_of(CAMILLE))

    await _sync(delete_rows_only)()
    assert (await _sync(left)())[1:] == (0, 2)
    await finish_erasures()

    assert (await _sync(left)())[1:] == (0, 0)
    assert await FileRemoval.objects.acount() == 0


async def test_one_that_fails_does_not_stop_the_others(make_due, caplog):
    for session_id in (CAMILLE, ZOE):
        await begin(session_id)
        await STORE.get().erase(session_id, WEB_OWNER)
    make_due()
    async with refusing(f"OLD.session_ref = '{ref_of(CAMILLE)}'"):
        await finish_erasures()
        assert [row.email async for row in ContactRequest.objects.all()] == ["camille@example.test"]
        assert await Photo.objects.acount() == 1
    make_due()
    await finish_erasures()

    assert await _sync(left)() == (0, 0, 0)
    assert "camille" not in caplog.text


async def test_failure_is_retried_with_pauses_that_grow(make_due):
    await begin(CAMILLE)
    store = STORE.get()
    await store.erase(CAMILLE, WEB_OWNER)

    assert await store.take_erasures() == []  # the process that erased has a moment
    make_due()
    store = STORE.get()
    assert await store.take_erasures() == [ref_of(CAMILLE)]
    assert await store.take_erasures() == []
    assert [pause_s(age) for age in (0, 5, 20, 10_000)] == [5, 5, 20, 300]


async def test_late_photo_goes_as_well(make_due):
    """An upload under way during the erasure stores its photo after the first clean-up."""
    await begin(CAMILLE)
    await erase_session(CAMILLE, WEB_OWNER)
    await _sync(keep)(ref_of(CAMILLE), "2" * 64, CLEAN)
    backlog = await STORE.get().erasure_backlog()
    assert backlog.count == 1
    assert 0 <= backlog.age_s(now()) < LATE_S
    make_due()
    await finish_erasures()

    assert await _sync(left)() == (0, 0, 0)
    assert (await STORE.get().erasure_backlog()).oldest_at is None


async def test_photos_before_the_first_word_are_meant_as_well(make_due):
    await _sync(leave)(CAMILLE)
    async with refusing():
        with pytest.raises(SessionNotFound):
            await erase_session(CAMILLE, WEB_OWNER)
    make_due()
    await finish_erasures()

    assert await _sync(left)() == (0, 0, 0)


async def test_stranger_erases_nothing():
    await begin(CAMILLE)
    await _sync(leave)(ZOE)
    for session_id in (CAMILLE, ZOE):
        with pytest.raises(SessionNotFound):
            await erase_session(session_id, "key:1")

    assert (await STORE.get().erasure_backlog()).count == 0
    assert await _sync(left)() == (2, 2, 4)


async def test_photos_of_a_ticket_stay():
    await begin(CAMILLE)
    await _sync(attach)(ref_of(CAMILLE), "SAV-2026-00042")

    await erase_session(CAMILLE, WEB_OWNER)

    assert await _sync(left)() == (0, 1, 2)


async def test_stored_reports_no_longer_name_it():
    rows = [{"ref": ref_of(CAMILLE)}, {"ref": ref_of(ZOE)}]
    await CleanupReport.objects.acreate(
        active=2, expired=0, orphaned=0, removed=0, bytes=1, details={"oldest": rows, "sizes": []}
    )
    await begin(CAMILLE)

    await erase_session(CAMILLE, WEB_OWNER)

    kept = await CleanupReport.objects.aget()
    assert kept.details == {"oldest": [{"ref": ref_of(ZOE)}], "biggest": [], "sizes": []}


def test_file_that_resists_holds_up_no_other_and_is_tried_again():
    first, second = leave(CAMILLE), leave(ZOE)
    blocked = files.path_of(first.name)
    blocked.unlink()
    blocked.mkdir()
    (blocked / "x").touch()
    for session_id in (CAMILLE, ZOE):
        remove_leftovers(ref_of(session_id))

    assert [removal.name for removal in FileRemoval.objects.all()] == [first.name]
    assert not files.path_of(second.name).exists()
    (blocked / "x").unlink()
    blocked.rmdir()
    assert remove_files() == 0
    assert not FileRemoval.objects.exists()


def test_files_of_a_folder_that_is_not_mounted_are_not_taken_for_removed():
    photo = leave(CAMILLE)
    away = files.folder().rename(files.folder().with_name("away"))
    remove_leftovers(ref_of(CAMILLE))
    assert FileRemoval.objects.count() == 1

    away.rename(files.folder())
    remove_files()
    assert not files.path_of(photo.name).exists()


async def test_database_error_says_no_more_than_its_kind(caplog):
    await begin(CAMILLE)
    async with refusing():
        assert not await finish_erasure(ref_of(CAMILLE))

    assert "stays for now: IntegrityError" in caplog.text
    assert ref_of(CAMILLE) not in caplog.text


def test_disk_that_refuses_the_intent_refuses_the_erasure(tmp_path):
    (tmp_path / "erasing").touch()

    with pytest.raises(StoreUnavailable):
        ErasureFolder(tmp_path / "erasing").note(ref_of(CAMILLE))
