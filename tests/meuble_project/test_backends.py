"""Each backend as Django builds it from our settings, against a real Redis and a real SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from importlib import import_module
from pathlib import Path

import pytest
import redis
from channels_redis.utils import create_pool
from django.core.cache import CacheHandler
from django.core.mail import send_mail
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from django.utils.module_loading import import_string
from django_redis.pool import ConnectionFactory
from redis import asyncio as aioredis

from devtools.redis_server import RedisServer
from meuble_project import backends
from meuble_project.unsent_mail import NoMailServerError

#: Two timeouts of one second, and room for a busy machine.
FROZEN_AT_MOST_S = 2.5


def cache_at(url: str):
    return CacheHandler({"default": backends.cache_for(url)})["default"]


@pytest.fixture
def own_redis(tmp_path: Path, redis_url):
    """A Redis that this test may freeze and kill; ``redis_url`` skips where there is none."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()
    ConnectionFactory._pools.pop(server.url, None)


def test_cache_writes_what_a_human_can_read(flushed_redis):
    cache = cache_at(flushed_redis)
    cache.set("greeting:1", {"text": "Où êtes-vous ?"}, timeout=60)
    cache.set("count:1", 1)
    cache.incr("count:1")

    with redis.Redis.from_url(flushed_redis) as client:
        assert sorted(client.keys()) == [b"count:1", b"greeting:1"]
        assert client.get("greeting:1") == '{"text":"Où êtes-vous ?"}'.encode()
        assert client.get("count:1") == b"2"
        assert client.ttl("greeting:1") == 60
        client.set("by-lua:1", '{"text":"caf\\u00e9 é"}')
    assert cache.get("greeting:1") == {"text": "Où êtes-vous ?"}
    assert cache.get("count:1") == 2
    assert cache.get("by-lua:1") == {"text": "café é"}


def test_memory_cache_keeps_more_than_djangos_three_hundred():
    cache = cache_at("memory://")
    cache.set_many({f"key:{n}": n for n in range(2000)})
    try:
        assert [cache.get(f"key:{n}") for n in range(2000)] == list(range(2000))
    finally:
        cache.clear()


def test_cache_waits_for_a_connection_instead_of_failing(flushed_redis):
    cache = cache_at(flushed_redis)
    cache.set("count", 0)
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda _: cache.incr("count"), range(320)))

    assert cache.get("count") == 320
    with redis.Redis.from_url(flushed_redis) as client:
        ours = [c for c in client.client_list() if c["cmd"] != "client|list"]
    assert len(ours) <= backends.CACHE_CONNECTIONS


def test_frozen_redis_fails_soon_and_comes_back(own_redis):
    cache = cache_at(own_redis.url)
    cache.set("key", "value")
    own_redis.freeze()
    started = time.monotonic()
    with pytest.raises(redis.TimeoutError):
        cache.get("key")
    waited_s = time.monotonic() - started
    own_redis.thaw()

    assert waited_s < FROZEN_AT_MOST_S
    assert cache.get("key") == "value"


def test_restarted_redis_is_reached_at_the_first_call(own_redis):
    cache = cache_at(own_redis.url)
    cache.set("key", "value", timeout=60)
    own_redis.stop()
    own_redis.start()

    assert cache.get("key") == "value"


def test_stopped_redis_is_said(own_redis):
    cache = cache_at(own_redis.url)
    cache.set("key", "value")
    own_redis.kill()

    with pytest.raises(redis.ConnectionError):
        cache.get("key")


def test_cache_speaks_over_a_unix_socket(flushed_redis, redis_server):
    cache_at(redis_server.unix_url).set("key", "value")

    assert cache_at(flushed_redis).get("key") == "value"


def test_cache_takes_a_password_with_a_comma(flushed_redis, redis_server):
    with redis.Redis.from_url(flushed_redis) as client:
        client.acl_setuser("comma", enabled=True, passwords=["+a,b"], keys="*", commands=["+@all"])
    cache_at(f"redis://comma:a,b@127.0.0.1:{redis_server.port}/0").set("key", "value")

    assert cache_at(flushed_redis).get("key") == "value"


@pytest.mark.parametrize("attribute", ["url", "unix_url"])
async def test_channel_layer_carries_a_message(flushed_redis, redis_server, attribute):
    config = backends.channel_layer_for(getattr(redis_server, attribute))
    layer = import_string(config["BACKEND"])(**config["CONFIG"])
    channel = await layer.new_channel()
    await layer.group_add("session", channel)
    try:
        await layer.group_send("session", {"type": "doorbell"})
        assert await asyncio.wait_for(layer.receive(channel), 5) == {"type": "doorbell"}
    finally:
        await layer.flush()


@pytest.mark.parametrize("scheme, connection", [("redis", ""), ("rediss", "SSL")])
def test_master_is_asked_for_by_its_very_name_and_over_tls_too(scheme, connection):
    url = f"{scheme}://:p%40ss@LaBoutique/2"
    sentinels = ("10.0.0.1:26379", "[fd00::3]:26380")
    cache = CacheHandler({"default": backends.cache_for(url, sentinels)})["default"]
    [host] = backends.channel_layer_for(url, sentinels)["CONFIG"]["hosts"]
    client = backends.client_for(url, sentinels, timeout_s=1, connect_timeout_s=1)
    pools = [cache.client.get_client().connection_pool, create_pool(host), client.connection_pool]
    ConnectionFactory._pools.pop(url)

    for pool in pools:
        assert pool.is_master
        assert pool.service_name == "LaBoutique"
        managed = [base.__name__ for base in pool.connection_class.__mro__]
        assert f"SentinelManaged{connection}Connection" in managed
        assert ("SSLConnection" in managed) is bool(connection)
        assert (pool.connection_kwargs["password"], pool.connection_kwargs["db"]) == ("p@ss", 2)
        assert [
            (asked.connection_pool.connection_kwargs["host"], asked.get_retry().get_retries())
            for asked in pool.sentinel_manager.sentinels
        ] == [("10.0.0.1", 0), ("fd00::3", 0)]


async def test_channel_layer_is_spread_over_several_servers(flushed_redis, redis_server):
    urls = (flushed_redis, redis_server.unix_url)
    config = backends.channel_layer_for("redis://127.0.0.1:1", layer_urls=urls)["CONFIG"]

    assert [host["address"] for host in config["hosts"]] == list(urls)
    for host in config["hosts"]:
        pool = create_pool(host)
        async with aioredis.Redis.from_pool(pool) as client:
            assert await client.ping()


def test_channel_layer_in_memory_needs_nothing():
    assert backends.channel_layer_for("memory://") == {
        "BACKEND": "channels.layers.InMemoryChannelLayer"
    }


@pytest.mark.django_db(transaction=True)
def test_staff_stay_logged_in_while_redis_is_away(own_redis, settings):
    settings.CACHES = {**settings.CACHES, "logins": backends.login_cache_for(own_redis.url)}
    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = store()
    session["adviser"] = "Claire"
    session.save()
    with redis.Redis.from_url(own_redis.url) as client:
        assert client.keys() == [session.cache_key.encode()]
        assert 0 < client.ttl(session.cache_key) <= 24 * 3600
    own_redis.kill()

    assert store(session.session_key)["adviser"] == "Claire"
    own_redis.start()
    assert store(session.session_key)["adviser"] == "Claire"


def count_one(connection: BaseDatabaseWrapper) -> None:
    """Read, then write, in one transaction: loses nothing only if it began as a writer."""
    with connection.cursor() as cursor:
        connection.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
        value = cursor.execute("SELECT value FROM counter").fetchone()[0]
        cursor.execute("UPDATE counter SET value = %s", [value + 1])
        connection.commit()
    connection.close()


def test_sqlite_writers_wait_for_one_another(tmp_path, django_db_blocker):
    connections = ConnectionHandler(
        {"default": backends.database_for("sqlite:///chat.sqlite3", tmp_path)}
    )
    with django_db_blocker.unblock(), ThreadPoolExecutor(8) as pool:
        connections["default"].cursor().execute("CREATE TABLE counter AS SELECT 0 AS value")
        list(pool.map(lambda _: count_one(connections["default"]), range(80)))
        connections.close_all()

    with closing(sqlite3.connect(tmp_path / "chat.sqlite3")) as written:
        assert written.execute("SELECT value FROM counter").fetchone() == (80,)
        assert written.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_sqlite_path_does_not_depend_on_where_one_stands(tmp_path):
    relative = backends.database_for("sqlite:///data/chat.sqlite3", tmp_path)
    absolute = backends.database_for("sqlite:////srv/chat.sqlite3", tmp_path)
    memory = backends.database_for("sqlite://:memory:", tmp_path)

    assert relative["NAME"] == str(tmp_path / "data/chat.sqlite3")
    assert absolute["NAME"] == "/srv/chat.sqlite3"
    assert memory["NAME"] == ":memory:"


def test_postgres_keeps_a_pool_and_no_connection_of_its_own(tmp_path):
    config = backends.database_for("postgres://u:p%40ss@h:5433/shop?sslmode=require", tmp_path)

    assert (config["USER"], config["PASSWORD"], config["HOST"]) == ("u", "p@ss", "h")
    assert (config["PORT"], config["NAME"], config["CONN_MAX_AGE"]) == (5433, "shop", 0)
    assert config["OPTIONS"]["sslmode"] == "require"
    assert config["OPTIONS"]["pool"]["max_size"] == 20


# E-mails


@pytest.mark.parametrize("debug", [True, False])
def test_mail_without_a_server_is_printed_in_development_only(settings, capfd, caplog, debug):
    for name, value in backends.email_for("console://", debug=debug).items():
        setattr(settings, name, value)
    link = "https://shop.test/suivi/SAV-2026-00001:signature/"
    with nullcontext() if debug else pytest.raises(NoMailServerError) as refused:
        assert send_mail("Votre demande", link, None, ["camille@example.test"]) == 1

    written = "".join(capfd.readouterr()) + caplog.text + ("" if debug else str(refused.value))
    assert all((part in written) is debug for part in (link, "camille", "Votre demande"))
