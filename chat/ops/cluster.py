"""Refuses a Redis Cluster, where a conversation's keys would lie on several servers."""

from __future__ import annotations

from collections.abc import Sequence

import redis
from django.core.management import CommandError

from meuble_project.backends import client_for

#: A Redis that does not answer by then is one that is away: the worker begins in memory.
LONGEST_S = 1.0
WHY = (
    "REDIS_URL mène à un Redis Cluster (cluster_enabled:1), qui n'est pas pris en charge : "
    "une conversation occupe plusieurs clés, qu'un cluster répartit sur plusieurs serveurs."
)
INSTEAD = "un Redis simple, ou gardé par des Sentinel (REDIS_SENTINELS)"


def is_cluster(client: redis.Redis) -> bool:
    """Whether the server is part of a cluster; one that does not tell is taken for none."""
    try:
        info = client.info("cluster")
    except redis.ResponseError:
        return False
    return int(info.get("cluster_enabled", 0)) == 1


def refuse_cluster(redis_url: str, sentinels: Sequence[str] = ()) -> None:
    """Return unless Redis answers that it is a cluster; one that is away is looked at later, by
    ``RedisStore.ping``.

    Raises:
        CommandError: it is a cluster.
    """
    if redis_url.startswith("memory://"):
        return
    try:
        with client_for(
            redis_url, sentinels, timeout_s=LONGEST_S, connect_timeout_s=LONGEST_S
        ) as client:
            found = is_cluster(client)
    except (redis.RedisError, OSError):
        return
    if found:
        raise CommandError(f"{WHY} Utilisez {INSTEAD}.")
