from __future__ import annotations

import pytest
from django.core.signing import Signer

from chat.tickets.links import MAX_TOKEN_CHARS, number_of, token_of

NUMBER = "SAV-2026-00042"


def test_token_leads_to_its_number():
    assert number_of(token_of(NUMBER)) == NUMBER
    assert len(token_of("SAV-2026-999999999")) < MAX_TOKEN_CHARS


def forged() -> list[str]:
    token = token_of(NUMBER)
    _, _, signature = token.rpartition(":")
    return [
        "",
        NUMBER,
        f"{NUMBER}:",
        f"{NUMBER}:x",
        token[:-1],
        token + "x",
        token.swapcase(),
        f"SAV-2026-00043:{signature}",
        f"{NUMBER} :{signature}",
        Signer().sign(NUMBER),
        Signer(salt="chat.sessions").sign(NUMBER),
        "x" * 10_000,
        "é:\ud800"[:2],
    ]


@pytest.mark.parametrize("token", forged(), ids=lambda token: token[:12] + str(len(token)))
def test_forged_token_leads_nowhere(token):
    assert number_of(token) is None


def test_token_of_another_key_leads_nowhere(settings):
    token = token_of(NUMBER)
    settings.SECRET_KEY = "another"

    assert number_of(token) is None
