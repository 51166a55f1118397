from __future__ import annotations

import re

import pytest
from django.test import Client

from chat.shop.tickets.law import WITHDRAWAL_DAYS
from chat.shop.tickets.warranty import YEARS


@pytest.fixture
def page() -> str:
    response = Client().get("/garanties/")
    assert response.status_code == 200
    return response.content.decode()


def test_every_rule_has_its_address(page):
    assert re.findall(r'class="rule" id="([^"]+)"', page) == [
        *(f"commercial.{part}" for part in YEARS),
        *("law.conformity", "law.hidden_defects", "law.withdrawal", "law.mediation"),
    ]


def test_what_it_says_comes_from_the_tables(page):
    for years in YEARS.values():
        assert f"pendant {years} ans" in page
    assert f"({WITHDRAWAL_DAYS} jours)" in page
    assert "L217-3" in page
    assert "dont la date manque" not in page
