from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.core.signing import TimestampSigner, b62_encode

from chat.shop.photos.links import LIFE_S, is_signed, link
from chat.shop.photos.models import Photo


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


class EarlierSigner(TimestampSigner):
    """Signs as if it were ``age_s`` ago."""

    age_s = 0

    def timestamp(self) -> Any:
        return b62_encode(int(time.time()) - self.age_s)


def test_address_dies_after_an_hour():
    photo = Photo(id=uuid4())
    signer = EarlierSigner(salt="chat.photos.link")

    def token_made(age_s: int) -> Any:
        signer.age_s = age_s
        return signer.sign(str(photo.pk)).partition(":")[2]

    assert LIFE_S == 3600
    assert is_signed(photo.pk, token_made(LIFE_S - 60))
    assert not is_signed(photo.pk, token_made(LIFE_S + 1))
