"""The database: whether it answers, has its tables, and takes several writers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

from chat.ops.doctor.findings import Finding, masked, ok, warning, wrong


def check_database(url: str) -> list[Finding]:
    connection = connections[DEFAULT_DB_ALIAS]
    try:
        if is_missing(connection):
            raise OperationalError  # SQLite would make an empty one
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except OperationalError:
        name, what = "Base : réponse", f"{masked(url)} ne répond pas"
        if connection.vendor == "sqlite":
            return [wrong(name, what, "python manage.py migrate   # et les droits du dossier")]
        return [wrong(name, what, "docker compose up --detach postgres   # et DATABASE_URL")]
    return [evaluate_migrations(missing_migrations(connection)), _check_writers(connection)]


def is_missing(connection: BaseDatabaseWrapper) -> bool:
    """Whether SQLite would make an empty database of this connection."""
    name = str(connection.settings_dict["NAME"])
    return connection.vendor == "sqlite" and "memory" not in name and not Path(name).exists()


def missing_migrations(connection: BaseDatabaseWrapper) -> list[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def evaluate_migrations(missing: Sequence[str]) -> Finding:
    name = "Base : migrations"
    if not missing:
        return ok(name, "toutes faites")
    shown = ", ".join(missing[:3]) + ("…" if len(missing) > 3 else "")
    return wrong(name, f"{len(missing)} à faire : {shown}", "python manage.py migrate")


def _check_writers(connection: BaseDatabaseWrapper) -> Finding:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA journal_mode")
            return evaluate_sqlite(str(cursor.fetchone()[0]))
        cursor.execute(
            "SELECT count(*), current_setting('max_connections')::int FROM pg_stat_activity"
        )
        used, limit = cursor.fetchone()
    return evaluate_postgres(connection.settings_dict.get("OPTIONS", {}).get("pool"), used, limit)


def evaluate_sqlite(journal_mode: str) -> Finding:
    name = "Base : écritures"
    if journal_mode not in ("wal", "memory"):
        what = f"SQLite en mode {journal_mode} : des écritures simultanées échouent"
        return wrong(name, what, 'sqlite3 db.sqlite3 "PRAGMA journal_mode=WAL"')
    return ok(name, f"SQLite, journal {journal_mode}")


def evaluate_postgres(pool: Any, used: int, limit: int) -> Finding:
    name = "Base : connexions"
    if not pool:
        what = "PostgreSQL sans réserve de connexions"
        return wrong(name, what, 'pip install -r requirements.txt   # "psycopg[binary,pool]"')
    if used > 0.8 * limit:
        what = f"{used} sur {limit}"
        return warning(name, what, f"command: [postgres, -c, max_connections={2 * limit}]")
    return ok(name, f"{used} sur {limit}, réserve de {pool['max_size']} par serveur")
