from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from chat.conversations.store.redis.store import RedisStore
from meuble_project.env import ROOT, Env
from tests.backends import use_redis

PATIENCE_S = 50


def command_line(*arguments: str, **environment: str) -> list[str]:
    """``manage.py`` deaf to the developer's environment, but for what is given."""
    variables = {field.name.upper(): "" for field in fields(Env)}
    variables |= {"DEBUG": "1", "DJANGO_SETTINGS_MODULE": "meuble_project.settings", **environment}
    assignments = [f"{name}={value}" for name, value in variables.items()]
    return ["env", *assignments, sys.executable, "manage.py", *arguments]


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a process, nobody at the keyboard, and return what became of it."""
    return subprocess.run(
        command_line(*arguments, **environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=ROOT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.fixture(scope="session")
def database_url(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of its own for commands that run as processes, with one administrator."""
    database = tmp_path_factory.mktemp("database") / "db.sqlite3"
    shutil.copyfile(migrated, database)
    url = f"sqlite:///{database}"
    claire = ("createsuperuser", "--no-input", "--username", "claire", "--email", "c@example.test")
    assert manage(*claire, DATABASE_URL=url).returncode == 0
    return url


@pytest.fixture
def redis_store(settings: Any, flushed_redis: str) -> RedisStore:
    """Have commands run here on an empty Redis, and return it."""
    use_redis(settings, flushed_redis)
    return RedisStore.of_django(settings.ENV.session_ttl_s)
