from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import redis

from chat.conversations.store.protocol import ANY_OWNER
from chat.conversations.store.redis.aof import (
    LOCK,
    REWRITTEN_AT,
    AofState,
    Rewriter,
    is_due,
    read_state,
)
from chat.conversations.store.redis.store import RedisStore
from chat.core.errors import StoreUnavailable
from devtools.redis_server import RedisServer
from tests.backends import use_redis
from tests.builders import JEAN, ask

WORDS = "mes-mots-les-plus-secrets"
PAUSE_S = 600
DAY_S = 86_400


@pytest.mark.parametrize(
    "erased_s_ago, rewritten_s_ago, due",
    [
        (None, 3600, False),  # nothing was erased
        (None, DAY_S, True),  # daily
        (None, None, True),  # never
        (30, 3600, True),
        (30, 500, False),  # too soon after the last rewrite
        (3600, 3000, False),  # rewritten since
        (600, 600, True),  # in the moment when it began
    ],
)
def test_rewrite_is_due_after_an_erasure_and_daily(erased_s_ago, rewritten_s_ago, due):
    now = 1_000_000.0
    erased_at = 0.0 if erased_s_ago is None else now - erased_s_ago
    rewritten_at = 0.0 if rewritten_s_ago is None else now - rewritten_s_ago

    assert is_due(AofState(now, erased_at, rewritten_at), PAUSE_S) is due


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as client:
        yield client


def long_ago(client: redis.Redis, key: str, seconds: float) -> None:
    """Have this moment lie further in the past."""
    now, _ = client.time()
    client.set(key, round((int(now) - seconds) * 1000))


def written_in(folder: Path) -> str:
    files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return b"".join(files).decode("utf-8", "replace")


async def test_erased_words_leave_the_file(settings, server, client):
    use_redis(settings, server.url)
    store = RedisStore.of_django(settings.ENV.session_ttl_s)
    await ask(store, WORDS)
    await ask(store, "ce qui reste", session_id="kept-conversation")
    assert await store.erase(JEAN, ANY_OWNER)
    assert WORDS in written_in(server.folder), "the attack: erased words stand in the file"
    assert read_state(client).has_erased_words
    long_ago(client, REWRITTEN_AT, 3600)

    await Rewriter.of_django().run()

    assert WORDS not in written_in(server.folder)
    assert not read_state(client).has_erased_words
    server.kill()
    server.start()
    assert client.exists("session:kept-conversation")


def test_workers_ask_once_together(server, client):
    rewriters = [Rewriter(partial(redis.Redis.from_url, server.url)) for _ in range(2)]

    assert rewriters[0].rewrite_if_due(PAUSE_S)
    assert not rewriters[1].rewrite_if_due(PAUSE_S)


def test_nobody_asks_while_the_lock_is_held(server, client):
    client.set(LOCK, "backup", ex=60)

    assert not Rewriter(partial(redis.Redis.from_url, server.url)).rewrite_if_due(PAUSE_S)
    assert client.get(LOCK) == b"backup"


def test_redis_that_forbids_it_is_asked_once(server, client, caplog):
    client.acl_setuser(
        "default", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-bgrewriteaof"]
    )
    rewriter = Rewriter(partial(redis.Redis.from_url, server.url))

    assert not rewriter.rewrite_if_due(PAUSE_S)
    assert not rewriter.rewrite_if_due(PAUSE_S)

    [line] = [
        record for record in caplog.records if record.name == "chat.conversations.store.redis.aof"
    ]
    assert "permission" in line.getMessage()
    assert not client.exists(LOCK)


def test_redis_without_the_file_is_left_alone(server, client):
    client.config_set("appendonly", "no")

    assert not Rewriter(partial(redis.Redis.from_url, server.url)).rewrite_if_due(PAUSE_S)


async def test_redis_that_is_away_is_told_as_such(settings):
    use_redis(settings, "redis://127.0.0.1:1/0")

    with pytest.raises(StoreUnavailable):
        await Rewriter.of_django().run()


@pytest.mark.parametrize("url, pause_s", [("memory://", 600), ("redis://127.0.0.1:1/0", 0)])
async def test_nothing_is_asked_where_nothing_is_wanted(settings, url, pause_s):
    use_redis(settings, url)
    settings.ENV = replace(settings.ENV, aof_rewrite_pause_s=pause_s)

    await Rewriter.of_django().run()
