"""Redis: whether it answers, keeps what it was given, and forgets nothing by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Any

import redis
from redis.exceptions import AuthenticationError, ResponseError

from chat.management.doctor.findings import Finding, masked, ok, skipped, warning, wrong
from chat.sessions.types import ref_of
from meuble_project.backends import client_for

OLDEST_VERSION = (6, 2)
SLOW_MS = 20.0
VERY_SLOW_MS = 200.0
#: Conversations whose life is looked at: the ones that end next, and the ones that end last.
SAMPLE = 200
PINGS = 5

_CLI = "redis-cli CONFIG SET {} && redis-cli CONFIG REWRITE"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFacts:
    """``info``: as ``INFO`` says. ``fsync``: "" where ``CONFIG`` is forbidden.

    ``lives_ms``: what ``PTTL`` says of each conversation looked at, by its ref.
    """

    latency_ms: float
    info: dict[str, Any]
    fsync: str
    lives_ms: dict[str, int]


def look_at_redis(
    url: str, ttl_s: int, timeout_s: float, sentinels: Sequence[str] = ()
) -> list[Finding]:
    """``sentinels``: see ``Env.redis_sentinels``; then it is the master that is looked at."""
    if url.startswith("memory://"):
        return [
            warning(
                "Redis",
                "REDIS_URL=memory:// : un seul processus, tout est perdu à son arrêt",
                "REDIS_URL=redis://:MOT_DE_PASSE@redis:6379/0   # dans .env",
            )
        ]
    try:
        with connected(url, timeout_s, sentinels) as client:
            facts = ask(client)
    except AuthenticationError:
        mend = "REDIS_URL=redis://:MOT_DE_PASSE@hôte:6379/0   # dans .env : celui de requirepass"
        return [wrong("Redis : réponse", f"mot de passe refusé par {masked(url)}", mend)]
    except (redis.RedisError, OSError) as error:
        what = f"{masked(url)} ne répond pas ({type(error).__name__})"
        return [wrong("Redis : réponse", what, "docker compose up --detach redis")]
    return judge(facts, ttl_s)


def connected(url: str, timeout_s: float, sentinels: Sequence[str] = ()) -> redis.Redis:
    return client_for(url, sentinels, timeout_s=timeout_s, connect_timeout_s=timeout_s)


def ask(client: redis.Redis) -> RedisFacts:
    client.ping()
    taken = []
    for _ in range(PINGS):
        start = perf_counter()
        client.ping()
        taken.append((perf_counter() - start) * 1000)
    return RedisFacts(
        latency_ms=median(taken),
        info=dict(client.info()),
        fsync=_fsync(client),
        lives_ms=_lives(client),
    )


def _fsync(client: redis.Redis) -> str:
    try:
        answer: Any = client.config_get("appendfsync")
    except ResponseError:
        return ""
    return str(answer.get("appendfsync", ""))


def _lives(client: redis.Redis) -> dict[str, int]:
    half = SAMPLE // 2
    ids = {*client.zrange("chat:index", 0, half - 1), *client.zrange("chat:index", -half, -1)}
    names = [raw.decode() for raw in ids]
    with client.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.pttl(f"session:{name}")
        lives = pipeline.execute()
    return {ref_of(name): int(life) for name, life in zip(names, lives, strict=True)}


def judge(facts: RedisFacts, ttl_s: int) -> list[Finding]:
    """Return one finding per question, the good ones too."""
    return [
        judge_version(str(facts.info.get("redis_version", ""))),
        judge_latency(facts.latency_ms),
        *judge_persistence(facts.info, facts.fsync),
        judge_eviction(str(facts.info.get("maxmemory_policy", ""))),
        judge_memory(int(facts.info.get("used_memory", 0)), int(facts.info.get("maxmemory", 0))),
        judge_connections(
            int(facts.info.get("connected_clients", 0)), int(facts.info.get("maxclients", 0))
        ),
        judge_lives(facts.lives_ms, ttl_s),
    ]


def judge_version(version: str) -> Finding:
    name = "Redis : version"
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST_VERSION:
        return wrong(
            name, f"{version or 'inconnue'}, il faut 6.2 au moins", "image: redis:7-alpine"
        )
    return ok(name, version)


def judge_latency(latency_ms: float) -> Finding:
    name = "Redis : délai"
    what = f"{latency_ms:.1f} ms par question".replace(".", ",")
    if latency_ms > VERY_SLOW_MS:
        return wrong(name, what, "redis-cli --latency   # et placer Redis près des serveurs")
    if latency_ms > SLOW_MS:
        return warning(name, what, "redis-cli SLOWLOG GET 10   # et redis-cli --latency")
    return ok(name, what)


def judge_persistence(info: dict[str, Any], fsync: str) -> Iterator[Finding]:
    name = "Redis : persistance"
    if not int(info.get("aof_enabled", 0)):
        what = "appendonly no : un arrêt brutal perd des conversations"
        yield wrong(name, what, _CLI.format("appendonly yes"))
        return
    if info.get("aof_last_write_status") != "ok":
        what = "la dernière écriture sur le disque a échoué"
        yield wrong(name, what, "df -h   # libérer de la place, puis redis-cli BGREWRITEAOF")
        return
    if fsync == "no":
        what = "appendfsync no : une coupure perd plusieurs secondes"
        yield warning(name, what, _CLI.format("appendfsync everysec"))
        return
    yield ok(name, f"appendonly yes, appendfsync {fsync or 'inconnu (CONFIG interdit)'}")


def judge_eviction(policy: str) -> Finding:
    name = "Redis : éviction"
    if policy != "noeviction":
        what = f"{policy or 'inconnue'} : plein, Redis oublierait des conversations"
        return wrong(name, what, _CLI.format("maxmemory-policy noeviction"))
    return ok(name, policy)


def judge_memory(used: int, limit: int) -> Finding:
    name = "Redis : mémoire"
    if not limit:
        what = f"{_mb(used)} utilisés, sans limite : la machine entière peut se remplir"
        return warning(name, what, _CLI.format("maxmemory 512mb"))
    share = used / limit
    what = f"{_mb(used)} sur {_mb(limit)} ({share:.0%})".replace("%", " %")
    mend = _CLI.format(f"maxmemory {max(1, 2 * limit // 1_000_000)}mb")
    if share > 0.9:
        return wrong(name, what, mend)
    if share > 0.75:
        return warning(name, what, mend)
    return ok(name, what)


def judge_connections(clients: int, limit: int) -> Finding:
    name = "Redis : connexions"
    if not limit:
        return ok(name, f"{clients}")
    what = f"{clients} sur {limit}"
    if clients > 0.8 * limit:
        return wrong(name, what, _CLI.format(f"maxclients {2 * limit}"))
    return ok(name, what)


def judge_lives(lives_ms: dict[str, int], ttl_s: int) -> Finding:
    """A document that is gone (-2) is a matter for ``cleanup_report``."""
    name = "Redis : durées de vie"
    alive = {ref: life for ref, life in lives_ms.items() if life != -2}
    if not alive:
        return skipped(name, "aucune conversation active")
    endless = [ref for ref, life in alive.items() if life == -1]
    if endless:
        what = f"{len(endless)} conversation(s) sur {len(alive)} ne finiront jamais"
        return wrong(name, what, f"python manage.py sessions erase {endless[0]}")
    longest_s = max(alive.values()) / 1000
    if longest_s > ttl_s + 1:
        what = f"jusqu'à {longest_s:.0f} s, SESSION_TTL_S dit {ttl_s} s"
        return warning(name, what, f"SESSION_TTL_S={longest_s:.0f}   # ou attendre leur fin")
    return ok(name, f"{len(alive)} regardées, {ttl_s} s au plus")


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.1f} Mo".replace(".", ",")
