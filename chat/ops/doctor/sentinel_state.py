"""Redis Sentinel: whether somebody will find another master when this one dies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis

from chat.ops.doctor.findings import Finding, ok, warning, wrong
from chat.ops.doctor.redis_state import connected
from meuble_project.backends import master_name

NAME = "Redis : Sentinel"
#: Fewer cannot tell a dead machine from a cut between two. Source: redis.io, "High availability
#: with Redis Sentinel".
FEWEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one sentinel says of the master. ``replicas``: those that live, None when it does
    not know the name.

    ``agreed``: whether enough sentinels see one another to name another master.
    """

    replicas: int | None
    agreed: bool = False


def check_sentinels(url: str, sentinels: Sequence[str], timeout_s: float) -> list[Finding]:
    """Return nothing where none is configured."""
    if not sentinels:
        return []
    each_s = timeout_s / len(sentinels)
    told = {address: _ask(address, master_name(url), each_s) for address in sentinels}
    return [evaluate_sentinels(master_name(url), told)]


def _ask(address: str, name: str, timeout_s: float) -> Told | None:
    try:
        with connected(f"redis://{address}", timeout_s) as client:
            masters: Any = client.sentinel_masters()
            if name not in masters:
                return Told(replicas=None)
            replicas: Any = client.sentinel_slaves(name)
            alive = [one for one in replicas if not one["is_sdown"]]
            return Told(replicas=len(alive), agreed=_has_quorum(client, name))
    except (redis.RedisError, OSError):
        return None


def _has_quorum(client: redis.Redis, name: str) -> bool:
    try:
        client.execute_command("SENTINEL", "CKQUORUM", name)  # type: ignore[no-untyped-call]
    except redis.ResponseError:  # NOQUORUM
        return False
    return True


def evaluate_sentinels(name: str, told: dict[str, Told | None]) -> Finding:
    """``told``: by address, None for one that does not answer."""
    answered = {address: one for address, one in told.items() if one is not None}
    known = [one for one in answered.values() if one.replicas is not None]
    silent = ", ".join(address for address in told if address not in answered)
    restart = "redis-server /etc/redis/sentinel.conf --sentinel   # là où il manque"
    if not answered:
        return wrong(NAME, f"aucun ne répond : {silent}", restart)
    if not known:
        what = f"aucun ne connaît de maître nommé {name}"
        address = next(iter(answered)).replace(":", " -p ")
        return wrong(NAME, what, f"redis-cli -h {address} SENTINEL MASTERS   # nom pour REDIS_URL")
    if not any(one.agreed for one in known):
        return wrong(NAME, "trop peu se voient pour nommer un autre maître", restart)
    if not any(one.replicas for one in known):
        what = f"{name} n'a aucun réplica en vie : personne ne prendrait la suite"
        return wrong(NAME, what, "redis-cli REPLICAOF MAÎTRE 6379   # sur une autre machine")
    if silent or len(known) < len(answered):
        ignorant = [address for address, one in answered.items() if one.replicas is None]
        what = f"{len(known)} sur {len(told)} ; manquent : {silent or ', '.join(ignorant)}"
        return warning(NAME, what, restart)
    if len(told) < FEWEST:
        what = f"{len(told)} déclarés, il en faut {FEWEST}, sur {FEWEST} machines"
        return warning(NAME, what, "REDIS_SENTINELS=A:26379,B:26379,C:26379   # dans .env")
    return ok(NAME, f"{len(told)} répondent, le maître est {name}")
