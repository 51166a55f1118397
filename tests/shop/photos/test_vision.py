"""Photos as a model is shown them."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from django.conf import settings
from PIL import Image

from chat.core.clock import now
from chat.shop.photos import files
from chat.shop.photos.processor import read_upload, reencode_in_subprocess
from chat.shop.photos.services import keep
from chat.shop.photos.vision import image_parts, sees
from tests.shop.photos import pictures

CAMILLE = "c" * 16


@pytest.mark.parametrize(
    "vision, model, base_url, key, expected",
    [
        ("auto", "gpt-6-luna", "", "k", True),
        ("auto", "gpt-4o-mini", "", "k", True),
        ("auto", "gpt-3.5-turbo", "", "k", False),
        ("auto", "gpt-6-luna", "http://127.0.0.1:9/v1", "k", False),
        ("auto", "anything", "", "", True),  # the local assistant
        ("on", "llava", "http://127.0.0.1:9/v1", "k", True),
        ("off", "gpt-6-luna", "", "k", False),
        ("off", "anything", "", "", False),
    ],
)
def test_model_is_shown_photos_when_it_sees(vision, model, base_url, key, expected):
    env = replace(
        settings.ENV,
        openai_vision=vision,
        openai_model=model,
        openai_base_url=base_url,
        openai_api_key=key,
    )

    assert sees(env) is expected


@pytest.mark.django_db
def test_photos_are_given_small_and_clean():
    processed = reencode_in_subprocess(
        read_upload(BytesIO(pictures.photo(width=1600, exif=pictures.exif())))
    )
    keep(CAMILLE, "1" * 64, processed)

    (part,) = image_parts(CAMILLE)

    assert part["type"] == "image_url"
    head, _, text = part["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    shown = Image.open(BytesIO(base64.b64decode(text, validate=True)))
    assert max(shown.size) == 768
    assert dict(shown.getexif()) == {}


@pytest.mark.django_db
def test_only_later_photos_are_given_and_only_of_this_conversation(processed):
    keep(CAMILLE, "1" * 64, processed)
    keep("z" * 16, "1" * 64, processed)

    assert len(image_parts(CAMILLE)) == 1
    assert len(image_parts(CAMILLE, now() - timedelta(minutes=1))) == 1
    assert image_parts(CAMILLE, now()) == []


@pytest.mark.django_db
def test_photo_whose_file_is_gone_is_left_out(processed):
    photo = keep(CAMILLE, "1" * 64, processed)
    keep(CAMILLE, "2" * 64, processed)
    files.remove(photo.name)

    assert len(image_parts(CAMILLE)) == 1
