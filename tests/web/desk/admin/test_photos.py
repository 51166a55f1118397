"""Photos in the admin: for those who may see conversations."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from chat.shop.photos.services import attach, keep

pytestmark = pytest.mark.django_db


@pytest.fixture
def photo(processed):
    photo = keep("c" * 16, "1" * 64, processed)
    attach("c" * 16, "SAV-2026-00042")
    return photo


def staff(client, *rights):
    user = User.objects.create_user("claire", is_staff=True)
    for right in rights:
        user.user_permissions.add(Permission.objects.get(codename=right))
    client.force_login(user)
    return client


def test_adviser_sees_photos_without_a_signature(client, photo):
    claire = staff(client, "view_chatsession")
    address = reverse("admin:chat_photo_image", args=[photo.pk])

    listed = claire.get(reverse("admin:chat_photo_changelist"))
    shown = claire.get(reverse("admin:chat_photo_change", args=[photo.pk]))
    picture, small = claire.get(address), claire.get(address, {"small": "1"})

    assert "SAV-2026-00042" in listed.text
    assert f"{address}?small=1" in listed.text
    assert address in shown.text
    assert (picture.content, small.content) == (b"full", b"small")
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in picture.headers["Cache-Control"]


def test_staff_without_the_right_sees_none(client, photo):
    karim = staff(client)
    address = reverse("admin:chat_photo_image", args=[photo.pk])

    assert karim.get(reverse("admin:chat_photo_changelist")).status_code == 403
    assert karim.get(address).status_code == 404


def test_stranger_is_sent_to_the_login(client, photo):
    answer = client.get(reverse("admin:chat_photo_image", args=[photo.pk]))

    assert answer.status_code == 302
    assert "/login/" in answer.headers["Location"]


def test_nobody_changes_photos_there(client, photo):
    boss = User.objects.create_superuser("boss")
    client.force_login(boss)

    assert client.post(reverse("admin:chat_photo_delete", args=[photo.pk])).status_code == 403
    assert client.get(reverse("admin:chat_photo_add")).status_code == 403
    change = client.get(reverse("admin:chat_photo_change", args=[photo.pk]))
    assert 'name="_save"' not in change.text
