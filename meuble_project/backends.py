"""From an address to what Django needs to use it. Pure: nothing is opened here."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
import redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool, SentinelManagedSSLConnection

from meuble_project.listeners import PlainConnection, TLSConnection

#: A frozen Redis must not freeze a page.
REDIS_TIMEOUT_S = 1
#: Sentinels are asked one after the other, and all of them again once: none may take long.
SENTINEL_TIMEOUT_S = 0.3
#: Here two that hang must leave time for the third within the half second that a message between
#: workers may take (``LAYER_TIMEOUT_S`` of ``chat/conversations/realtime/pubsub.py``).
LAYER_SENTINEL_TIMEOUT_S = 0.15
#: A listener says nothing by itself: without these it would take long to notice that the machine
#: it listens to is gone, and go on listening to nobody. Names differ between systems.
LISTENER_KEEPALIVE = {
    getattr(socket, name): seconds
    for name, seconds in (("TCP_KEEPIDLE", 2), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 3))
    if hasattr(socket, name)
}
#: django-redis runs in threads: more connections than this wait for one another.
CACHE_CONNECTIONS = 8
#: More than Django's 300: past it, a full memory cache drops entries at random.
MEMORY_CACHE_ENTRIES = 200_000

#: Writers wait for one another this long instead of failing with "database is locked".
SQLITE_TIMEOUT_S = 20
POSTGRES_CONNECTIONS = 20
#: How long a request waits for a connection to PostgreSQL, or for a place in the pool.
POSTGRES_TIMEOUT_S = 5

EMAIL_TIMEOUT_S = 10


def is_memory(redis_url: str) -> bool:
    return redis_url.startswith("memory://")


def cache_for(redis_url: str, sentinels: Sequence[str] = ()) -> dict[str, Any]:
    """``sentinels``: see ``Env.redis_sentinels``."""
    if is_memory(redis_url):
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "KEY_FUNCTION": "chat.core.django_cache.readable_key",
            "OPTIONS": {"MAX_ENTRIES": MEMORY_CACHE_ENTRIES},
        }
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        # A list: django-redis takes the comma of a text, perhaps in a password, as a separator;
        # and of a list its Sentinel client makes no second address, to read from a replica.
        "LOCATION": [redis_url],
        "KEY_FUNCTION": "chat.core.django_cache.readable_key",
        "OPTIONS": {
            "SERIALIZER": "chat.core.django_cache.UTF8JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": REDIS_TIMEOUT_S,
            "SOCKET_TIMEOUT": REDIS_TIMEOUT_S,
            **(_master_pool(redis_url, sentinels) if sentinels else _server_pool()),
        },
    }


def _server_pool() -> dict[str, Any]:
    return {
        "CONNECTION_POOL_CLASS": "redis.BlockingConnectionPool",
        "CONNECTION_POOL_KWARGS": {
            "max_connections": CACHE_CONNECTIONS,
            "timeout": REDIS_TIMEOUT_S,
            # A connection that Redis closed is opened again once; a timeout is final.
            "retry": Retry(NoBackoff(), 1, (RedisConnectionError,)),
        },
    }


def _master_pool(redis_url: str, sentinels: Sequence[str]) -> dict[str, Any]:
    """Options of django-redis that ask the sentinels for the master at each new connection.

    This pool does not make callers wait: it has a connection for each of our threads.
    """
    return {
        "CLIENT_CLASS": "django_redis.client.SentinelClient",
        "CONNECTION_FACTORY": "django_redis.pool.SentinelConnectionFactory",
        "CONNECTION_POOL_CLASS": "redis.sentinel.SentinelConnectionPool",
        "CONNECTION_POOL_KWARGS": _managed(redis_url),
        "SENTINELS": addresses_of(sentinels),
        "SENTINEL_KWARGS": _asking_sentinels(),
    }


def _managed(redis_url: str) -> dict[str, Any]:
    """What redis-py and django-redis would take from an address otherwise than is meant.

    The name would be put in lower case, a TLS connection would not ask the sentinels, and what is
    tried again at once would go to the old master.
    """
    options: dict[str, Any] = {
        "service_name": master_name(redis_url),
        "retry": Retry(NoBackoff(), 0),
    }
    if urlsplit(redis_url).scheme == "rediss":
        options["connection_class"] = SentinelManagedSSLConnection
    return options


def _asking_sentinels(
    timeout_s: float = SENTINEL_TIMEOUT_S, retry: type[Retry] | type[AsyncRetry] = Retry
) -> dict[str, Any]:
    return {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": retry(NoBackoff(), 0),  # the default of redis-py is ten times with pauses
    }


def master_name(redis_url: str) -> str:
    """``Shop`` of ``redis://:password@Shop/0``."""
    return urlsplit(redis_url).netloc.rpartition("@")[2].partition(":")[0]


def addresses_of(sentinels: Sequence[str]) -> list[tuple[str, int]]:
    pairs = (text.rpartition(":") for text in sentinels)
    return [(host.strip("[]"), int(port)) for host, _, port in pairs]


def client_for(
    redis_url: str,
    sentinels: Sequence[str] = (),
    *,
    timeout_s: float,
    connect_timeout_s: float,
    retries: int = 0,
) -> redis.Redis:
    """A client of its own, for a command that ends soon; it connects when it is first used.

    ``retries``: of a connection that was closed.
    """
    timeouts = {"socket_timeout": timeout_s, "socket_connect_timeout": connect_timeout_s}
    if not sentinels:
        retry = Retry(NoBackoff(), retries, (RedisConnectionError,))
        return redis.Redis.from_url(redis_url, **timeouts, retry=retry)
    asked = Sentinel(  # type: ignore[no-untyped-call]
        addresses_of(sentinels), sentinel_kwargs=_asking_sentinels()
    )
    options = _managed(redis_url) | timeouts
    return redis.Redis.from_pool(
        SentinelConnectionPool.from_url(redis_url, sentinel_manager=asked, **options)
    )


def login_cache_for(redis_url: str, sentinels: Sequence[str] = ()) -> dict[str, Any]:
    """The cache in front of the staff's login sessions, which the database keeps.

    So here, and only here, an error of Redis may be taken for "not in the cache".
    """
    config = cache_for(redis_url, sentinels)
    if not is_memory(redis_url):
        config["OPTIONS"]["IGNORE_EXCEPTIONS"] = True
    return config


def channel_layer_for(
    redis_url: str, sentinels: Sequence[str] = (), layer_urls: Sequence[str] = ()
) -> dict[str, Any]:
    """``sentinels``, ``layer_urls``: see ``Env``. Groups are spread over several servers by name,
    so every worker must be given the same ones in the same order.
    """
    if is_memory(redis_url):
        return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    if sentinels and not layer_urls:
        hosts = [_layer_at_master(redis_url, sentinels)]
    else:
        hosts = [_layer_at(url) for url in layer_urls or (redis_url,)]
    return {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": hosts, "prefix": "chat"},
    }


def _layer_at(url: str) -> dict[str, Any]:
    # No read timeout: the layer listens, and redis-py's default of 5 s would end idle listening.
    # Callers bound their calls with asyncio.timeout. Source: django/channels_redis#422.
    host: dict[str, Any] = {
        "address": url,
        "socket_timeout": None,
        "socket_connect_timeout": REDIS_TIMEOUT_S,
    }
    if urlsplit(url).scheme != "unix":
        host["socket_keepalive_options"] = LISTENER_KEEPALIVE
    return host


def _layer_at_master(redis_url: str, sentinels: Sequence[str]) -> dict[str, Any]:
    """The layer takes no address together with a master's name, so here it is in pieces."""
    host = _layer_at(redis_url) | parse_url(redis_url)
    for at_server in ("address", "host"):
        host.pop(at_server, None)
    over_tls = urlsplit(redis_url).scheme == "rediss"
    return host | {
        "connection_class": TLSConnection if over_tls else PlainConnection,
        "master_name": master_name(redis_url),
        "sentinels": addresses_of(sentinels),
        "sentinel_kwargs": _asking_sentinels(LAYER_SENTINEL_TIMEOUT_S, AsyncRetry),
    }


def email_for(email_url: str, *, debug: bool) -> dict[str, Any]:
    """Return Django's ``EMAIL_…`` settings, by name. Only with ``debug`` are e-mails printed."""
    parts = urlsplit(email_url)
    if parts.scheme == "console":
        shown = "django.core.mail.backends.console.EmailBackend"
        return {"EMAIL_BACKEND": shown if debug else "meuble_project.unsent_mail.UnsentMailBackend"}
    ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or ports[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_TIMEOUT": EMAIL_TIMEOUT_S,
    }


def database_for(database_url: str, root: Path) -> dict[str, Any]:
    """A relative SQLite path is taken from ``root``, wherever the command was started."""
    config: dict[str, Any] = {**dj_database_url.parse(database_url)}
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"].endswith("sqlite3"):
        if config["NAME"] != ":memory:":
            config["NAME"] = str(root / config["NAME"])
        options.setdefault("timeout", SQLITE_TIMEOUT_S)
        options["transaction_mode"] = "IMMEDIATE"
        options["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
    else:
        config["CONN_MAX_AGE"] = 0  # the pool keeps connections; under ASGI, Django would leak them
        options.setdefault("connect_timeout", POSTGRES_TIMEOUT_S)
        options["pool"] = {
            "min_size": 1,
            "max_size": POSTGRES_CONNECTIONS,
            "timeout": POSTGRES_TIMEOUT_S,
        }
    return config
