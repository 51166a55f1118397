from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from meuble_project import backends
from tests.smtp_server import PostOffice


@pytest.fixture(autouse=True)
def _shop_reads_mail(settings: Any) -> None:
    settings.ENV = replace(
        settings.ENV,
        shop_email="sav@shop.test",
        email_from="robot@shop.test",
        site_url="https://chat.shop.test",
    )
    settings.DEFAULT_FROM_EMAIL = "robot@shop.test"


@pytest.fixture
def post_office(settings: Any) -> Iterator[PostOffice]:
    """A server of its own, to which Django sends."""
    office = PostOffice()
    for name, value in backends.email_for(f"smtp://127.0.0.1:{office.port}", debug=False).items():
        setattr(settings, name, value)
    try:
        yield office
    finally:
        office.close()
