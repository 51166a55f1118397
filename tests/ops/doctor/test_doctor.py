"""The doctor before real faults."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from aiohttp import web
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from chat.ops.doctor.clocks import check_redis_clock
from chat.ops.doctor.configuration import check_configuration
from chat.ops.doctor.database_state import check_database
from chat.ops.doctor.findings import Finding, Level, ok
from chat.ops.doctor.layer_state import check_layer
from chat.ops.doctor.model_state import check_model
from chat.ops.doctor.redis_state import check_redis
from chat.ops.doctor.runner import Check, run
from chat.ops.doctor.site import check_site
from chat.ops.doctor.static_files import check_static_files
from devtools.local_assistant.server import INSTANT, start
from devtools.redis_server import RedisServer
from tests.backends import use_redis
from tests.builders import JEAN, ask
from tests.journeys.shop import Shop
from tests.management.conftest import manage

NOWHERE = "redis://:not-to-be-seen@127.0.0.1:1/0"


def levels(findings: list[Finding]) -> dict[str, Level]:
    return {finding.name: finding.level for finding in findings}


def wrong_in(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level is Level.WRONG]


# Redis


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis whose settings a test may spoil."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


def test_good_redis_has_only_its_missing_limit(flushed_redis: str):
    findings = levels(check_redis(flushed_redis, 86_400, 2))
    assert findings.pop("Redis : mémoire") is Level.WARNING
    assert findings.pop("Redis : durées de vie") is Level.SKIPPED
    assert set(findings.values()) == {Level.OK}


@pytest.mark.parametrize(
    "setting, value, name, fix",
    [
        ("appendonly", "no", "Redis : persistance", "CONFIG SET appendonly yes"),
        ("maxmemory-policy", "allkeys-lru", "Redis : éviction", "maxmemory-policy noeviction"),
        ("maxmemory", "1000001", "Redis : mémoire", "maxmemory 2mb"),
    ],
)
def test_bad_setting_is_found_and_its_line_mends_it(
    own_redis: RedisServer, setting: str, value: str, name: str, fix: str
):
    with redis.Redis.from_url(own_redis.url) as client:
        client.config_set(setting, value)

    [finding] = wrong_in(check_redis(own_redis.url, 86_400, 2))

    assert finding.name == name
    assert fix in finding.fix
    words = finding.fix.partition("CONFIG SET ")[2].partition(" &&")[0].split()
    with redis.Redis.from_url(own_redis.url) as client:
        client.config_set(*words)
        client.config_set("maxmemory", 512_000_000)
    assert wrong_in(check_redis(own_redis.url, 86_400, 2)) == []


def test_absent_redis_is_one_finding_without_its_password():
    [finding] = check_redis(NOWHERE, 86_400, 2)
    assert finding.level is Level.WRONG
    assert "not-to-be-seen" not in finding.what


def test_frozen_redis_is_found(own_redis: RedisServer):
    own_redis.freeze()
    [finding] = check_redis(own_redis.url, 86_400, 0.2)
    assert "TimeoutError" in finding.what


def test_refused_password_is_said(own_redis: RedisServer):
    with redis.Redis.from_url(own_redis.url) as client:
        client.config_set("requirepass", "another")
    [finding] = check_redis(own_redis.url, 86_400, 2)
    assert "mot de passe refusé" in finding.what


async def test_conversation_that_would_never_end_is_found(redis_store, flushed_redis: str):
    await ask(redis_store)
    with redis.Redis.from_url(flushed_redis) as client:
        client.persist(f"session:{JEAN}")
    findings = check_redis(flushed_redis, 86_400, 2)
    [finding] = wrong_in(findings)
    assert finding.name == "Redis : durées de vie"
    assert JEAN not in finding.fix


def test_clock_of_redis_is_ours(redis_url: str):
    assert [finding.level for finding in check_redis_clock(redis_url, 2)] == [Level.OK]
    assert [finding.level for finding in check_redis_clock(NOWHERE, 2)] == [Level.SKIPPED]


# Database, layer, static files, configuration


@pytest.mark.django_db
def test_missing_migration_is_named():
    assert wrong_in(check_database("sqlite:///x")) == []
    [last] = MigrationLoader(connection).graph.leaf_nodes("chat")
    MigrationRecorder(connection).record_unapplied(*last)

    [finding] = wrong_in(check_database("sqlite:///x"))

    assert ".".join(last) in finding.what
    assert finding.fix == "python manage.py migrate"


def test_missing_database_is_not_made(tmp_path: Path):
    path = tmp_path / "none.sqlite3"
    done = manage("doctor", "--no-model", "--json", DATABASE_URL=f"sqlite:///{path}")
    [finding] = [one for one in json.loads(done.stdout)["checks"] if one["level"] == "wrong"]
    assert finding["name"] == "Base : réponse"
    assert not path.exists()


def test_layer_carries_a_message(settings: Any, flushed_redis: str):
    use_redis(settings, flushed_redis)
    assert [finding.level for finding in check_layer(5)] == [Level.OK]


def test_layer_without_redis_is_found(settings: Any):
    use_redis(settings, NOWHERE)
    assert [finding.level for finding in check_layer(2)] == [Level.WRONG]


def test_static_files_that_were_not_collected_are_found(settings: Any, tmp_path: Path):
    settings.STATIC_ROOT = tmp_path
    manifest_storage = {"BACKEND": "chat.web.staticfiles.ModuleManifestStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": manifest_storage}
    assert [finding.level for finding in check_static_files()] == [Level.WRONG]

    # Without Django's own, and uncompressed: that takes 6 s of a processor.
    settings.SERVESTATIC_USE_BROTLI = settings.SERVESTATIC_USE_GZIP = False
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=["admin"])
    assert [finding.level for finding in check_static_files()] == [Level.OK]

    next(tmp_path.glob("chat/css/theme.*.css")).unlink()
    [finding] = check_static_files()
    assert finding.level is Level.WRONG
    assert finding.what.startswith("1 fichier(s) manquent")


def test_configuration_without_a_middleware_is_found(settings: Any):
    env = replace(settings.ENV, debug=False)
    before = {finding.name for finding in check_configuration(env)}
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "SecurityMiddleware" not in one]
    assert {f.name for f in check_configuration(env)} - before == {"Configuration : security.W001"}


# Model


async def test_model_is_asked_one_real_question(settings: Any):
    server = await start(pace=INSTANT, keep_requests=10)
    env = replace(settings.ENV, openai_base_url=server.url)
    settings.ENV = env
    try:
        [finding] = await asyncio.to_thread(check_model, env, 5)
    finally:
        await server.close()
    assert finding.level is Level.OK, finding


@pytest.mark.parametrize(
    "status, fix",
    [(401, "OPENAI_API_KEY"), (404, "OPENAI_MODEL"), (400, "OPENAI_REASONING_EFFORT")],
)
async def test_model_that_refuses_is_evaluated_by_its_status(settings: Any, status: int, fix: str):
    async def refuse(request: web.Request) -> web.Response:
        words = request.headers["Authorization"]  # as some servers do
        return web.json_response({"error": {"message": words}}, status=status)

    async with serving(refuse) as url:
        env = replace(settings.ENV, openai_base_url=f"{url}/v1", openai_api_key="not-to-be-seen")
        settings.ENV = env
        [finding] = await asyncio.to_thread(check_model, env, 5)

    assert finding.level is Level.WRONG
    assert str(status) in finding.what
    assert fix in finding.fix
    assert "not-to-be-seen" not in str(finding)


def test_model_at_a_wrong_address_is_found(settings: Any):
    env = replace(settings.ENV, openai_base_url="http://127.0.0.1:9/v1", openai_max_retries=0)
    settings.ENV = env
    [finding] = check_model(env, 5)
    assert finding.level is Level.WRONG
    assert "OPENAI_BASE_URL" in finding.fix


# Site


class serving:
    """A tiny web server that answers everything with ``handler``."""

    def __init__(self, handler: Any) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        self._runner = web.AppRunner(app)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


@pytest.fixture
async def bare_site() -> AsyncIterator[str]:
    """A page with no protection at all, and no socket."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="<p>Bonjour", content_type="text/html")

    async with serving(answer) as url:
        yield url


async def test_site_without_protection_is_wrong_in_every_way(bare_site: str):
    findings = await asyncio.to_thread(check_site, bare_site, 5)
    assert {finding.name for finding in wrong_in(findings)} == {
        "Site : en-têtes",
        "Site : CSP",
        "Site : cookies",
        "Site : WebSocket",
    }


async def test_site_that_anybody_may_open_is_wrong():
    async def open_to_all(request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            return web.Response(text="ok")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str('{"type": "session.state"}')
        await socket.close()
        return socket

    async with serving(open_to_all) as url:
        found = levels(await asyncio.to_thread(check_site, url, 5))
    assert found["Site : WebSocket"] is Level.OK
    assert found["Site : autre origine"] is Level.WRONG


async def test_socket_that_says_nothing_does_not_hide_what_the_page_is():
    async def say_nothing(request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            return web.Response(text="ok")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        return socket

    async with serving(say_nothing) as url:
        findings = await asyncio.to_thread(check_site, url, 0.5)
    socket = next(finding for finding in findings if finding.name == "Site : WebSocket")
    assert "pas de réponse" in socket.what
    assert levels(findings)["Site : CSP"] is Level.WRONG


def test_absent_site_is_one_finding():
    [finding] = check_site("http://127.0.0.1:9", 2)
    assert finding.level is Level.WRONG


def test_our_own_site_is_good(migrated: Path, tmp_path: Path):
    shop = Shop(tmp_path, migrated)
    try:
        shop.start()
        findings = check_site(shop.url, 10)
    finally:
        shop.stop()
    assert wrong_in(findings) == []
    found = levels(findings)
    assert found["Site : WebSocket"] is Level.OK
    assert found["Site : autre origine"] is Level.OK
    assert found["Site : CSP"] is Level.OK


# All together


def test_checks_do_not_wait_for_one_another():
    never = threading.Event()

    def fail() -> list[Finding]:
        raise RuntimeError("dead")

    def hang() -> list[Finding]:
        never.wait()
        return []

    checks = [
        Check("hangs", hang, "thaw it"),
        Check("fails", fail, "mend it"),
        Check("works", lambda: [ok("works", "fine")], ""),
    ]
    hung, failed, worked = run(checks, 0.3)
    never.set()

    assert [(one.level, one.fix) for one in hung] == [(Level.WRONG, "thaw it")]
    assert [(one.what, one.fix) for one in failed] == [("RuntimeError : dead", "mend it")]
    assert worked == [ok("works", "fine")]


def test_command_finds_what_is_wrong_and_shows_no_secret():
    done = manage(
        "doctor",
        "--json",
        REDIS_URL=NOWHERE,
        DATABASE_URL="postgres://chat:not-to-be-seen@127.0.0.1:1/chat",
        OPENAI_API_KEY="not-to-be-seen",
        OPENAI_BASE_URL="http://127.0.0.1:9/v1",
        SECRET_KEY="not-to-be-seen",
    )

    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["ok"] is False
    wrong = {one["name"] for one in report["checks"] if one["level"] == "wrong"}
    assert wrong >= {"Redis : réponse", "Base : réponse", "Couche de messages", "Modèle"}
    assert all(one["mend"] for one in report["checks"] if one["level"] == "wrong")
    assert "not-to-be-seen" not in done.stdout + done.stderr


def test_command_is_fine_where_nothing_is_wrong(flushed_redis: str, database_url: str):
    done = manage("doctor", REDIS_URL=flushed_redis, DATABASE_URL=database_url)
    assert done.returncode == 0, done.stdout
    assert "0 à réparer" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", [("--url", "ftp://x"), ("--timeout", "0")])
def test_wrong_usage_is_said(arguments: tuple[str, ...]):
    with pytest.raises(CommandError) as caught:
        call_command("doctor", *arguments)
    assert caught.value.returncode == 2
