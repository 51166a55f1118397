"""Redis: whether it answers, keeps what it was given, and forgets nothing by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

import redis
from redis.exceptions import AuthenticationError, ResponseError

from chat.conversations.store.redis.aof import DAILY_S, AofState, read_state
from chat.conversations.store.redis.scripts import SHARED_KEYS, split_ids
from chat.core.ids import ref_of
from chat.ops.cluster import INSTEAD, WHY, is_cluster
from chat.ops.doctor.findings import Finding, masked, ok, skipped, warning, wrong
from meuble_project.backends import client_for

OLDEST_VERSION = (6, 2)
SLOW_MS = 20.0
VERY_SLOW_MS = 200.0
#: Conversations whose life is looked at: the ones that end next, and the ones that end last.
SAMPLE = 200
PINGS = 5
#: Erasures that are older wait for something.
LONGEST_ERASURE_S = 300.0
#: Erased words stay in the append-only file for so long at most, while workers run.
LONGEST_IN_AOF_S = 3600.0

_CLI = "redis-cli CONFIG SET {} && redis-cli CONFIG REWRITE"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFacts:
    """``info``: as ``INFO`` says. ``fsync``: "" where ``CONFIG`` is forbidden.

    ``aof``: when the file was last rewritten. ``erasing``: erased conversations whose rest in SQL
    and on disk is not gone, the first of them for ``erasing_s``. ``unreadable``: references of
    conversations that were set aside, ``shared_aside``: shared keys that were. ``lives_ms``: what
    ``PTTL`` says of each conversation looked
    at, by its ref.
    """

    latency_ms: float
    info: dict[str, Any]
    fsync: str
    lives_ms: dict[str, int]
    erasing: int = 0
    erasing_s: float = 0.0
    aof: AofState = field(default_factory=lambda: AofState(0.0, 0.0, 0.0))
    unreadable: tuple[str, ...] = ()
    shared_aside: tuple[str, ...] = ()


def check_redis(
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
            if is_cluster(client):
                fix = f"REDIS_URL=redis://…   # dans .env : {INSTEAD}"
                return [wrong("Redis : cluster", WHY, fix)]
            facts = ask(client)
    except AuthenticationError:
        fix = "REDIS_URL=redis://:MOT_DE_PASSE@hôte:6379/0   # dans .env : celui de requirepass"
        return [wrong("Redis : réponse", f"mot de passe refusé par {masked(url)}", fix)]
    except (redis.RedisError, OSError) as error:
        what = f"{masked(url)} ne répond pas ({type(error).__name__})"
        return [wrong("Redis : réponse", what, "docker compose up --detach redis")]
    return evaluate(facts, ttl_s)


def connected(url: str, timeout_s: float, sentinels: Sequence[str] = ()) -> redis.Redis:
    return client_for(url, sentinels, timeout_s=timeout_s, connect_timeout_s=timeout_s)


def ask(client: redis.Redis) -> RedisFacts:
    client.ping()
    taken = []
    for _ in range(PINGS):
        start = perf_counter()
        client.ping()
        taken.append((perf_counter() - start) * 1000)
    erasing, erasing_s = _erasing(client)
    return RedisFacts(
        latency_ms=median(taken),
        info=dict(client.info()),
        fsync=_fsync(client),
        lives_ms=_lives(client),
        erasing=erasing,
        erasing_s=erasing_s,
        aof=read_state(client),
        unreadable=_unreadable(client),
        shared_aside=_shared_aside(client),
    )


def _fsync(client: redis.Redis) -> str:
    try:
        answer: Any = client.config_get("appendfsync")
    except ResponseError:
        return ""
    return str(answer.get("appendfsync", ""))


def _erasing(client: redis.Redis) -> tuple[int, float]:
    oldest: Any = client.zrange("chat:erasing:since", 0, 0, withscores=True)
    seconds, microseconds = map(int, client.time())
    age_s = seconds + microseconds / 1e6 - oldest[0][1] / 1000 if oldest else 0.0
    return int(client.zcard("chat:erasing")), age_s


def _unreadable(client: redis.Redis) -> tuple[str, ...]:
    ids: Any = client.zrange("chat:unreadable", 0, -1)
    return tuple(map(ref_of, split_ids(ids)[0]))


def _shared_aside(client: redis.Redis) -> tuple[str, ...]:
    return tuple(key for key in SHARED_KEYS if client.exists(f"chat:unreadable:{key}"))


def _lives(client: redis.Redis) -> dict[str, int]:
    half = SAMPLE // 2
    ids = {*client.zrange("chat:index", 0, half - 1), *client.zrange("chat:index", -half, -1)}
    names, _ = split_ids(ids)
    with client.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.pttl(f"session:{name}")
        lives = pipeline.execute()
    return {ref_of(name): int(life) for name, life in zip(names, lives, strict=True)}


def evaluate(facts: RedisFacts, ttl_s: int) -> list[Finding]:
    """Return one finding per question, the good ones too."""
    return [
        evaluate_version(str(facts.info.get("redis_version", ""))),
        evaluate_latency(facts.latency_ms),
        *evaluate_persistence(facts.info, facts.fsync),
        evaluate_aof(facts.info, facts.aof),
        evaluate_eviction(str(facts.info.get("maxmemory_policy", ""))),
        evaluate_memory(int(facts.info.get("used_memory", 0)), int(facts.info.get("maxmemory", 0))),
        evaluate_connections(
            int(facts.info.get("connected_clients", 0)), int(facts.info.get("maxclients", 0))
        ),
        evaluate_lives(facts.lives_ms, ttl_s),
        evaluate_erasures(facts.erasing, facts.erasing_s),
        evaluate_unreadable(facts.unreadable),
        evaluate_shared(facts.shared_aside),
    ]


def evaluate_version(version: str) -> Finding:
    name = "Redis : version"
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST_VERSION:
        return wrong(
            name, f"{version or 'inconnue'}, il faut 6.2 au moins", "image: redis:7-alpine"
        )
    return ok(name, version)


def evaluate_latency(latency_ms: float) -> Finding:
    name = "Redis : délai"
    what = f"{latency_ms:.1f} ms par question".replace(".", ",")
    if latency_ms > VERY_SLOW_MS:
        return wrong(name, what, "redis-cli --latency   # et placer Redis près des serveurs")
    if latency_ms > SLOW_MS:
        return warning(name, what, "redis-cli SLOWLOG GET 10   # et redis-cli --latency")
    return ok(name, what)


def evaluate_persistence(info: dict[str, Any], fsync: str) -> Iterator[Finding]:
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


def evaluate_aof(info: dict[str, Any], state: AofState) -> Finding:
    """Whether the file was rewritten since the last erasure, and lately."""
    name = "Redis : mots effacés"
    if not int(info.get("aof_enabled", 0)):
        return skipped(name, "appendonly no : pas de fichier")
    fix = "redis-cli BGREWRITEAOF   # refusé ? voir « Erased words » dans docs/operations.md"
    if info.get("aof_last_bgrewrite_status", "ok") != "ok":
        return wrong(name, "la dernière réécriture du fichier a échoué", f"df -h   # puis {fix}")
    waiting_s = state.now - max(state.erased_at, state.rewritten_at)
    if state.has_erased_words and waiting_s > LONGEST_IN_AOF_S:
        what = f"encore dans le fichier, depuis {(state.now - state.erased_at) / 60:.0f} min"
        return warning(name, what, fix)
    if not state.rewritten_at:
        return ok(name, "aucun effacement, aucune réécriture demandée jusqu'ici")
    age_h = (state.now - state.rewritten_at) / 3600
    if age_h * 3600 > 2 * DAILY_S:
        return warning(name, f"fichier réécrit pour la dernière fois il y a {age_h:.0f} h", fix)
    return ok(name, f"fichier réécrit il y a {age_h:.0f} h")


def evaluate_eviction(policy: str) -> Finding:
    name = "Redis : éviction"
    if policy != "noeviction":
        what = f"{policy or 'inconnue'} : plein, Redis oublierait des conversations"
        return wrong(name, what, _CLI.format("maxmemory-policy noeviction"))
    return ok(name, policy)


def evaluate_memory(used: int, limit: int) -> Finding:
    name = "Redis : mémoire"
    if not limit:
        what = f"{_mb(used)} utilisés, sans limite : la machine entière peut se remplir"
        return warning(name, what, _CLI.format("maxmemory 512mb"))
    share = used / limit
    what = f"{_mb(used)} sur {_mb(limit)} ({share:.0%})".replace("%", " %")
    fix = _CLI.format(f"maxmemory {max(1, 2 * limit // 1_000_000)}mb")
    if share > 0.9:
        return wrong(name, what, fix)
    if share > 0.75:
        return warning(name, what, fix)
    return ok(name, what)


def evaluate_connections(clients: int, limit: int) -> Finding:
    name = "Redis : connexions"
    if not limit:
        return ok(name, f"{clients}")
    what = f"{clients} sur {limit}"
    if clients > 0.8 * limit:
        return wrong(name, what, _CLI.format(f"maxclients {2 * limit}"))
    return ok(name, what)


def evaluate_lives(lives_ms: dict[str, int], ttl_s: int) -> Finding:
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


def evaluate_erasures(count: int, oldest_s: float) -> Finding:
    """What an erased conversation left goes within a minute or two."""
    name = "Effacements"
    if oldest_s <= LONGEST_ERASURE_S:
        return ok(name, "tous finis" if not count else f"{count} en cours")
    what = f"{count} à finir, depuis {oldest_s / 60:.0f} min : la base ou MEDIA_DIR refuse"
    return warning(name, what, "python manage.py cleanup_report --apply")


def evaluate_unreadable(refs: Sequence[str]) -> Finding:
    """A conversation that another release wrote, or that was damaged."""
    name = "Conversations illisibles"
    if not refs:
        return ok(name, "aucune")
    what = f"{len(refs)} mise(s) de côté, par exemple {refs[-1]} : écrites par une autre version ?"
    return warning(name, what, f"python manage.py sessions restore {refs[-1]}")


def evaluate_shared(keys: Sequence[str]) -> Finding:
    """Something else than ours writes into this database of Redis."""
    name = "Clés partagées"
    if not keys:
        return ok(name, "toutes du bon type")
    what = f"{', '.join(keys)} : d'un autre type, mise(s) de côté et refaite(s)"
    return warning(name, what, f"redis-cli TYPE chat:unreadable:{keys[0]}")


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.1f} Mo".replace(".", ",")
