from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chat.shop.photos.processor import PhotoProcessor
from chat.shop.photos.reencoding import ProcessedPhoto


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    """Each test has a folder of its own for photos."""
    settings.ENV = replace(settings.ENV, media_dir=str(tmp_path / "media"))
    return tmp_path / "media" / "photos"


@pytest.fixture
def processed() -> ProcessedPhoto:
    return ProcessedPhoto(4, 3, b"full", b"small")


@pytest.fixture
def processor() -> Iterator[PhotoProcessor]:
    processor = PhotoProcessor()
    yield processor
    processor.close()
