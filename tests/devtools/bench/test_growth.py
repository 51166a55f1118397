from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from chat.conversations.store.adviser_store import Listing
from chat.conversations.store.protocol import WEB_OWNER
from chat.conversations.store.redis.store import RedisStore
from chat.core.ids import ref_of
from devtools.bench.growth import copies, own_store, say

SAMPLE = "sample-000000"
COPY = "seed-000000001"


@pytest.fixture
def client(flushed_redis: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(flushed_redis) as client:
        yield client


@pytest.fixture
def store(client: redis.Redis) -> Iterator[RedisStore]:
    with own_store(client) as store:
        yield store


async def test_copies_are_what_the_store_would_have_written(client, store):
    await say(store, SAMPLE)
    copies(client, SAMPLE, 1, 4)
    assert client.hgetall(f"chat:state:{COPY}") == client.hgetall(f"chat:state:{SAMPLE}")
    assert client.get(f"session:{COPY}") == client.get(f"session:{SAMPLE}").replace(
        SAMPLE.encode(), COPY.encode()
    )
    assert client.get(f"chat:ref:{ref_of(COPY)}") == COPY.encode()
    keys = {key.replace(SAMPLE.encode(), b"") for key in client.keys(f"*{SAMPLE}*")}
    assert keys == {key.replace(COPY.encode(), b"") for key in client.keys(f"*{COPY}*")}
    for key in (f"session:{COPY}", f"chat:state:{COPY}"):
        assert client.ttl(key) == pytest.approx(client.ttl(key.replace(COPY, SAMPLE)), abs=2)


async def test_copies_are_counted_listed_and_read_by_the_store(client, store):
    await say(store, SAMPLE)
    copies(client, SAMPLE, 1, 1500)
    assert await store.count() == 1500
    page = await store.page(Listing(limit=50))
    assert (page.total, len(page.rows)) == (1500, 50)
    sample, copy = await store.load(SAMPLE, WEB_OWNER), await store.load(COPY, WEB_OWNER)
    assert copy.messages == sample.messages
    assert await store.orphans() == {}
