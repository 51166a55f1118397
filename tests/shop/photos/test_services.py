"""Photos kept, counted, given to a ticket and let go."""

from __future__ import annotations

import resource
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import IntegrityError, connection, transaction

from chat.core.errors import Forbidden, TooManyPhotos
from chat.shop.photos import files
from chat.shop.photos.models import MAX_PHOTOS, Photo
from chat.shop.photos.queries import evidence_state, of_ticket, photos_of
from chat.shop.photos.reencoding import ProcessedPhoto
from chat.shop.photos.removals import remove_files
from chat.shop.photos.services import attach, delete, find_same, forget, keep, remove_own

CAMILLE, ZOE = "c" * 16, "z" * 16

pytestmark = pytest.mark.django_db(transaction=True)


def on_disk():
    return {name for name, _ in files.stored()}


def test_photo_is_kept_privately(processed, media):
    photo = keep(CAMILLE, "1" * 64, processed, "structure")

    assert files.read(photo.name) == b"full"
    assert files.read(photo.name, small=True) == b"small"
    assert stat.S_IMODE(files.path_of(photo.name).stat().st_mode) == 0o600
    assert stat.S_IMODE(files.path_of(photo.name).parent.stat().st_mode) == 0o700
    assert files.path_of(photo.name).is_relative_to(media)
    assert str(photo.pk).replace("-", "") != photo.name
    assert (photo.problem, photo.bytes, photo.width) == ("structure", 4, 4)


def test_same_file_twice_is_one_photo(processed):
    first = keep(CAMILLE, "1" * 64, processed)

    assert find_same(CAMILLE, "1" * 64) == first
    assert keep(CAMILLE, "1" * 64, processed) == first
    assert on_disk() == {first.name}
    assert keep(ZOE, "1" * 64, processed) != first


def test_sixth_is_refused_and_leaves_nothing(processed):
    for number in range(MAX_PHOTOS):
        keep(CAMILLE, str(number) * 64, processed)

    with pytest.raises(TooManyPhotos):
        find_same(CAMILLE, "9" * 64)
    with pytest.raises(TooManyPhotos):
        keep(CAMILLE, "9" * 64, processed)

    assert len(on_disk()) == len(photos_of(CAMILLE)) == MAX_PHOTOS
    assert find_same(CAMILLE, "0" * 64) is not None


def test_many_at_once_are_never_too_many(processed):
    together = threading.Barrier(8)

    def send(number):
        together.wait()
        try:
            keep(CAMILLE, f"{number:064}", processed)
            return "kept"
        except TooManyPhotos:
            return "refused"
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        ends = list(threads.map(send, range(8)))

    assert sorted(ends) == ["kept"] * 5 + ["refused"] * 3
    assert {photo.slot for photo in photos_of(CAMILLE)} == set(range(MAX_PHOTOS))
    assert on_disk() == {photo.name for photo in photos_of(CAMILLE)}


def test_same_file_many_times_at_once_is_one_photo(processed):
    together = threading.Barrier(4)

    def send(_):
        together.wait()
        try:
            return keep(CAMILLE, "1" * 64, processed).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(send, range(4)))) == 1
    assert len(on_disk()) == 1


@pytest.mark.parametrize("slot", [0, MAX_PHOTOS])
def test_database_itself_refuses_a_sixth(processed, slot):
    keep(CAMILLE, "1" * 64, processed)
    with pytest.raises(IntegrityError), transaction.atomic():
        Photo.objects.create(
            session_ref=CAMILLE, slot=slot, name="n", width=1, height=1, bytes=1, sha256="2"
        )


def test_place_of_a_withdrawn_photo_is_free_again(processed):
    photos = [keep(CAMILLE, str(number) * 64, processed) for number in range(MAX_PHOTOS)]
    remove_own(CAMILLE, photos[2].pk)

    assert keep(CAMILLE, "9" * 64, processed).slot == 2


def test_customer_withdraws_her_own_and_no_other(processed):
    photo = keep(CAMILLE, "1" * 64, processed)

    remove_own(ZOE, photo.pk)
    assert photos_of(CAMILLE) == [photo]

    remove_own(CAMILLE, photo.pk)
    remove_own(CAMILLE, photo.pk)
    assert photos_of(CAMILLE) == []
    assert on_disk() == set()


def test_ticket_keeps_its_photos(processed):
    first, second = (keep(CAMILLE, number * 64, processed) for number in "12")
    other = keep(ZOE, "1" * 64, processed)

    assert attach(CAMILLE, "SAV-2026-00042") == 2
    later = keep(CAMILLE, "3" * 64, processed)

    assert of_ticket("SAV-2026-00042") == [first, second]
    assert of_ticket("") == []
    with pytest.raises(Forbidden):
        remove_own(CAMILLE, first.pk)
    assert forget(CAMILLE) == [later.name]
    remove_files()
    assert photos_of(CAMILLE) == [first, second]
    assert on_disk() == {first.name, second.name, other.name}
    assert not files.path_of(later.name).exists()


def test_second_ticket_takes_nothing_from_the_first(processed):
    keep(CAMILLE, "1" * 64, processed)
    attach(CAMILLE, "SAV-2026-00042")

    assert attach(CAMILLE, "SAV-2026-00043") == 0


def test_photo_that_a_ticket_took_meanwhile_is_not_deleted(processed):
    photo = keep(CAMILLE, "1" * 64, processed)
    attach(CAMILLE, "SAV-2026-00042")

    assert delete(photo) is False
    assert on_disk() == {photo.name}


@contextmanager
def files_of_at_most(size: int):
    """Have the system refuse to make a file of this process longer, as a full disk does."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_photo_that_does_not_fit_on_the_disk_leaves_nothing(media):
    processed = ProcessedPhoto(
        4, 3, b"f" * 200_000, b"small"
    )  # the first of the two files has room

    with files_of_at_most(100_000), pytest.raises(OSError, match="File too large"):
        keep(CAMILLE, "1" * 64, processed)

    assert on_disk() == set()
    assert photos_of(CAMILLE) == []


@pytest.mark.parametrize(
    "photos, videos, have, state",
    [
        (3, 1, 2, [("photos", 3, 2), ("vidéos", 1, 0)]),
        (2, 0, 5, [("photos", 2, 5)]),
        (0, 0, 1, []),
    ],
)
def test_evidence_is_counted(photos, videos, have, state):
    assert evidence_state(photos, videos, have) == state
