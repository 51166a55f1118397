"""The catalogue on each kind of database: one suite for both."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from chat.shop.catalog.loader import load_catalogue, read_catalogue
from devtools.demo.data import DEMO_FILE
from meuble_project import backends

ALIAS = "postgres"
#: Another server: ``TEST_POSTGRES_URL``. The role must be allowed to create databases.
WAS_NAMED = os.environ.get("TEST_POSTGRES_URL", "")  # noqa: TID251 - the tests' own question
POSTGRES_URL = WAS_NAMED or "postgres://postgres@127.0.0.1:5432/postgres"


@pytest.fixture(scope="session")
def postgres(django_db_blocker: Any) -> Iterator[BaseDatabaseWrapper]:
    """A database of this run's own, migrated and empty."""
    name = f"catalogue_{uuid.uuid4().hex[:12]}"
    try:
        admin = psycopg.connect(POSTGRES_URL, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        if WAS_NAMED:
            pytest.fail(f"no PostgreSQL at TEST_POSTGRES_URL: {error}")
        pytest.skip("no PostgreSQL on this machine: TEST_POSTGRES_URL says where one is")
    with admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        config = backends.database_for(POSTGRES_URL.rpartition("/")[0] + f"/{name}", Path())
        del config["OPTIONS"]["pool"]
        try:
            with django_db_blocker.unblock():
                yield from _migrated(config)
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _migrated(config: dict[str, Any]) -> Iterator[BaseDatabaseWrapper]:
    full = connections.configure_settings({"default": {}, ALIAS: config})[ALIAS]
    with _known(full, None):
        call_command("migrate", database=ALIAS, verbosity=0)
        connection = connections[ALIAS]
    yield connection
    connection.close()


@contextmanager
def _known(config: dict[str, Any], connection: BaseDatabaseWrapper | None) -> Iterator[None]:
    """Django knows the database meanwhile; between tests pytest-django must not meet it."""
    connections.settings[ALIAS] = config
    if connection is not None:
        connections[ALIAS] = connection
    try:
        yield
    finally:
        del connections[ALIAS]
        del connections.settings[ALIAS]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, settings: Any, db: None) -> Iterator[str]:
    """Run the test on each kind of database; what it writes is undone.

    pytest-django looks for the mark ``django_db`` of the module.
    """
    if request.param == "sqlite":
        yield "sqlite"
        return
    connection = request.getfixturevalue("postgres")
    settings.DATABASE_ROUTERS = ["tests.shop.catalog.routers.ToPostgres"]
    with _known(connection.settings_dict, connection), transaction.atomic(using=ALIAS):
        yield "postgresql"
        transaction.set_rollback(True, using=ALIAS)


@pytest.fixture
def catalogue(database: str) -> str:
    """The demonstration's catalogue is loaded; return the kind of database."""
    load_catalogue(read_catalogue(DEMO_FILE))
    return database
