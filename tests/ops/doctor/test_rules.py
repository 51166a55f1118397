"""The rules by which the doctor evaluates: values in, findings out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core import checks

from chat.ops.doctor import redis_state
from chat.ops.doctor.clocks import evaluate_clock
from chat.ops.doctor.configuration import evaluate_configuration, evaluate_mails
from chat.ops.doctor.database_state import evaluate_migrations, evaluate_postgres, evaluate_sqlite
from chat.ops.doctor.findings import Level, masked, ok, secrets_in, without, wrong
from chat.ops.doctor.left_state import evaluate_left
from chat.ops.doctor.rendering import as_json, line, summary
from chat.ops.doctor.site_rules import (
    FetchedPage,
    Handshake,
    evaluate_cookies,
    evaluate_csp,
    evaluate_foreign_socket,
    evaluate_forwarded,
    evaluate_headers,
    evaluate_own_socket,
    evaluate_site,
)
from chat.ops.doctor.static_files import evaluate_static_files

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
OK, WARNING, WRONG, SKIPPED = Level.OK, Level.WARNING, Level.WRONG, Level.SKIPPED

STRICT = "default-src 'none'; script-src 'self'"
GOOD_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "content-security-policy": STRICT,
    "strict-transport-security": "max-age=31536000",
}
GOOD_COOKIES = ("__Host-chat_session=x; HttpOnly; Path=/; SameSite=Lax; Secure",)
GOOD = Handshake(status=101, first="session.state")
REFUSED = Handshake(status=101, closed=4403)


@pytest.mark.parametrize(
    "version, level",
    [("7.0.15", OK), ("6.2.0", OK), ("6.0.16", WRONG), ("5.9", WRONG), ("", WRONG)],
)
def test_version(version: str, level: Level):
    assert redis_state.evaluate_version(version).level is level


@pytest.mark.parametrize(
    "names, level",
    [((), OK), (("a.json",), WARNING), (("a.json", "b.unreadable"), WRONG)],
)
def test_left_conversations(names: tuple[str, ...], level: Level):
    found = evaluate_left([Path("/media/conversations") / name for name in names])

    assert found.level is level
    assert all(name in found.what for name in names)


@pytest.mark.parametrize("latency_ms, level", [(0.2, OK), (20, OK), (21, WARNING), (201, WRONG)])
def test_latency(latency_ms: float, level: Level):
    assert redis_state.evaluate_latency(latency_ms).level is level


@pytest.mark.parametrize(
    "info, fsync, level",
    [
        ({"aof_enabled": 1, "aof_last_write_status": "ok"}, "everysec", OK),
        ({"aof_enabled": 1, "aof_last_write_status": "ok"}, "", OK),
        ({"aof_enabled": 1, "aof_last_write_status": "ok"}, "no", WARNING),
        ({"aof_enabled": 1, "aof_last_write_status": "err"}, "everysec", WRONG),
        ({"aof_enabled": 0}, "everysec", WRONG),
        ({}, "everysec", WRONG),
    ],
)
def test_persistence(info: dict[str, object], fsync: str, level: Level):
    [finding] = redis_state.evaluate_persistence(info, fsync)
    assert finding.level is level


@pytest.mark.parametrize(
    "used, limit, level",
    [(1, 0, WARNING), (75, 100, OK), (76, 100, WARNING), (90, 100, WARNING), (91, 100, WRONG)],
)
def test_memory(used: int, limit: int, level: Level):
    assert redis_state.evaluate_memory(used * 10**6, limit * 10**6).level is level


@pytest.mark.parametrize("clients, limit, level", [(80, 100, OK), (81, 100, WRONG), (9, 0, OK)])
def test_connections(clients: int, limit: int, level: Level):
    assert redis_state.evaluate_connections(clients, limit).level is level


@pytest.mark.parametrize(
    "lives_ms, level",
    [
        ({}, SKIPPED),
        ({"a": -2}, SKIPPED),
        ({"a": 60_000, "b": -2}, OK),
        ({"a": 60_000, "b": -1}, WRONG),
        ({"a": 62_000}, WARNING),
    ],
)
def test_lives(lives_ms: dict[str, int], level: Level):
    assert redis_state.evaluate_lives(lives_ms, 60).level is level


@pytest.mark.parametrize(
    "offset_s, level",
    [(0, OK), (1.9, OK), (2.1, WRONG), (-1.9, OK), (-2.1, WRONG), (86_400, WRONG)],
)
def test_clock(offset_s: float, level: Level):
    theirs = NOON + timedelta(seconds=offset_s)
    assert evaluate_clock("Horloge", theirs, NOON, NOON).level is level


def test_time_that_the_question_took_is_no_skew():
    after = NOON + timedelta(seconds=5)
    assert evaluate_clock("Horloge", NOON + timedelta(seconds=4), NOON, after).level is OK


def test_migrations_are_named():
    assert evaluate_migrations([]).level is OK
    finding = evaluate_migrations(["chat.0001", "chat.0002", "chat.0003", "chat.0004"])
    assert finding.what == "4 à faire : chat.0001, chat.0002, chat.0003…"
    assert finding.fix == "python manage.py migrate"


def test_databases_take_several_writers():
    assert evaluate_sqlite("wal").level is OK
    assert evaluate_sqlite("delete").level is WRONG
    assert evaluate_postgres({"max_size": 20}, 80, 100).level is OK
    assert evaluate_postgres({"max_size": 20}, 81, 100).level is WARNING
    assert evaluate_postgres(None, 1, 100).level is WRONG


def test_static_files():
    assert evaluate_static_files("m", None, ()).level is WRONG
    assert evaluate_static_files("m", 3, ["chat/a.css"]).level is WRONG
    assert evaluate_static_files("m", 0, ()).level is WRONG
    assert evaluate_static_files("m", 3, ()).level is OK


def test_configuration_speaks_for_django():
    messages = [
        checks.Warning("Not safe.", hint="Make it safe.", id="security.W1"),
        checks.Error("Broken.", id="models.E1"),
        checks.Info("By the way."),
    ]
    assert [(one.level, one.fix) for one in evaluate_configuration(messages, debug=False)] == [
        (WARNING, "Make it safe."),
        (WRONG, "python manage.py check --deploy"),
    ]
    assert [one.level for one in evaluate_configuration([], debug=False)] == [OK]
    assert [one.level for one in evaluate_configuration([], debug=True)] == [WARNING]


@pytest.mark.parametrize(
    "debug, url, levels",
    [
        (False, "console://", [WARNING]),
        (True, "console://", []),
        (False, "smtp://mail.test", []),
    ],
)
def test_mails_that_nobody_sends_are_warned_of_in_production(settings, debug, url, levels):
    env = replace(settings.ENV, debug=debug, email_url=url)
    assert [one.level for one in evaluate_mails(env)] == levels


# The site


@pytest.mark.parametrize(
    "policy, level",
    [
        (STRICT, OK),
        ("default-src 'self'", OK),
        ("", WRONG),
        ("default-src 'self'; style-src 'unsafe-inline'", WRONG),
        ("script-src 'self' 'unsafe-eval'", WRONG),
        ("script-src *", WRONG),
        ("style-src 'self'", WRONG),
        ("script-src https:; default-src 'none'", WRONG),
    ],
)
def test_csp(policy: str, level: Level):
    assert evaluate_csp(policy).level is level


@pytest.mark.parametrize("lost", ["x-content-type-options", "x-frame-options", "referrer-policy"])
def test_headers_that_a_proxy_drops_are_named(lost: str):
    headers = {name: value for name, value in GOOD_HEADERS.items() if name != lost}
    finding = evaluate_headers(headers)
    assert finding.level is WRONG
    assert lost in finding.what


def test_https_is_believed_when_hsts_is_announced():
    assert evaluate_forwarded(GOOD_HEADERS, GOOD, secure=True).level is OK
    assert evaluate_forwarded({}, GOOD, secure=True).level is WARNING
    assert evaluate_forwarded({}, REFUSED, secure=True).level is WRONG
    assert evaluate_forwarded({}, GOOD, secure=False).level is SKIPPED


@pytest.mark.parametrize(
    "cookie, secure, level",
    [
        (GOOD_COOKIES[0], True, OK),
        ("chat_session=x; HttpOnly; SameSite=Lax", False, OK),
        ("chat_session=x; HttpOnly; SameSite=Lax", True, WRONG),
        ("chat_session=x; SameSite=Lax; Secure", True, WRONG),
        ("chat_session=x; HttpOnly; Secure", True, WRONG),
        ("csrftoken=x; SameSite=Lax; Secure", True, OK),
    ],
)
def test_cookies(cookie: str, secure: bool, level: Level):
    assert evaluate_cookies((cookie,), secure=secure).level is level


def test_page_without_a_cookie_is_wrong():
    assert evaluate_cookies((), secure=True).level is WRONG


@pytest.mark.parametrize(
    "own, level, word",
    [
        (GOOD, OK, "101"),
        (Handshake(status=0), WRONG, "pas de réponse"),
        (Handshake(status=400), WRONG, "HTTP 400"),
        (REFUSED, WRONG, "4403"),
        (Handshake(status=101, closed=4401), WRONG, "4401"),
        (Handshake(status=101, closed=4429), WARNING, "4429"),
        (Handshake(status=101, first="error"), WRONG, "error"),
    ],
)
def test_own_socket(own: Handshake, level: Level, word: str):
    finding = evaluate_own_socket(own)
    assert finding.level is level
    assert word in finding.what


@pytest.mark.parametrize(
    "foreign, level",
    [
        (REFUSED, OK),
        (Handshake(status=403), OK),
        (GOOD, WRONG),
        (Handshake(status=0), WARNING),
        (Handshake(status=101, closed=1006), WARNING),
    ],
)
def test_foreign_socket(foreign: Handshake, level: Level):
    assert evaluate_foreign_socket(foreign).level is level


@pytest.mark.parametrize(
    "status, location, fix",
    [
        (302, "https://shop.example/", "TRUSTED_PROXIES"),
        (301, "https://other.example/", "--url https://other.example/"),
        (400, "", "ALLOWED_HOSTS"),
        (502, "", "docker compose ps"),
        (500, "", "logs"),
    ],
)
def test_page_that_is_not_there_says_what_mends_it(status: int, location: str, fix: str):
    page = FetchedPage(status=status, headers={"location": location}, cookies=())
    [finding] = evaluate_site("https://shop.example", page, GOOD, REFUSED)
    assert finding.level is WRONG
    assert fix in finding.fix


def test_good_site_has_nothing_wrong():
    page = FetchedPage(status=200, headers=GOOD_HEADERS, cookies=GOOD_COOKIES)
    findings = evaluate_site("https://shop.example", page, GOOD, REFUSED)
    assert {finding.level for finding in findings} == {OK}
    assert len(findings) == 7


# What is shown


@pytest.mark.parametrize(
    "url, shown",
    [
        ("redis://:secret@redis:6379/0", "redis://***@redis:6379/0"),
        ("postgres://chat:secret@db:5432/chat", "postgres://***@db:5432/chat"),
        ("https://shop.example", "https://shop.example"),
        ("sqlite:////var/db.sqlite3", "sqlite:////var/db.sqlite3"),
    ],
)
def test_addresses_are_shown_without_their_password(url: str, shown: str):
    assert masked(url) == shown


def test_secret_in_the_words_of_a_library_is_covered():
    secrets = secrets_in(["redis://:p%40ss@h/0", "memory://"], ["sk-key", ""])
    finding = wrong("Redis", "bad url redis://:p%40ss@h and p@ss", "sk-key")
    assert without(secrets, finding) == wrong("Redis", "bad url redis://:***@h and ***", "***")


def test_columns_are_aligned_and_the_line_that_mends_stands_alone():
    one, two = line(ok("Redis", "bien là")), line(wrong("Base", "absente", "manage.py migrate"))
    assert one.index("bien là") == two.index("absente")
    assert two.splitlines()[1].strip() == "→ manage.py migrate"


def test_summary_counts():
    assert summary([ok("a", "b")]) == "Tout va bien."
    assert summary([ok("a", "b"), wrong("c", "d", "e")]) == "1 à réparer, 0 à surveiller."
    assert as_json([wrong("c", "d", "e")])["ok"] is False
    assert as_json([ok("c", "d")])["ok"] is True


@pytest.mark.parametrize(
    "count, oldest_s, level", [(0, 0.0, OK), (3, 300.0, OK), (1, 301.0, WARNING)]
)
def test_erasures(count: int, oldest_s: float, level: Level):
    assert redis_state.evaluate_erasures(count, oldest_s).level is level
