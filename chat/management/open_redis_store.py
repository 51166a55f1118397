"""The store of conversations, for commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from chat.conversations.store.redis.scripts import PipelineExecutor, scripts
from chat.conversations.store.redis.store import RedisStore
from meuble_project.backends import client_for

#: Longer than a page waits: only an operator does, and a machine may be busy.
TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 2


@contextmanager
def open_redis_store() -> Iterator[RedisStore]:
    """Open Redis itself, while inside: the memory that stands in for it is the workers'."""
    client = client_for(
        settings.ENV.redis_url,
        settings.ENV.redis_sentinels,
        timeout_s=TIMEOUT_S,
        connect_timeout_s=CONNECT_TIMEOUT_S,
        retries=1,  # the ten of redis-py would keep an operator waiting for a minute
    )
    link = PipelineExecutor(lambda: client, scripts())
    try:
        yield RedisStore(link, settings.ENV.session_ttl_s)
    finally:
        link.close()
        client.close()
