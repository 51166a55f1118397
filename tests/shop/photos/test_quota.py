"""A quota for all photos together, and a floor of free space."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chat.ops.doctor.photo_state import evaluate_disk, evaluate_quota
from chat.shop.photos.quota import FRESH_S, MB, PhotoQuota, PhotosFull, Space, space
from chat.shop.photos.reencoding import ProcessedPhoto
from chat.shop.photos.services import keep, remove_own

CAMILLE, ZOE = "c" * 16, "z" * 16


@pytest.mark.parametrize(
    "used, most, free, floor, is_full",
    [
        (0, 0, 0, 0, False),
        (5, 0, 10, 0, False),
        (9, 10, 10, 0, False),
        (10, 10, 10, 0, True),
        (11, 10, 10, 0, True),
        (0, 10, 10, 10, False),
        (0, 10, 9, 10, True),
    ],
)
def test_room_ends_with_the_quota_or_with_the_disk(used, most, free, floor, is_full):
    found = Space(used_bytes=used, max_bytes=most, free_bytes=free, min_free_bytes=floor)

    assert found.is_full is is_full


@pytest.fixture
def big():
    return ProcessedPhoto(4, 3, bytes(MB), bytes(MB // 2))


@pytest.mark.django_db
def test_quota_counts_both_files_and_gives_back_what_is_deleted(settings, big):
    settings.ENV = replace(settings.ENV, photos_max_total_mb=3)
    first = keep(CAMILLE, "1" * 64, big)
    PhotoQuota().check()
    keep(ZOE, "1" * 64, big)

    assert space().used_bytes == 3 * MB
    with pytest.raises(PhotosFull) as full:
        PhotoQuota().check()
    assert (full.value.status, full.value.retry_after_s) == (503, 600)

    remove_own(CAMILLE, first.pk)
    PhotoQuota().check()


@pytest.mark.django_db
def test_rows_are_summed_now_and_then_and_not_for_each_photo(
    settings, big, django_assert_num_queries
):
    settings.ENV = replace(settings.ENV, photos_max_total_mb=3)
    now = 0.0
    quota = PhotoQuota(lambda: now)
    with django_assert_num_queries(1):
        for _ in range(100):
            quota.check()
    for ref in (CAMILLE, ZOE):  # of this worker: counted at once
        quota.add(keep(ref, "1" * 64, big).stored_bytes)
    with pytest.raises(PhotosFull), django_assert_num_queries(0):
        quota.check()

    now += FRESH_S
    with pytest.raises(PhotosFull), django_assert_num_queries(1):
        quota.check()


@pytest.mark.django_db
def test_disk_keeps_its_floor(settings):
    settings.ENV = replace(settings.ENV, photos_min_free_mb=999_999_999)

    with pytest.raises(PhotosFull):
        PhotoQuota().check()


@pytest.mark.parametrize(
    "used_mb, most_mb, level",
    [(9, 0, "ok"), (7, 10, "ok"), (9, 10, "warning"), (10, 10, "wrong")],
)
def test_doctor_tells_how_far_the_quota_is(used_mb, most_mb, level):
    found = Space(used_bytes=used_mb * MB, max_bytes=most_mb * MB, free_bytes=0, min_free_bytes=0)

    assert evaluate_quota(found).level == level
    assert f"{used_mb} Mo" in evaluate_quota(found).what


@pytest.mark.parametrize(
    "free_mb, floor_mb, level",
    [(10, 0, "ok"), (20, 10, "ok"), (19, 10, "warning"), (9, 10, "wrong")],
)
def test_doctor_tells_how_far_the_floor_is(free_mb, floor_mb, level):
    found = Space(used_bytes=0, max_bytes=0, free_bytes=free_mb * MB, min_free_bytes=floor_mb * MB)

    assert evaluate_disk(found).level == level
