"""What nobody may find in a log or in Redis' files: searched for after every run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.faults.cluster import Cluster
from tests.faults.visitor import Visitor


def read_leaks(cluster: Cluster, visitors: Sequence[Visitor]) -> list[str]:
    """Return where a secret of these visitors was written."""
    logs = [(worker.name, worker.log.read_bytes()) for worker in cluster.workers]
    kept = [(path.name, path.read_bytes()) for path in _files_of_redis(cluster)]
    found = []
    for visitor in visitors:
        ids = [("id", visitor.session_id)]
        secrets = list(_secrets_of(visitor))
        found += _search(visitor, [*secrets, *ids], logs)
        found += _search(visitor, secrets, kept)  # ids are names of its keys
    return found


def _secrets_of(visitor: Visitor) -> Iterator[tuple[str, str]]:
    """What they are called, and what they are."""
    yield "cookie", visitor.cookies["chat_session"].strip('"').rpartition(":")[2]
    for secret in visitor.secrets:
        yield "secret", secret


def _search(
    visitor: Visitor, secrets: Sequence[tuple[str, str]], texts: Sequence[tuple[str, bytes]]
) -> list[str]:
    return [
        f"{visitor.name}: the {name} is in {where}"
        for where, text in texts
        for name, secret in secrets
        if secret.encode() in text
    ]


def _files_of_redis(cluster: Cluster) -> Iterator[Path]:
    yield from (path for path in (cluster.folder / "redis").rglob("*") if path.is_file())
