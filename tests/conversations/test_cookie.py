from __future__ import annotations

from dataclasses import replace

import pytest
from django.core import signing
from django.http import HttpResponse

from chat.conversations import cookie


def given(session_id: str):
    response = HttpResponse()
    cookie.give(response, session_id)
    [morsel] = response.cookies.values()
    return morsel


def test_ids_are_made_here_and_cannot_be_guessed():
    ids = {cookie.new_session_id() for _ in range(1000)}

    assert len(ids) == 1000
    assert {len(id_) for id_ in ids} == {27}, "160 random bits"


def test_cookie_is_for_our_pages_only():
    morsel = given("camille")

    assert (morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, "Lax", "/")
    assert morsel["domain"] == ""


def test_cookie_over_https_cannot_be_set_by_another_host(settings):
    settings.ENV = replace(settings.ENV, cookie_secure=True)
    morsel = given("camille")

    assert (morsel.key, morsel["secure"]) == ("__Host-chat_session", True)
    assert cookie.session_id_from({morsel.key: morsel.value}) == "camille"
    assert cookie.session_id_from({"chat_session": morsel.value}) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "camille",
        "camille:",
        "camille:forged",
        signing.Signer().sign("camille"),  # signed for another use
        signing.Signer(key="other", salt="chat.sessions.cookie").sign("camille"),
        cookie.sign("camille").replace("camille", "zoe"),
    ],
)
def test_id_that_was_not_signed_here_is_nobodys(value):
    assert cookie.session_id_from({cookie.NAME: value}) is None
    assert cookie.session_id_from({cookie.NAME: cookie.sign("camille")}) == "camille"
