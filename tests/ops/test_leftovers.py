"""What ``cleanup_report`` finds in SQL of conversations that were erased, without any intent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from channels.db import database_sync_to_async
from django.core.management import CommandError, call_command

from chat.conversations.handover.contacts import record_contact
from chat.conversations.handover.models import ContactRequest
from chat.conversations.store.maintenance import Fates
from chat.conversations.store.protocol import STORE, WEB_OWNER
from chat.core.clock import now
from chat.core.ids import ref_of
from chat.ops.leftovers import is_left, is_stranded
from chat.shop.photos import files
from chat.shop.photos.models import FileRemoval, Photo
from chat.shop.photos.reencoding import ProcessedPhoto
from chat.shop.photos.services import attach, keep
from tests.backends import use_redis
from tests.builders import question
from tests.shop.tickets.builders import opened

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CAMILLE, ZOE = "camille", "zoe"
CLEAN = ProcessedPhoto(4, 3, b"full", b"small")


def fates(since: datetime | None = NOON - 99 * HOUR, alive: str = "", erasing: str = "") -> Fates:
    return Fates(since, frozenset(alive.split()), frozenset(erasing.split()))


@pytest.mark.parametrize(
    "lives_until, known, left",
    [
        (NOON + HOUR, fates(), True),  # gone before it could expire
        (NOON + HOUR, fates(alive="ref"), False),
        (NOON - HOUR, fates(), False),  # expired: somebody is still to be called back
        (None, fates(), False),  # lived in a worker's memory
        (NOON + HOUR, fates(since=None), False),  # nothing is known of this Redis
        (NOON + HOUR, fates(since=NOON - HOUR), False),  # it lost its data after the request
        (None, fates(erasing="ref"), True),
    ],
)
def test_contact_request_is_left_of_an_erased_conversation(lives_until, known, left):
    assert is_left("ref", NOON - 2 * HOUR, lives_until, known, NOON) is left


@pytest.mark.parametrize(
    "sent_at, known, stranded",
    [
        (NOON - 2 * HOUR, fates(), True),
        (NOON - HOUR / 2, fates(), False),  # its conversation may be about to begin
        (NOON - HOUR / 2, fates(erasing="ref"), True),
        (NOON - 2 * HOUR, fates(alive="ref"), False),
        (NOON - 2 * HOUR, fates(since=NOON - HOUR), False),
    ],
)
def test_photo_is_stranded_without_its_conversation(sent_at, known, stranded):
    assert is_stranded("ref", sent_at, known, NOON) is stranded


@pytest.fixture
def client(settings: Any, flushed_redis: str, tmp_path: Path) -> Iterator[redis.Redis]:
    settings.ENV = replace(settings.ENV, media_dir=str(tmp_path / "media"))
    use_redis(settings, flushed_redis)
    with redis.Redis.from_url(flushed_redis) as client:
        client.set("chat:since", 1)
        yield client


def report(capsys: Any, *options: str) -> tuple[int, dict[str, int]]:
    """Exit code, and what was found of each kind in SQL and on disk."""
    try:
        call_command("cleanup_report", "--json", "--no-save", *options)
        code = 0
    except CommandError as error:
        code = error.returncode
    except SystemExit as end:
        code = int(end.code or 0)
    told = json.loads(capsys.readouterr().out)["details"]["orphans"]
    return code, {kind: told[kind] for kind in ("contacts", "photos", "files")}


def left_by(session_id: str, number: str) -> Photo:
    record_contact(session_id, f"{session_id}@example.test", "", now() + HOUR)
    return keep(ref_of(session_id), number * 64, CLEAN)


@pytest.mark.django_db(transaction=True)
def test_lost_intent_is_found_and_mended(client, capsys):
    """Redis forgot the intents, say by a failover; another conversation lives."""
    photos = [left_by(session_id, "1") for session_id in (CAMILLE, ZOE)]
    attach(ref_of(CAMILLE), opened().number or "")
    attached_to_nothing = keep(ref_of(CAMILLE), "3" * 64, CLEAN)
    attach(ref_of(CAMILLE), "SAV-2020-99999")
    stranded = keep(ref_of(CAMILLE), "2" * 64, CLEAN)
    Photo.objects.update(sent_at=now() - 2 * HOUR)

    async def live_and_erase() -> None:
        store = STORE.get()
        for session_id in (CAMILLE, ZOE):
            await store.accept(session_id, WEB_OWNER, question(), create="always")
        await store.erase(CAMILLE, WEB_OWNER)

    asyncio.run(live_and_erase())
    client.delete("chat:erasing", "chat:erasing:since")
    FileRemoval.objects.create(name="0" * 32)

    assert report(capsys) == (1, {"contacts": 1, "photos": 2, "files": 1})
    assert ContactRequest.objects.count() == 2
    assert report(capsys, "--apply") == (0, {"contacts": 1, "photos": 2, "files": 1})
    assert report(capsys) == (0, {"contacts": 0, "photos": 0, "files": 0})
    assert ContactRequest.objects.get().session_ref == ref_of(ZOE)
    assert set(Photo.objects.all()) == set(photos)
    assert not files.path_of(stranded.name).exists()
    assert not files.path_of(attached_to_nothing.name).exists()


@pytest.mark.django_db(transaction=True)
def test_redis_that_lost_all_its_data_condemns_nothing(client, capsys):
    left_by(CAMILLE, "1")
    Photo.objects.update(sent_at=now() - 2 * HOUR)
    client.flushdb()
    asyncio.run(STORE.get().orphans())  # as a worker asks every second

    assert client.exists("chat:since")
    assert report(capsys, "--apply") == (0, {"contacts": 0, "photos": 0, "files": 0})
    assert ContactRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True)
async def test_contact_request_says_until_when_its_conversation_lives(client):
    session = (await STORE.get().accept(CAMILLE, WEB_OWNER, question(), create="always")).created
    assert session is not None
    await database_sync_to_async(record_contact)(CAMILLE, "a@b.test", "", session.expires_at)

    assert (await ContactRequest.objects.aget()).lives_until == session.expires_at
