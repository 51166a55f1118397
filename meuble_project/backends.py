"""From an address to what Django needs to use it. Pure: nothing is opened here."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import dj_database_url
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

#: A frozen Redis must not freeze a page.
REDIS_TIMEOUT_S = 1
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


def cache_for(redis_url: str) -> dict[str, Any]:
    if is_memory(redis_url):
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "KEY_FUNCTION": "chat.sessions.cache.readable_key",
            "OPTIONS": {"MAX_ENTRIES": MEMORY_CACHE_ENTRIES},
        }
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        # A list: django-redis takes the comma of a text, perhaps in a password, as a separator.
        "LOCATION": [redis_url],
        "KEY_FUNCTION": "chat.sessions.cache.readable_key",
        "OPTIONS": {
            "SERIALIZER": "chat.sessions.cache.UTF8JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": REDIS_TIMEOUT_S,
            "SOCKET_TIMEOUT": REDIS_TIMEOUT_S,
            "CONNECTION_POOL_CLASS": "redis.BlockingConnectionPool",
            "CONNECTION_POOL_KWARGS": {
                "max_connections": CACHE_CONNECTIONS,
                "timeout": REDIS_TIMEOUT_S,
                # A connection that Redis closed is opened again once; a timeout is final.
                "retry": Retry(NoBackoff(), 1, (RedisConnectionError,)),
            },
        },
    }


def login_cache_for(redis_url: str) -> dict[str, Any]:
    """The cache in front of the staff's login sessions, which the database keeps.

    So here, and only here, an error of Redis may be taken for "not in the cache".
    """
    config = cache_for(redis_url)
    if not is_memory(redis_url):
        config["OPTIONS"]["IGNORE_EXCEPTIONS"] = True
    return config


def channel_layer_for(redis_url: str) -> dict[str, Any]:
    if is_memory(redis_url):
        return {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    # No read timeout: the layer listens, and redis-py's default of 5 s would end idle listening.
    # Callers bound their calls with asyncio.timeout. Source: django/channels_redis#422.
    host = {
        "address": redis_url,
        "socket_timeout": None,
        "socket_connect_timeout": REDIS_TIMEOUT_S,
    }
    return {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [host], "prefix": "chat"},
    }


def email_for(email_url: str) -> dict[str, Any]:
    """Return Django's ``EMAIL_…`` settings, by name."""
    parts = urlsplit(email_url)
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
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
