"""Clocks: Redis decides when a conversation ends, the database when something was written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import redis
from django.db import DEFAULT_DB_ALIAS, connections

from chat.ops.doctor.findings import Finding, ok, skipped, wrong
from chat.ops.doctor.redis_state import connected

MAX_SKEW_S = 2.0
_FIX = "sudo timedatectl set-ntp true   # sur les deux machines"


def check_redis_clock(url: str, timeout_s: float, sentinels: Sequence[str] = ()) -> list[Finding]:
    name = "Horloge : Redis"
    if url.startswith("memory://"):
        return [skipped(name, "pas de Redis")]
    try:
        with connected(url, timeout_s, sentinels) as client:
            client.ping()  # connects: what follows is one question and its answer
            before = datetime.now(UTC)
            seconds, micros = client.time()
            after = datetime.now(UTC)
    except (redis.RedisError, OSError):
        return [skipped(name, "Redis ne répond pas")]
    theirs = datetime.fromtimestamp(seconds + micros / 1e6, UTC)
    return [evaluate_clock(name, theirs, before, after)]


def check_database_clock() -> list[Finding]:
    name = "Horloge : base"
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "postgresql":
        return [skipped(name, "SQLite : c'est l'horloge de cette machine")]
    with connection.cursor() as cursor:
        before = datetime.now(UTC)
        cursor.execute("SELECT clock_timestamp()")
        theirs = cursor.fetchone()[0]
    return [evaluate_clock(name, theirs, before, datetime.now(UTC))]


def evaluate_clock(name: str, theirs: datetime, before: datetime, after: datetime) -> Finding:
    """``before``, ``after``: our own clock around the question."""
    skew_s = 0.0
    if theirs < before:
        skew_s = (theirs - before).total_seconds()
    elif theirs > after:
        skew_s = (theirs - after).total_seconds()
    what = f"{skew_s:+.1f} s par rapport à cette machine".replace(".", ",")
    return wrong(name, what, _FIX) if abs(skew_s) > MAX_SKEW_S else ok(name, what)
