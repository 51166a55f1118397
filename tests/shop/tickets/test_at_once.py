"""Several workers on one database, as processes: on a SQLite file, and on PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from meuble_project.env import ROOT
from tests.management.conftest import command_line, manage
from tests.shop.tickets.at_once import MESSAGES, THREADS
from tests.shop.tickets.builders import complete
from tests.smtp_server import PostOffice

WORKERS = 2
PATIENCE_S = 60
POSTGRES_URL = (
    os.environ.get("TEST_POSTGRES_URL")  # noqa: TID251 - the tests' own question
    or "postgres://postgres@127.0.0.1:5432/postgres"
)

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/db.sqlite3"
        return
    name = f"tickets_{uuid.uuid4().hex[:12]}"
    try:
        admin = psycopg.connect(POSTGRES_URL, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        if os.environ.get("CI") == "true":  # noqa: TID251
            pytest.fail(f"no PostgreSQL to test on: {error}")
        pytest.skip("no PostgreSQL: TEST_POSTGRES_URL says where one is")
    with admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{POSTGRES_URL.rpartition('/')[0]}/{name}"
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_workers_who_do_the_same_at_once_do_it_once(database_url: str, post_office: PostOffice):
    environment = {
        "DATABASE_URL": database_url,
        "EMAIL_URL": f"smtp://127.0.0.1:{post_office.port}",
        "SHOP_EMAIL": "sav@shop.test",
    }
    migrated = manage("migrate", "--verbosity", "0", **environment)
    assert migrated.returncode == 0, migrated.stderr

    told = _race(json.dumps(complete().to_json()), environment)

    opened = [pair for one in told for pair in one["opened"]]
    assert len(opened) == WORKERS * THREADS
    assert len({pk for pk, _ in opened}) == 1
    assert sum(created for _, created in opened) == 1
    # Two of the opening, and one for each message that everybody sent.
    ids = [str(message["Message-ID"]) for message in post_office.received]
    assert len(ids) == len(set(ids)) == sum(one["sent"] for one in told) == 2 + MESSAGES


def _race(form: str, environment: dict[str, str]) -> list[dict[str, Any]]:
    command = command_line(**environment)
    command[-1:] = ["-m", "tests.shop.tickets.at_once", form]
    workers = [
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(WORKERS)
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        return [json.loads(worker.communicate(timeout=PATIENCE_S)[0]) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
