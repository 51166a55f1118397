from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.signing import Signer

from chat.shop.tickets.links import (
    MAX_TOKEN_CHARS,
    LinkTarget,
    expires_at,
    sign_token,
    verify_token,
)

NUMBER = "SAV-2026-00042"
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_token_leads_to_its_number():
    assert verify_token(sign_token(NUMBER)) == LinkTarget(NUMBER, 0)
    assert verify_token(sign_token(NUMBER, 12)) == LinkTarget(NUMBER, 12)
    assert len(sign_token("SAV-2026-999999999")) < MAX_TOKEN_CHARS


def forged() -> list[str]:
    token = sign_token(NUMBER)
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
        f"{NUMBER}.1:{signature}",
        f"{sign_token(NUMBER, 1).replace('.1:', '.2:')}",
        f"{sign_token(NUMBER, 1).replace('.1:', ':')}",
        Signer().sign(NUMBER),
        Signer(salt="chat.conversations").sign(NUMBER),
        "x" * 10_000,
        "é:\ud800"[:2],
    ]


@pytest.mark.parametrize("token", forged(), ids=lambda token: token[:12] + str(len(token)))
def test_forged_token_leads_nowhere(token):
    assert verify_token(token) is None


def test_token_of_another_key_leads_nowhere(settings):
    token = sign_token(NUMBER)
    settings.SECRET_KEY = "another"

    assert verify_token(token) is None


def test_links_of_the_first_version_are_those_that_were_sent_before_there_were_versions():
    assert sign_token(NUMBER) == Signer(salt="chat.tickets.follow").sign(NUMBER)


@pytest.mark.parametrize(
    "sent_at, days, until",
    [
        (None, 90, NOON + 90 * DAY),
        (NOON + DAY, 90, NOON + 91 * DAY),
        (NOON - DAY, 90, NOON + 90 * DAY),
        (None, 0, None),
    ],
)
def test_link_expires_after_the_last_event(sent_at, days, until):
    assert expires_at(NOON, sent_at, days) == until
