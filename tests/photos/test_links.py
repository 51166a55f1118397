from __future__ import annotations

from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.core import signing

from chat.photos.links import LIFE_S, is_signed, link
from chat.photos.models import Photo


def token_of(address):
    return parse_qs(urlsplit(address).query)["s"][0]


def test_address_opens_one_photo():
    photo, other = Photo(id=uuid4()), Photo(id=uuid4())

    assert urlsplit(link(photo)).path == f"/photos/{photo.pk}/"
    assert is_signed(photo.pk, token_of(link(photo)))
    assert is_signed(photo.pk, token_of(link(photo, small=True)))
    assert not is_signed(other.pk, token_of(link(photo)))


@pytest.mark.parametrize("token", ["", "x", "1:x", "::", "\0"])
def test_token_of_nobody_opens_nothing(token):
    assert not is_signed(uuid4(), token)


def test_address_dies_after_an_hour(monkeypatch):
    photo = Photo(id=uuid4())
    began_at = 1_800_000_000
    monkeypatch.setattr(signing.time, "time", lambda: began_at)
    token = token_of(link(photo))

    monkeypatch.setattr(signing.time, "time", lambda: began_at + LIFE_S)
    assert is_signed(photo.pk, token)
    monkeypatch.setattr(signing.time, "time", lambda: began_at + LIFE_S + 1)
    assert not is_signed(photo.pk, token)
