from __future__ import annotations

import time

import pytest

from meuble_project.redaction import Redaction, public_path, redacted, secrets_in_url, without_path

SIGNATURE = "EL7CNKTuYKvXBmMSuHEdgovZdaGhlwhg8iwlvBdUoVg"
#: How often times are measured again before they count.
ROUNDS = 40
LETTERS = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq"


@pytest.mark.parametrize(
    "path, shown",
    [
        ("", "/"),
        ("/", "/"),
        ("/messages/", "/messages/"),
        ("/conversation/stop/", "/conversation/…"),
        (f"/suivi/SAV-1:{SIGNATURE}/", "/suivi/…"),
        (f"/suivi//SAV-1:{SIGNATURE}/", "/suivi/…"),
        (f"//suivi/SAV-1:{SIGNATURE}/", "/…"),
        ("/suivi/", "/suivi/"),
        ("/SAV-1:abc", "/…"),
        ("/photos/7ae50ba2-2cf2-40c2-a807-a086a5546bd8/?s=x", "/photos/…"),
        ("/api/chat/my-own-session", "/api/chat/…"),
        ("/api/Secret0", "/api/…"),
        ("/admin/chat/ticket/12/change/?q=dupont", "/admin/chat/ticket/…"),
        ("/admin/chat/SAV-1:abc/", "/admin/chat/…"),
        ("/static/chat/js/page.3f2a.js", "/static/chat/js/page.3f2a.js"),
        ("/count?token=secret", "/count"),
        ("*", "/"),
    ],
)
def test_path_is_shown_as_far_as_it_is_ours(path, shown):
    assert public_path(path) == shown


def test_path_is_found_as_django_escapes_it():
    path = "/suivi/é\n:secret/"
    escaped = path.encode("unicode_escape").decode()
    assert without_path(f"Not Found: {path} and {escaped}", path) == (
        "Not Found: /suivi/… and /suivi/…"
    )


@pytest.mark.parametrize(
    "text, shown",
    [
        (
            f"<ASGIRequest: GET '/photos/12/?s=1x:{SIGNATURE}'>",
            "<ASGIRequest: GET '/photos/12/?…'>",
        ),
        ("GET /admin/?dupont HTTP/1.1", "GET /admin/?… HTTP/1.1"),
        ("'query_string': b'q=dupont', 'x'", "'query_string': b'…', 'x'"),
        ("{'QUERY_STRING': 'q=du pont'}", "{'QUERY_STRING': '…'}"),
        ("at /suivi/SAV-1:short/ it failed", "at /suivi/… it failed"),
        (
            "/api/chat/my-session and /api/chat/sessions/count",
            "/api/chat/… and /api/chat/sessions/count",
        ),
        (f"bad signature SAV-1:{SIGNATURE}", "bad signature SAV-1:…"),
        (f"SAV-1:{LETTERS}", "SAV-1:…"),
        (f"SAV-1%3A{LETTERS}", "SAV-1%3A…"),
        (f"(b'authorization', b'Bearer mdf_1_{SIGNATURE}')", "(b'authorization', b'…')"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: …"),
        ("sent Bearer abcdef", "sent Bearer …"),
        ("Cookie: a=b; chat_session=x.y", "Cookie: …"),
        ("{'sessionid': 'abc', 'csrftoken': 'def'}", "{'sessionid': '…', 'csrftoken': '…'}"),
        (
            "Incorrect API key provided: sk-proj-abc*****xyz.",
            "Incorrect API key provided: sk-….",
        ),
        ("redis://shop:p@ss/w0rd@redis:6379/0 refused", "redis://…@redis:6379/0 refused"),
        ("refused: camille.martin@example.test unknown", "refused: …@example.test unknown"),
        (
            "Forbidden (Origin checking failed - http://evil.test/s3cret does not match any "
            "trusted origins.): /photos/",
            "Forbidden (Origin checking failed - http://evil.test…",
        ),
        (
            "Forbidden (Referer checking failed - https://user:s3cret@evil.test/a b does not",
            "Forbidden (Referer checking failed - …",
        ),
        ("Origin checking failed - null does not match: /", "Origin checking failed - null…"),
        ("Origin checking failed - s3cret: /", "Origin checking failed - …"),
        ("MOVED session:0123456789abcdef", "MOVED session:…"),
        ("token 1IPUlf6PgGtj605V9cQ1hHG9R5a6FTjOo", "token …"),
    ],
)
def test_secret_is_taken_out(text, shown):
    assert redacted(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "stopping: no new connections, finishing what runs",
        '  File "/app/chat/shop/photos/links.py", line 26, in is_signed',
        "a request failed, error_id=0123456789ab",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "test_name_of_a_function_that_is_longer_than_a_signature_is",
        "Écoute sur http://127.0.0.1:8000",
        "Quoi ? Comment ?",
        "2026-11-30T10:38:26.165324Z",
        "session: it ended, cookie not set",
    ],
)
def test_other_text_stays(text):
    assert redacted(text) == text


def test_known_secrets_are_found_in_any_value():
    redaction = Redaction(["hunter2-hunter2", "short"])
    value = {"a": ["it is hunter2-hunter2", 3, None], "b": ValueError("hunter2-hunter2")}

    assert redaction.value(value) == {"a": ["it is …", 3, None], "b": "ValueError('…')"}
    assert redaction.text("a short text") == "a short text"


def test_password_of_an_address_is_known_in_both_spellings():
    assert secrets_in_url("redis://shop:p%40ss@redis/0") == ("p%40ss", "p@ss")
    assert secrets_in_url("memory://") == secrets_in_url("redis://[") == ()


@pytest.mark.parametrize(
    "piece",
    ["a", "a.", "a@", "?a", "://", "x://", ":a", "/suivi/", "cookie:", "aA0-", "session:", "%3A"],
)
def test_time_is_linear_in_the_text(piece):
    """Eight times the text takes about eight times as long, not sixty-four.

    Both are measured in turn until the least costs seen are good, so that a busy machine is
    forgiven and a quadratic rule never is.
    """

    def cost_s(length: int) -> float:
        text = "?:@ " + piece * (length // len(piece))
        began_s = time.thread_time()
        redacted(text)
        return time.thread_time() - began_s

    long_s = short_s = float("inf")
    for _ in range(ROUNDS):
        long_s, short_s = min(long_s, cost_s(64_000)), min(short_s, cost_s(8_000))
        if long_s < 30 * short_s + 0.002:
            return
    pytest.fail(f"{long_s * 1000:.1f} ms for 64,000 characters, {short_s * 1000:.1f} for 8,000")
