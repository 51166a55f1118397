"""The store of conversations, for commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from chat.sessions.redis_link import RedisLink
from chat.sessions.redis_store import RedisStore, scripts

#: Longer than a page waits: only an operator does, and a machine may be busy.
TIMEOUT_S = 10
CONNECT_TIMEOUT_S = 2


@contextmanager
def redis_shelf() -> Iterator[RedisStore]:
    """Open Redis itself, while inside: the memory that stands in for it is the workers'."""
    client = redis.Redis.from_url(
        settings.ENV.redis_url,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        # Its own ten tries would keep an operator waiting for a minute.
        retry=Retry(NoBackoff(), 1, (RedisConnectionError,)),
    )
    link = RedisLink(lambda: client, scripts())
    try:
        yield RedisStore(link, settings.ENV.session_ttl_s)
    finally:
        link.close()
        client.close()
