from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from django.urls import get_resolver, resolve
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from chat.web.api.openapi import document
from chat.web.api.problems import ALL_BY_CODE
from chat.web.api.urls import ROUTES
from tests.program import Program

METHODS = {"get", "post", "put", "patch", "delete"}


async def test_the_contract_that_is_served_is_valid():
    response = await Program().get("/api/openapi.json")

    served = response.json()
    validate(served, cls=OpenAPIV31SpecValidator)
    assert served == json.loads(json.dumps(document()))


def test_the_contract_says_what_the_settings_say(settings):
    document()
    settings.ENV = replace(settings.ENV, shop_name="Chez Camille", chat_max_message_chars=7)
    contract = document()

    assert contract["info"]["title"] == "Chez Camille : assistant"
    question = contract["components"]["schemas"]["Question"]["properties"]
    assert question["message"]["maxLength"] == 7


def test_every_address_and_method_is_in_the_contract():
    served = {
        path: METHODS & {name for name in METHODS if hasattr(view, name)}
        for path, (view, _name) in ROUTES.items()
    }

    assert {path: METHODS & set(item) for path, item in document()["paths"].items()} == served


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_address_leads_to_its_view(path, slash):
    view, _name = ROUTES[path]

    match = resolve(path.replace("{session_id}", "s-1") + slash)

    assert match.func.view_class is view
    assert match.kwargs == ({"session_id": "s-1"} if "{" in path else {})


def test_no_other_pattern_of_the_project_serves_the_api():
    [include] = [p for p in get_resolver().url_patterns if getattr(p, "namespace", "") == "chat"]
    ours = [p for p in include.url_patterns if not hasattr(p, "url_patterns")]

    assert [p for p in ours if str(p.pattern).lstrip("^").startswith("api")] == []


def test_every_error_code_is_in_the_contract():
    contract = document()
    told = " ".join(r["description"] for r in contract["components"]["responses"].values())

    assert set(re.findall(r"`(\w+)`", told)) == set(ALL_BY_CODE)
    assert contract["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] == sorted(
        ALL_BY_CODE
    )


async def test_the_page_shows_the_whole_contract_and_asks_nobody_else():
    response = await Program().get("/api/docs")
    page = response.content.decode()

    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    for path in ROUTES:
        assert path in page
    for code, error in ALL_BY_CODE.items():
        assert f'id="{code}"' in page
        assert error.message.replace("'", "&#x27;") in page
    assert not re.search(r"<style|style=|<script(?! type=\"module\" src=\"/)| on\w+=\"", page)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)
