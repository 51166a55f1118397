from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest

from chat.sessions import store as stores
from chat.sessions.redis_store import RedisStore
from meuble_project.env import ROOT, Env
from tests.backends import use_redis

PATIENCE_S = 50

Manage = Callable[..., subprocess.CompletedProcess[str]]


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
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database of its own for commands that run as processes, with one administrator."""
    url = f"sqlite:///{tmp_path_factory.mktemp('database')}/db.sqlite3"
    assert manage("migrate", "--verbosity", "0", DATABASE_URL=url).returncode == 0
    claire = ("createsuperuser", "--no-input", "--username", "claire", "--email", "c@example.test")
    assert manage(*claire, DATABASE_URL=url).returncode == 0
    return url


@pytest.fixture
def fresh_process() -> Iterator[None]:
    stores.default_store.cache_clear()
    yield
    stores.default_store.cache_clear()


@pytest.fixture
def shelf(settings: Any, flushed_redis: str, fresh_process: None) -> RedisStore:
    """Have commands run here on an empty Redis, and return it."""
    use_redis(settings, flushed_redis)
    return RedisStore.of_django(settings.ENV.session_ttl_s)
