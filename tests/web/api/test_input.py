"""What strangers may send, and what becomes of it: nothing but an answer that says why."""

from __future__ import annotations

import json

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler

from chat.conversations.store.protocol import STORE
from chat.web.api.request_parsing import MAX_BODY_BYTES
from tests.fakes import FakeLLM
from tests.program import Program


def body(**members: object) -> str:
    return json.dumps({"message": "Bonjour", **members})


@pytest.mark.parametrize(
    "sent, status, code",
    [
        ("", 400, "invalid_json"),
        ("{", 400, "invalid_json"),
        ("NaN", 400, "invalid_json"),
        (b"\xff\xfe", 400, "invalid_json"),
        (b'{"message": "\xff"}', 400, "invalid_json"),
        ("\ufeff" + body(), 400, "invalid_json"),
        ("[" * 5_000, 400, "invalid_json"),
        ("[" * 5_000 + "]" * 5_000, 400, "invalid_json"),
        ('{"message": "x", "n": ' + "9" * 5_000 + "}", 400, "invalid_json"),
        ("null", 422, "invalid_message"),
        ("[]", 422, "invalid_message"),
        ('"Bonjour"', 422, "invalid_message"),
        ("12", 422, "invalid_message"),
        ("{}", 422, "invalid_message"),
        (body(message=None), 422, "invalid_message"),
        (body(message=12), 422, "invalid_message"),
        (body(message=["Bonjour"]), 422, "invalid_message"),
        (body(message=""), 422, "invalid_message"),
        (body(message=" \n\t\u00a0 "), 422, "invalid_message"),
        (body(message="\x00\x00"), 422, "invalid_message"),
        (body(message="é" * 4_001), 422, "invalid_message"),
        (body(message="\ud800"), 422, "invalid_message"),
        (body(message_id=""), 422, "invalid_message"),
        (body(message_id=7), 422, "invalid_message"),
        (body(message_id="a b"), 422, "invalid_message"),
        (body(message_id="m" * 101), 422, "invalid_message"),
        (body(session_id=""), 422, "invalid_session_id"),
        (body(session_id=7), 422, "invalid_session_id"),
        (body(session_id=["s"]), 422, "invalid_session_id"),
        (body(session_id="a\n"), 422, "invalid_session_id"),
        (body(session_id="../etc"), 422, "invalid_session_id"),
        (body(session_id="é"), 422, "invalid_session_id"),
        (body(session_id="*"), 422, "invalid_session_id"),
        (body(session_id="s" * 101), 422, "invalid_session_id"),
        (body(padding="x" * MAX_BODY_BYTES), 413, "payload_too_large"),
    ],
)
async def test_bad_bodies(sent, status, code):
    response = await Program().post(sent)

    problem = response.json()
    assert (response.status_code, problem["code"], problem["status"]) == (status, code, status)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert await STORE.get().count() == 0


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json-patch+json",
        "application/json; charset=latin-1",
    ],
)
async def test_json_is_taken_by_its_content_type_only(content_type):
    response = await Program().post(body(), content_type)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_json")


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "Application/JSON"])
async def test_json_may_say_that_it_is_utf_8(model, content_type):
    model(FakeLLM())

    assert (await Program().post(body(), content_type)).status_code == 200


@pytest.mark.parametrize(
    "members",
    [
        {"session_id": None, "message_id": None},
        {"session_id": "s" * 100, "message_id": "m" * 100},
        {"session_id": "-_-", "unknown": [{"a": 1}], "stream": True},
        {"message": "é" * 4_000},
        {"message": "👩‍👩‍👧 مرحبا \u202e <script>"},
    ],
)
async def test_unusual_but_good_bodies(model, members):
    model(FakeLLM())

    assert (await Program().post(body(**members))).status_code == 200


@pytest.mark.parametrize(
    "id_",
    ["*", "%2A", "a%0A", "%0A", "a%00b", "a%20b", "..%2Fetc", "é", "%FF", "s" * 101, "a/b", "a//"],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_bad_ids_in_the_path(method, id_):
    response = await Program().call(method, f"/api/chat/{id_}")

    assert (response.status_code, response.json()["code"]) == (422, "invalid_session_id")


@pytest.mark.parametrize(
    "announced, sent, status",
    [
        (None, b"x" * 70_000, 413),
        (b"12", b"x" * 70_000, 413),
        (b"70000", b"{}", 413),
        (b"9" * 5_000, b"{}", 413),
        (b"-1", b"{}", 400),
        (b"12a", b"{}", 400),
    ],
)
async def test_a_body_is_measured_whatever_is_announced(announced, sent, status):
    headers = [(b"content-type", b"application/json"), (b"host", b"localhost")]
    if announced is not None:
        headers.append((b"content-length", announced))
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/api/chat",
        "query_string": b"",
        "headers": headers,
    }
    http = ApplicationCommunicator(ASGIHandler(), scope)

    await http.send_input({"type": "http.request", "body": sent, "more_body": False})
    started = await http.receive_output(5)
    await http.wait(5)

    assert started["status"] == status
