"""Photos sent before a first message that never came."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chat.conversations.store.memory.store import MemoryStore
from chat.conversations.store.protocol import WEB_OWNER
from chat.conversations.types import Author, Message
from chat.core.clock import now
from chat.core.ids import ref_of
from chat.ops.unclaimed_photos import UNCLAIMED_LIFE, remove_unclaimed_photos
from chat.shop.photos import files
from chat.shop.photos.models import Photo
from chat.shop.photos.reencoding import ProcessedPhoto
from chat.shop.photos.services import attach, keep

pytestmark = pytest.mark.django_db(transaction=True)

CLEAN = ProcessedPhoto(4, 3, b"full", b"small")
OLD = UNCLAIMED_LIFE + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.ENV = replace(settings.ENV, media_dir=str(tmp_path / "media"))


def sent(session_id, age=OLD, **more):
    photo = keep(ref_of(session_id), "1" * 64, CLEAN, **more)
    Photo.objects.filter(pk=photo.pk).update(sent_at=now() - age)
    return photo


@pytest.fixture
def redis_store():
    """One photo that nobody claims, and others that only look like it."""
    ticket = sent("ticket")
    attach(ref_of("ticket"), "SAV-2026-00042")
    return {
        "silent": sent("silent"),
        "young": sent("young", UNCLAIMED_LIFE - timedelta(minutes=1)),
        "talking": sent("talking"),
        "talked": sent("talked", has_conversation=True),
        "ticket": ticket,
    }


@pytest.fixture
async def store():
    store = MemoryStore(ttl_s=3600)
    message = Message(author=Author.CUSTOMER, id="q1", text="Bonjour")
    await store.accept("talking", WEB_OWNER, message, create="new")
    return store


async def test_photo_that_no_message_followed_goes_after_an_hour(redis_store, store, settings):
    assert await remove_unclaimed_photos(store) == 1

    kept = {photo async for photo in Photo.objects.all()}
    assert kept == {photo for name, photo in redis_store.items() if name != "silent"}
    assert {name for name, _ in files.stored()} == {photo.name for photo in kept}


async def test_conversation_that_began_is_not_asked_for_again(redis_store, store):
    await remove_unclaimed_photos(store)
    await store.erase("talking", WEB_OWNER)  # or it expires

    assert await remove_unclaimed_photos(store) == 0
    assert redis_store["talking"] in {photo async for photo in Photo.objects.all()}


async def test_nothing_is_deleted_while_memory_stands_in_for_redis(redis_store, store, settings):
    settings.ENV = replace(settings.ENV, redis_url="redis://127.0.0.1:1/0")

    assert await remove_unclaimed_photos(store) == 0
    assert redis_store["silent"] in {photo async for photo in Photo.objects.all()}
